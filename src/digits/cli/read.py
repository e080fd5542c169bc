"""`digits read`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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
    from ..recognition.reader import Read
    from ..recognition.results import Reading

_COLUMNS = ("path", "text", "error")


@click.command("read", short_help="Read all digits in each picture.")
@pictures_argument
@model_option()
@ink_option
@min_confidence_option(
    0.5, "Write ? for digits below this probability. What is more probably no digit is left out."
)
@show_option(
    "Save the picture with the recognized digits marked on it. With several pictures, FILE is a "
    "folder."
)
@result_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    pictures: tuple[str, ...],
    model: str,
    ink: Ink,
    min_confidence: float,
    show: Path | None,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Read all digits in each PICTURE: a file, a folder, a quoted glob, or - for stdin.

    Reads one line or several, columns, and digits that touch. The answer has the lines in reading
    order.

    \b
    Examples:
      digits read numbers.jpg
      digits read forms/ --format jsonl -o forms.jsonl
      digits read numbers.jpg --show read.png
    """
    from ..imaging.find import find_pictures
    from ..recognition.reader import Reader

    several = count_pictures(pictures, 2) > 1
    places: dict[str, list[Path]] = {}
    for path, place in _places(list(find_pictures(pictures)), show) if show else []:
        _check_output(place, overwrite)
        places.setdefault(path, []).append(place)
    with result_stream(output, overwrite) as stream:
        reader = Reader(model)
        note(f"using the model {reader.recognizer.path}")
        outcomes = reader.read_many(
            sources_named(find_pictures(pictures)), ink, min_confidence, keep=show is not None
        )
        with progress_bar(
            "reading", lambda: count_pictures(pictures), hidden=stream.isatty()
        ) as advance:
            tally = Tally(_drawn(outcomes, places, overwrite) if show else outcomes, advance)
            if fmt == "text":
                for outcome in tally:
                    if outcome.result is not None:
                        name = outcome.name if several else None
                        stream.write(_text(outcome.result, name) + "\n")
                        stream.flush()
            else:
                write_records((outcome.to_json() for outcome in tally), fmt, stream, _COLUMNS)
    return tally.status


def _check_output(path: Path, overwrite: bool) -> None:
    from ..reports.drawing import check_output

    check_output(path, overwrite)


def _drawn(
    outcomes: Iterator[Read], places: dict[str, list[Path]], overwrite: bool
) -> Iterator[Read]:
    """The same outcomes, each drawn at its place: page 2 of `a.pdf` beside page 1 as `a-2.png`."""
    from ..reports import drawing

    for outcome in outcomes:
        if outcome.name in places:
            place = places[outcome.name].pop(0)
        else:
            path, _, page = outcome.name.rpartition("#")
            place = places[path][0]
            place = place.with_stem(f"{place.stem}-{page}")
            _check_output(place, overwrite)
        if outcome.result is not None and outcome.kept is not None:
            image = drawing.annotate(outcome.kept, outcome.result)
            drawing.save(image, place, overwrite=overwrite)
        yield outcome


def _places(paths: list[str], show: Path) -> list[tuple[str, Path]]:
    """Each picture with a file for its drawing, unique whatever folder the picture is in."""
    if len(paths) == 1 and not show.is_dir():
        return [(paths[0], show)]
    width = len(str(len(paths)))
    names = [Path(path).stem if path != "-" else "stdin" for path in paths]
    repeated = len(set(names)) < len(names)
    return [
        (path, show / (f"{i:0{width}}-{name}.png" if repeated else f"{name}.png"))
        for i, (path, name) in enumerate(zip(paths, names, strict=True), 1)
    ]


def _text(reading: Reading, name: str | None) -> str:
    """The lines alone for a single picture, to pipe on; one line with the name for several."""
    if name is None:
        return reading.text
    return f"{printable(name)}: {', '.join(reading.lines) or 'no digits'}"
