"""What several commands share: options, output, notes and progress."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from ..files import refuse_existing, replacing

Function = TypeVar("Function", bound=Callable[..., Any])


def quiet_option(command: Function) -> Function:
    """-q, and the notes and warnings of the library on stderr (see `_Notes`)."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress, notes or warnings.")
    @functools.wraps(command)
    def wrapped(*args: Any, quiet: bool, **kwargs: Any) -> Any:
        click.get_current_context().meta["quiet"] = quiet
        with _Notes(quiet):
            return command(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")


def output_options(*formats: str) -> Callable[[Function], Function]:
    """--format, -o and --overwrite; the command gets `fmt`, `output` and `overwrite`."""

    def decorate(command: Function) -> Function:
        for option in (
            click.option("--overwrite", is_flag=True, help="Replace FILE when it exists."),
            click.option(
                "-o",
                "--output",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Write the results to FILE instead of stdout.",
            ),
            click.option(
                "--format",
                "fmt",
                type=click.Choice(formats),
                default=formats[0],
                show_default=True,
                help="How to write the results.",
            ),
        ):
            command = option(command)
        return command

    return decorate


def data_options(*, multiple: bool = True) -> Callable[[Function], Function]:
    """--data and --data-dir."""

    def decorate(command: Function) -> Function:
        command = click.option(
            "--data-dir",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Look for MNIST here first; download it to here.",
        )(command)
        return click.option(
            "--data",
            multiple=multiple,
            default=("auto",) if multiple else "auto",
            metavar="DATA",
            help="auto, mnist, sample, or a path: npz, csv, a folder of idx files or of pictures."
            + (" May be given several times." if multiple else "")
            + "  [default: auto]",
        )(command)

    return decorate


model_option = click.option(
    "-m",
    "--model",
    default="cnn",
    metavar="MODEL",
    help="A model file, or dense, cnn or rnn: your own models/MODEL.h5 where there is one, else "
    "the shipped one.  [default: cnn]",
)

ink_option = click.option(
    "--ink", type=click.Choice(["auto", "dark", "light"]), default="auto", show_default=True,
    help="Whether the ink is darker or lighter than the ground.",
)  # fmt: skip


pictures_argument = click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")


def min_confidence_option(default: float, what: str) -> Callable[[Function], Function]:
    """--min-confidence; `what` happens to a digit that is less sure."""
    return click.option(
        "--min-confidence", type=click.FloatRange(0, 1), default=default, show_default=True,
        metavar="P", help=what,
    )  # fmt: skip


def seed_option(what: str) -> Callable[[Function], Function]:
    """--seed, which decides `what`."""
    return click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
        help=f"Decides {what}.",
    )  # fmt: skip


def split_option(default: str) -> Callable[[Function], Function]:
    """--split: which part of a data set."""
    return click.option(
        "--split", type=click.Choice(["train", "test", "all"]), default=default,
        show_default=True, help="Which part; a set without parts is taken whole.",
    )  # fmt: skip


def new_file(metavar: str) -> Callable[[Function], Function]:
    """-o, which must be given, and --overwrite."""

    def decorate(command: Function) -> Function:
        return click.option(
            "-o", "--output", type=click.Path(path_type=Path), required=True, metavar=metavar,
            help=f"Write to {metavar}.",
        )(overwrite_option(command))  # fmt: skip

    return decorate


@contextlib.contextmanager
def result_stream(output: Path | None, overwrite: bool) -> Iterator[IO[str]]:
    """Where results go: stdout, or a file that appears whole or not at all."""
    if output is None:
        yield sys.stdout
        return
    refuse_existing(output, overwrite)
    with (
        replacing(output) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def write_records(
    records: Iterable[Mapping[str, Any]], fmt: str, stream: IO[str], columns: Sequence[str] = ()
) -> None:
    """Write `records` as they come: as a JSON list, as JSON lines, or as csv with `columns`."""
    if fmt == "csv":
        import csv

        rows = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        for record in records:
            rows.writerow(record)
            stream.flush()
        return
    if fmt == "jsonl":
        for record in records:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
        return
    between = "[\n"
    for record in records:
        stream.write(between + json.dumps(record))
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def is_live() -> bool:
    """Whether a person watches stderr and wants to see progress."""
    quiet = click.get_current_context().meta.get("quiet", False)
    return bool(sys.stderr.isatty() and not quiet)


@contextlib.contextmanager
def progress_bar(
    label: str, total: int | None = None, *, hidden: bool = False
) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields what to call with the number of pictures newly done."""
    if hidden or not is_live():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)


@contextlib.contextmanager
def download_bar() -> Iterator[Callable[[int], Callable[[int], None]] | None]:
    """A bar for the bytes of a download; nothing is drawn unless one begins."""
    if not is_live():
        yield None
        return
    with contextlib.ExitStack() as stack:

        def begin(total: int) -> Callable[[int], None]:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            columns = (TextColumn("downloading MNIST"), BarColumn(), DownloadColumn())
            progress = stack.enter_context(
                Progress(*columns, console=Console(stderr=True), transient=True)
            )
            task = progress.add_task("", total=total)
            return lambda count: progress.advance(task, count)

        yield begin


def load_data(data: Sequence[str], data_dir: Path | None) -> list[Any]:
    """The data sets named on the command line, with a bar when one is downloaded."""
    from ..data.sources import load

    with download_bar() as bar:
        return [load(name, data_dir, bar) for name in data]


def fail(message: str) -> None:
    """Say in one line what failed."""
    click.echo(f"Error: {message}", err=True)


def printable(text: Any) -> str:
    """`text` without what could steer a terminal; a file may hold anything."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def note(message: str) -> None:
    """Say something on stderr that is good to know."""
    logging.getLogger("digits").info(message)


class _Notes(logging.Handler):
    """Library messages on stderr: warnings unless -q, notes only to a terminal."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        live = sys.stderr.isatty()
        self.setLevel(logging.ERROR if quiet else logging.INFO if live else logging.WARNING)
        self.logger = logging.getLogger("digits")

    def emit(self, record: logging.LogRecord) -> None:
        kind = "Warning" if record.levelno >= logging.WARNING else "Note"
        click.echo(f"{kind}: {record.getMessage()}.", err=True)

    def __enter__(self) -> None:
        self.logger.addHandler(self)
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False

    def __exit__(self, *_: object) -> None:
        self.logger.removeHandler(self)
        self.logger.propagate = True
