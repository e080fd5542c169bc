"""`digits predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import (
    fail,
    ink_option,
    model_option,
    note,
    output_options,
    progress_bar,
    quiet_option,
    result_stream,
    write_records,
)

if TYPE_CHECKING:
    from ..pictures import Ink
    from ..recognizer import Answer

_COLUMNS = ("path", "digit", "confidence", *(f"p{d}" for d in range(10)), "reason", "error")


@click.command("predict", short_help="Read the digit in each picture.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@model_option
@ink_option
@click.option(
    "--top-k",
    type=click.IntRange(1, 10),
    default=1,
    show_default=True,
    metavar="K",
    help="Tell the K likeliest digits.",
)
@output_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    pictures: tuple[str, ...],
    model: str,
    ink: Ink,
    top_k: int,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Read the digit in each PICTURE: files, folders, quoted globs, or - for stdin.

    Results come in the order of the pictures, each as soon as it is known.
    """
    from ..pictures.find import find_pictures
    from ..recognizer import Recognizer

    paths = find_pictures(pictures)
    with result_stream(output, overwrite) as stream:
        recognizer = Recognizer(model)
        note(f"using the model {recognizer.path}")
        # Results on a terminal are progress enough.
        with progress_bar("reading", len(paths), hidden=stream.isatty()) as advance:
            failures = _Failures(recognizer.read_many(paths, ink, sys.stdin.buffer), advance)
            if fmt == "text":
                for answer in failures:
                    if not answer.error:
                        stream.write(_line(answer, top_k) + "\n")
                        stream.flush()
            else:
                records = (_record(answer, fmt, top_k) for answer in failures)
                write_records(records, fmt, stream, _COLUMNS)
    return 1 if failures.count else 0


class _Failures:
    """Hands the answers on; says and counts those that failed."""

    def __init__(self, answers: Iterable[Answer], advance: Any) -> None:
        self.answers, self.advance, self.count = answers, advance, 0

    def __iter__(self) -> Iterator[Answer]:
        for answer in self.answers:
            if answer.error:
                fail(answer.error)
                self.count += 1
            yield answer
            self.advance(1)


def _line(answer: Answer, top_k: int) -> str:
    prediction = answer.prediction
    if prediction.digit is None:
        return f"{answer.path}: no digit ({prediction.reason})"
    ranked = prediction.ranked()[:top_k]
    return f"{answer.path}: " + ", ".join(f"{digit} ({p:.1%})" for digit, p in ranked)


def _record(answer: Answer, fmt: str, top_k: int) -> dict[str, Any]:
    if answer.error:
        return {"path": answer.path, "error": answer.error}
    prediction = answer.prediction
    probabilities = prediction.probabilities.astype(float).round(6).tolist()
    record: dict[str, Any] = {
        "path": answer.path,
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, 6),
    }
    if fmt == "csv":
        record |= {f"p{digit}": p for digit, p in enumerate(probabilities)}
    else:
        record["probabilities"] = probabilities
    if top_k > 1:
        record["top"] = [
            {"digit": digit, "confidence": round(p, 6)} for digit, p in prediction.ranked()[:top_k]
        ]
    if prediction.reason:
        record["reason"] = prediction.reason
    return record
