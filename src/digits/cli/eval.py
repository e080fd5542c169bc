"""`digits eval`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from .common import (
    data_options,
    load_data,
    output_options,
    progress_bar,
    quiet_option,
    result_stream,
    split_option,
    write_records,
)

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..evaluation import Evaluation, Score
    from ..recognizer import Recognizer

_COLUMNS = ("model", "data", "n", "loss", "accuracy", "low95", "high95", "correct", "incorrect")


@click.command("eval", short_help="Score models on data sets.")
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    default=("cnn",),
    metavar="MODEL",
    help="A model file, or dense, cnn or rnn: your own models/MODEL.h5 where there is one, else "
    "the shipped one. May be given several times.  [default: cnn]",
)
@data_options()
@split_option("test")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Score the first N only.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write report.html there, with its pictures and numbers beside it.",
)
@output_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    models: tuple[str, ...],
    data: tuple[str, ...],
    data_dir: Path | None,
    split: str,
    limit: int | None,
    report: Path | None,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Score one or several models on one or several data sets, each and joint."""
    from ..evaluation import evaluate
    from ..files import check_writable
    from ..recognizer import Recognizer

    recognizers = [Recognizer(model) for model in models]
    datasets = [splits.part(split).limit(limit) for splits in load_data(data, data_dir)]
    if report:
        check_writable(report / "report.html")
    with result_stream(output, overwrite) as stream:
        with progress_bar("scoring", len(recognizers)) as advance:
            evaluations = []
            for recognizer in recognizers:
                for dataset in datasets:
                    recognizer.warn_if_seen(dataset)
                evaluations.append(evaluate(recognizer, datasets))
                advance(1)
        page = _write_report(report, recognizers, evaluations, datasets) if report else None
        if fmt == "text":
            _write_text(evaluations, stream)
        elif fmt == "csv":
            rows = (row for evaluation in evaluations for row in _rows(evaluation))
            write_records(rows, fmt, stream, _COLUMNS)
        elif fmt == "json" and len(evaluations) == 1:
            stream.write(json.dumps(evaluations[0].to_json(), indent=1) + "\n")
        else:
            write_records((e.to_json() for e in evaluations), fmt, stream)
    if page and (output or fmt == "text"):
        click.echo(f"report: {page}")


def _write_report(
    folder: Path,
    recognizers: Sequence[Recognizer],
    evaluations: Sequence[Evaluation],
    datasets: Sequence[Dataset],
) -> Path:
    from ..report import Chapter, write_report

    chapters = [
        Chapter(evaluation, metadata.get("history", []), metadata)
        for metadata, evaluation in zip((r.metadata for r in recognizers), evaluations, strict=True)
    ]
    return write_report(folder, chapters, datasets)


def _scores(evaluation: Evaluation) -> list[Score]:
    return [*evaluation.scores, *([evaluation.joint] if evaluation.joint else [])]


def _rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [
        {
            "model": str(evaluation.path or evaluation.model),
            "data": score.name,
            "n": score.n,
            "loss": score.loss,
            "accuracy": score.accuracy,
            "low95": score.accuracy_ci95[0],
            "high95": score.accuracy_ci95[1],
            "correct": score.correct,
            "incorrect": score.incorrect,
        }
        for score in _scores(evaluation)
    ]


def _write_text(evaluations: Sequence[Evaluation], stream: IO[str]) -> None:
    rows = [row for evaluation in evaluations for row in _rows(evaluation)]
    model, name = (max(5, *(len(row[key]) for row in rows)) for key in ("model", "data"))
    columns = "loss  accuracy  95 % interval        right   wrong"
    stream.write(f"{'model':{model}}  {'data':{name}}    {columns}\n")
    for row in rows:
        stream.write(
            f"{row['model']:{model}}  {row['data']:{name}}  {row['loss']:.4f}  "
            f"{row['accuracy']:8.2%}  {row['low95']:.2%} to {row['high95']:.2%}  "
            f"{row['correct']:7,}  {row['incorrect']:6,}\n"
        )
    for evaluation in evaluations:
        which = f" of {evaluation.path or evaluation.model}" if len(evaluations) > 1 else ""
        _write_digits(_scores(evaluation)[-1], which, stream)


def _write_digits(score: Score, which: str, stream: IO[str]) -> None:
    stream.write(f"\neach digit{which} on {score.name}\n")
    stream.write("digit  pictures  precision  recall      F1  most often misread as\n")
    for digit in score.per_digit:
        figures = "  ".join(
            f"{'-' if value is None else format(value, '.2%'):>{width}}"
            for value, width in ((digit.precision, 9), (digit.recall, 7), (digit.f1, 7))
        )
        wrong = score.confusion[digit.digit].copy()
        wrong[digit.digit] = 0
        often = f"{wrong.argmax()} ({wrong.max()})" if wrong.any() else ""
        line = f"{digit.digit:5}  {digit.support:8,}  {figures}  {often}"
        stream.write(line.rstrip() + "\n")
