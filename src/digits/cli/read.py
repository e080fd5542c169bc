"""`digits read`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
    from ..reader import Reader

_COLUMNS = ("path", "text", "error")


@click.command("read", short_help="Read all digits in each picture.")
@pictures_argument
@model_option
@ink_option
@min_confidence_option(0.0, "Write ? for a digit that is less sure.")
@click.option(
    "--annotate", type=click.Path(path_type=Path), metavar="FILE",
    help="Draw what was read over the picture and save that as FILE; of several pictures, in "
    "a folder of this name.",
)  # fmt: skip
@output_options("text", "json", "jsonl", "csv")
@quiet_option
def command(
    pictures: tuple[str, ...],
    model: str,
    ink: Ink,
    min_confidence: float,
    annotate: Path | None,
    fmt: str,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Read all digits in each PICTURE: files, folders, quoted globs, or - for stdin.

    One line or several, a column, digits that touch: the answer has the lines in reading order.
    """
    from ..pictures.find import find_pictures
    from ..reader import Reader

    paths = find_pictures(pictures)
    failures = 0
    with result_stream(output, overwrite) as stream:
        places: list[Path | None] = [None] * len(paths)
        if annotate:
            places = _checked_places(paths, annotate, overwrite)
        reader = Reader(model)
        note(f"using the model {reader.recognizer.path}")

        def records() -> Iterator[dict[str, Any]]:
            nonlocal failures
            with progress_bar("reading", len(paths), hidden=stream.isatty()) as advance:
                for path, place in zip(paths, places, strict=True):
                    record = _read(reader, path, ink, min_confidence, place)
                    failures += "error" in record
                    yield record
                    advance(1)

        if fmt == "text":
            for record in records():
                if "error" not in record:
                    stream.write(_text(record, several=len(paths) > 1) + "\n")
                    stream.flush()
        else:
            write_records(records(), fmt, stream, _COLUMNS)
    return 1 if failures else 0


def _read(
    reader: Reader, path: str, ink: Ink, min_confidence: float, place: Path | None
) -> dict[str, Any]:
    """What was read in the picture at `path`, drawn at `place`; or what is wrong, said and kept."""
    from ..errors import DigitsError
    from ..pictures import decode
    from ..records import reading_record

    try:
        picture = decode(sys.stdin.buffer.read() if path == "-" else path, path)
        reading = reader.read(picture, ink, min_confidence)
        if place is not None:
            from ..sketch import annotate, save

            save(annotate(picture, reading), place)
        return reading_record(path, reading)
    except DigitsError as error:
        fail(str(error))
        return {"path": path, "error": str(error)}


def _checked_places(paths: list[str], annotate: Path, overwrite: bool) -> list[Path | None]:
    """Where the drawing of each picture goes, all of them free to write."""
    from ..sketch import check_output

    places = _places(paths, annotate)
    for place in places:
        check_output(place, overwrite)
    return list(places)


def _places(paths: list[str], annotate: Path) -> list[Path]:
    """One name for each picture, whatever folder it came from."""
    if len(paths) == 1 and not annotate.is_dir():
        return [annotate]
    width = len(str(len(paths)))
    names = [Path(path).stem if path != "-" else "stdin" for path in paths]
    alike = len(set(names)) < len(names)
    return [
        annotate / (f"{i:0{width}}-{name}.png" if alike else f"{name}.png")
        for i, name in enumerate(names, 1)
    ]


def _text(record: dict[str, Any], *, several: bool) -> str:
    """The lines alone for one picture, to pipe on; behind the path for several."""
    if not several:
        return str(record["text"])
    return f"{record['path']}: " + (", ".join(record["lines"]) or "no digits")
