"""`digits predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import (
    fail,
    ink_option,
    min_confidence_option,
    model_option,
    note,
    output_options,
    pictures_argument,
    progress_bar,
    quiet_option,
    result_stream,
    write_records,
)

if TYPE_CHECKING:
    from ..pictures import Ink
    from ..recognizer import Answer, Prediction, Recognizer

_MOST_SHOWN = 50
_COLUMNS = ("path", "digit", "confidence", *(f"p{d}" for d in range(10)), "reason", "error")


@click.command("predict", short_help="Read the digit in each picture.")
@pictures_argument
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
@min_confidence_option(0.5, "Less sure of a digit, answer none; 0 for an answer in any case.")
@click.option(
    "--show", type=click.Path(path_type=Path), metavar="FILE",
    help="Draw what was seen as FILE: the picture, the ink in it, the 28x28 that the model saw, "
    "the probabilities.",
)  # fmt: skip
@output_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    pictures: tuple[str, ...],
    model: str,
    ink: Ink,
    top_k: int,
    min_confidence: float,
    show: Path | None,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Read the digit in each PICTURE: files, folders, quoted globs, or - for stdin.

    Results come in the order of the pictures, each as soon as it is known. A picture without a
    digit, or an unclear one, is answered with none and a reason; of several digits in a picture,
    see `digits read`.
    """
    from ..pictures.find import find_pictures
    from ..recognizer import Recognizer

    paths = find_pictures(pictures)
    if show is not None:
        from ..sketch import check_output

        if len(paths) > _MOST_SHOWN:
            message = f"--show draws {_MOST_SHOWN} pictures at most, not {len(paths)}"
            raise click.UsageError(message)
        check_output(show, overwrite)
    with result_stream(output, overwrite) as stream:
        recognizer = Recognizer(model)
        note(f"using the model {recognizer.path}")
        # Results on a terminal are progress enough.
        with progress_bar("reading", len(paths), hidden=stream.isatty()) as advance:
            if show is None:
                answers = recognizer.read_many(
                    paths, ink, sys.stdin.buffer, min_confidence=min_confidence
                )
            else:
                answers = _shown(recognizer, paths, ink, min_confidence, show)
            failures = _Failures(answers, advance)
            if fmt == "text":
                for answer in failures:
                    if answer.prediction is not None:
                        stream.write(_line(answer.path, answer.prediction, top_k) + "\n")
                        stream.flush()
            else:
                records = (_record(answer, fmt, top_k) for answer in failures)
                write_records(records, fmt, stream, _COLUMNS)
    return 1 if failures.count else 0


def _shown(
    recognizer: Recognizer, paths: Sequence[str], ink: Ink, min_confidence: float, place: Path
) -> Iterator[Answer]:
    """The answers, and at the end a drawing of what led to them, at `place`."""
    from ..errors import PictureError
    from ..pictures import decode, look
    from ..recognizer import Answer
    from ..sketch import save, show

    rows = []
    for path in paths:
        try:
            seen = look(decode(sys.stdin.buffer.read() if path == "-" else path, path), ink)
        except PictureError as error:
            yield Answer(path, None, str(error))
            continue
        rows.append((seen, recognizer.predict_look(seen, ink, min_confidence)))
        yield Answer(path, rows[-1][1])
    if rows:
        save(show(rows), place)


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


def _line(path: str, prediction: Prediction, top_k: int) -> str:
    if prediction.digit is None:
        return f"{path}: {prediction.reason}"
    if top_k == 1:
        return f"{path}: {prediction.digit} ({prediction.confidence:.1%})"
    ranked = prediction.ranked()[:top_k]
    return f"{path}: " + ", ".join(f"{digit} ({p:.1%})" for digit, p in ranked)


def _record(answer: Answer, fmt: str, top_k: int) -> dict[str, Any]:
    from ..records import prediction_record

    if answer.prediction is None:
        return {"path": answer.path, "error": answer.error}
    record = prediction_record(answer.path, answer.prediction, top_k)
    if fmt == "csv":
        record |= {f"p{digit}": p for digit, p in enumerate(record.pop("probabilities"))}
    return record
