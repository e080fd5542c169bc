"""`digits eval`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from .._io.text import printable
from .loader import Loader
from .options import (
    PATH,
    data_options,
    limit_option,
    model_option,
    quiet_option,
    result_options,
    split_option,
)
from .output import result_stream, write_records
from .progress import progress_bar

if TYPE_CHECKING:
    from ..evaluation.evaluate import Evaluation
    from ..evaluation.metrics import Score

_COLUMNS = ("model", "data", "n", "loss", "accuracy", "low95", "high95", "correct", "incorrect")


@click.command("eval", short_help="Evaluate models on data sets.")
@model_option(multiple=True)
@data_options()
@split_option("test")
@limit_option("Maximum number of pictures per data set.")
@click.option(
    "--report", type=PATH, metavar="FOLDER",
    help="Write an HTML report, FOLDER/report.html, with its figures and numbers beside it.",
)  # fmt: skip
@result_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    models: tuple[str, ...],
    data: tuple[str, ...],
    loader: Loader,
    split: str,
    limit: int | None,
    report: Path | None,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Compute accuracy, loss, precision, recall, F1 and the confusion matrix.

    Each model is evaluated on each data set, and on all of them joined.

    \b
    Examples:
      digits eval --data sample
      digits eval -m cnn -m models/mine.h5 --data mnist --data mine.npz
      digits eval --format json -o scores.json --report report/
    """
    from .._io.files import check_writable
    from ..evaluation.evaluate import evaluate
    from ..recognition.recognizer import Recognizer

    recognizers = [Recognizer(model) for model in models]
    datasets = [splits.part(split).limit(limit) for splits in loader.load(data)]
    if report:
        check_writable(report / "report.html")
    with result_stream(output, overwrite) as stream:
        evaluations = []
        with progress_bar("evaluating", lambda: len(recognizers)) as advance:
            for recognizer in recognizers:
                for dataset in datasets:
                    recognizer.count_training_overlap(dataset)
                evaluations.append(evaluate(recognizer, datasets))
                advance(1)
        page = _write_report(report, evaluations) if report else None
        _write(evaluations, fmt, stream)
    if page and (output or fmt == "text"):
        click.echo(f"report: {printable(page)}")


def _write_report(folder: Path, evaluations: Sequence[Evaluation]) -> Path:
    from ..reports.report import write_report

    return write_report(folder, evaluations)


def _write(evaluations: Sequence[Evaluation], fmt: str, stream: IO[str]) -> None:
    if fmt == "text":
        _write_text(evaluations, stream)
    elif fmt == "csv":
        rows = (row for evaluation in evaluations for row in _rows(evaluation))
        write_records(rows, fmt, stream, _COLUMNS)
    elif fmt == "json" and len(evaluations) == 1:
        stream.write(json.dumps(evaluations[0].to_json(), indent=1) + "\n")
    else:
        write_records((evaluation.to_json() for evaluation in evaluations), fmt, stream)


def _rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [
        {
            "model": evaluation.label,
            "data": score.name,
            "n": score.n,
            "loss": score.loss,
            "accuracy": score.accuracy,
            "low95": score.accuracy_ci95[0],
            "high95": score.accuracy_ci95[1],
            "correct": score.correct,
            "incorrect": score.incorrect,
        }
        for score in evaluation.all_scores
    ]


def _write_text(evaluations: Sequence[Evaluation], stream: IO[str]) -> None:
    rows = [
        row | {"model": printable(row["model"]), "data": printable(row["data"])}
        for evaluation in evaluations
        for row in _rows(evaluation)
    ]
    model, name = (max(5, *(len(row[key]) for row in rows)) for key in ("model", "data"))
    columns = "loss  accuracy  95% interval       correct  incorrect"
    stream.write(f"{'model':{model}}  {'data':{name}}    {columns}\n")
    for row in rows:
        interval = f"{row['low95']:.2%} to {row['high95']:.2%}"
        stream.write(
            f"{row['model']:{model}}  {row['data']:{name}}  {row['loss']:.4f}  "
            f"{row['accuracy']:8.2%}  {interval:17}  {row['correct']:7,}  {row['incorrect']:9,}\n"
        )
    for evaluation in evaluations:
        of = f" of {printable(evaluation.label)}" if len(evaluations) > 1 else ""
        _write_per_digit(evaluation.all_scores[-1], of, stream)


def _write_per_digit(score: Score, of: str, stream: IO[str]) -> None:
    stream.write(f"\nper digit{of} on {printable(score.name)}\n")
    stream.write("digit  pictures  precision  recall      F1  most often misread as\n")
    for digit in score.per_digit:
        ratios = "  ".join(
            f"{'-' if value is None else format(value, '.2%'):>{width}}"
            for value, width in ((digit.precision, 9), (digit.recall, 7), (digit.f1, 7))
        )
        errors = score.confusion[digit.digit].copy()
        errors[digit.digit] = 0
        most = f"{errors.argmax()} ({errors.max()})" if errors.any() else ""
        line = f"{digit.digit:5}  {digit.support:8,}  {ratios}  {most}"
        stream.write(line.rstrip() + "\n")
