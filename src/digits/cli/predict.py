"""`digits predict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._io.text import printable
from .messages import note
from .options import (
    ink_option,
    min_confidence_option,
    model_option,
    pictures_argument,
    quiet_option,
    result_options,
    show_option,
)
from .output import result_stream, write_records
from .progress import progress_bar
from .sources import Tally, count_pictures, sources_named

if TYPE_CHECKING:
    from ..imaging.foreground import Ink
    from ..recognition.recognizer import Predicted

_MAX_SHOWN = 50
_COLUMNS = ("path", "digit", "confidence", *(f"p{d}" for d in range(10)), "reason", "error")


@click.command("predict", short_help="Recognize the digit in each picture.")
@pictures_argument
@model_option()
@ink_option
@click.option(
    "--top-k", type=click.IntRange(1, 10), default=1, show_default=True, metavar="K",
    help="Show the K most probable digits.",
)  # fmt: skip
@min_confidence_option(
    0.5,
    "Reject digits below this probability. 0 accepts a guess for whatever resembles a digit.",
)
@show_option(
    "Draw each step from picture to answer into FILE: the picture, its foreground, the 28x28 "
    "model input, and the probabilities."
)
@result_options("text", "json", "jsonl", "csv", "submission")
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
    """Recognize the digit in each PICTURE: a file, a folder, a quoted glob, or - for stdin.

    Each page of a PDF or TIFF file is a picture (file.pdf#2), and so is each row of pixels in a CSV
    file. Results come in the order of the pictures. A picture without a digit, or with an unclear
    one, gets a reason instead of a digit. For pictures with several digits, use `digits read`.

    The format `submission` is what competitions on Kaggle want: ImageId,Label, with the most
    probable digit of every picture.

    \b
    Examples:
      digits predict seven.png
      digits predict scans/ --format csv -o answers.csv
      digits predict test.csv --format submission -o submission.csv
      digits predict seven.jpg --show steps.png
    """
    from ..imaging.find import find_pictures
    from ..recognition.recognizer import Recognizer
    from ..reports.wording import describe

    if show is not None:
        _check_show(show, pictures, overwrite)
    with result_stream(output, overwrite) as stream:
        recognizer = Recognizer(model)
        note(f"using the model {recognizer.path}")
        outcomes = recognizer.predict_many(
            sources_named(find_pictures(pictures)), ink, min_confidence, keep=show is not None
        )
        # On a terminal, the results themselves show progress.
        with progress_bar(
            "predicting", lambda: count_pictures(pictures), hidden=stream.isatty()
        ) as advance:
            tally = Tally(outcomes, advance)
            kept: list[Predicted] = []
            counted = _kept(tally, kept) if show else iter(tally)
            if fmt == "text":
                for outcome in counted:
                    if outcome.result is not None:
                        answer = describe(outcome.result, top_k)
                        stream.write(f"{printable(outcome.name)}: {answer}\n")
                        stream.flush()
            elif fmt == "submission":
                write_records(_submission(counted), "csv", stream, ("ImageId", "Label"))
            else:
                write_records((_record(o, fmt, top_k) for o in counted), fmt, stream, _COLUMNS)
        if show and kept:
            _show(kept, show, overwrite)
    return tally.status


def _check_show(show: Path, pictures: tuple[str, ...], overwrite: bool) -> None:
    from ..reports.drawing import check_output

    if count_pictures(pictures, _MAX_SHOWN + 1) > _MAX_SHOWN:
        raise click.UsageError(f"--show draws at most {_MAX_SHOWN} pictures; these are more.")
    check_output(show, overwrite)


def _kept(outcomes: Iterable[Predicted], kept: list[Predicted]) -> Iterator[Predicted]:
    for outcome in outcomes:
        if outcome.result is not None:
            kept.append(outcome)
        yield outcome


def _show(outcomes: list[Predicted], path: Path, overwrite: bool) -> None:
    from ..reports import drawing

    rows = [(o.kept, o.result) for o in outcomes if o.kept and o.result]
    drawing.save(drawing.show(rows), path, overwrite=overwrite)


def _submission(outcomes: Iterable[Predicted]) -> Iterator[dict[str, Any]]:
    """A row for each picture, counted from 1; without a label where there is no picture."""
    for number, outcome in enumerate(outcomes, 1):
        result = outcome.result
        label = None if result is None else max(range(10), key=result.probabilities.__getitem__)
        yield {"ImageId": number, "Label": label}


def _record(outcome: Predicted, fmt: str, top_k: int) -> dict[str, Any]:
    record = outcome.to_json(top_k=top_k)
    if fmt == "csv" and "probabilities" in record:
        record |= {f"p{digit}": p for digit, p in enumerate(record.pop("probabilities"))}
    return record
