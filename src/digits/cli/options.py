"""The options and arguments that several commands have."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .loader import Loader
from .messages import Messages

Function = TypeVar("Function", bound=Callable[..., Any])

MODEL_HELP = (
    "A model file, or dense, cnn or rnn: your own models/MODEL.h5 if there is one, else the "
    "shipped model."
)
INKS = ("auto", "dark", "light")  # of imaging.foreground.Ink, which would import OpenCV here
PATH = click.Path(path_type=Path)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def quiet_option(command: Function) -> Function:
    """-q/--quiet; while the command runs, messages of the library go to stderr."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress, notes or warnings.")
    @functools.wraps(command)
    def wrapped(*args: Any, quiet: bool, **kwargs: Any) -> Any:
        click.get_current_context().meta["quiet"] = quiet
        with Messages(quiet):
            return command(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


def output_option(
    metavar: str, help_text: str, *, required: bool = False, default: Path | None = None
) -> Callable[[Function], Function]:
    """-o/--output."""
    return click.option(
        "-o", "--output", type=PATH, required=required, default=default, metavar=metavar,
        show_default=default is not None, help=help_text,
    )  # fmt: skip


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace existing files.")


def result_options(*formats: str) -> Callable[[Function], Function]:
    """--format, -o/--output and --overwrite; the command gets `fmt`, `output` and `overwrite`."""

    def decorate(command: Function) -> Function:
        command = overwrite_option(command)
        command = output_option("FILE", "Write the results to FILE instead of stdout.")(command)
        return click.option(
            "--format", "fmt", type=click.Choice(formats), default=formats[0], show_default=True,
            help="Format of the results.",
        )(command)  # fmt: skip

    return decorate


def new_file_options(metavar: str) -> Callable[[Function], Function]:
    """-o/--output, which is required, and --overwrite."""

    def decorate(command: Function) -> Function:
        command = overwrite_option(command)
        return output_option(metavar, f"Write to {metavar}.", required=True)(command)

    return decorate


transpose_option = click.option(
    "--transpose", is_flag=True, help="Swap rows and columns of the images."
)


class _Size(click.ParamType):  # type: ignore[type-arg]  # older versions take none
    """A number of bytes: 900MB, 2GB, or a plain number."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)B?", str(value), re.IGNORECASE | re.ASCII)
        size = float(match[1]) * _UNITS[match[2].upper()] if match else 0
        if not 1 <= size < 2**63:
            self.fail(f"{value} is not a size such as 900MB or 2GB.", param, ctx)
        return int(size)


def loading_options(command: Function) -> Function:
    """How data sets are loaded; the command gets a `loader`."""

    @click.option(
        "--data-dir", type=PATH, metavar="FOLDER",
        help="Folder to search first for MNIST, and to download it to.",
    )  # fmt: skip
    @click.option("--invert", is_flag=True, help="Invert the images, of dark ink on light ground.")
    @transpose_option
    @click.option(
        "--max-size", type=_Size(), metavar="SIZE",
        help="Memory that a data set may take, such as 2GB.  [default: 700MB; less for small "
        "packed files]",
    )  # fmt: skip
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        data_dir: Path | None,
        invert: bool,
        transpose: bool,
        max_size: int | None,
        **kwargs: Any,
    ) -> Any:
        loader = Loader(data_dir, invert, transpose, max_size)
        return command(*args, loader=loader, **kwargs)

    return wrapped  # type: ignore[return-value]


def data_options(*, multiple: bool = True) -> Callable[[Function], Function]:
    """--data, and how it is loaded."""
    from ..ingest.sources import DATA_HELP  # commands without data sets need none of it

    def decorate(command: Function) -> Function:
        return click.option(
            "--data", multiple=multiple, default=("auto",) if multiple else "auto", metavar="DATA",
            help=f"{DATA_HELP}{' Repeatable.' if multiple else ''}  [default: auto]",
        )(loading_options(command))  # fmt: skip

    return decorate


def model_option(*, multiple: bool = False) -> Callable[[Function], Function]:
    """-m/--model; if repeatable, the command gets `models`."""
    return click.option(
        "-m", "--model", *(["models"] if multiple else []), multiple=multiple,
        default=("cnn",) if multiple else "cnn", metavar="MODEL",
        help=f"{MODEL_HELP}{' Repeatable.' if multiple else ''}  [default: cnn]",
    )  # fmt: skip


ink_option = click.option(
    "--ink", type=click.Choice(INKS), default="auto", show_default=True,
    help="Color of the ink, relative to the background.",
)  # fmt: skip

pictures_argument = click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")


class _Probability(click.FloatRange):
    """A number from 0 to 1. Click's own range lets NaN through."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not a number from 0 to 1.", param, ctx)
        return number


def min_confidence_option(default: float, help_text: str) -> Callable[[Function], Function]:
    """--min-confidence."""
    return click.option(
        "--min-confidence", type=_Probability(), default=default, show_default=True,
        metavar="P", help=help_text,
    )  # fmt: skip


def show_option(help_text: str) -> Callable[[Function], Function]:
    """--show."""
    return click.option("--show", type=PATH, metavar="FILE", help=help_text)


def seed_option(what: str) -> Callable[[Function], Function]:
    """--seed, the random seed of `what`."""
    return click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
        help=f"Random seed of {what}.",
    )  # fmt: skip


def limit_option(help_text: str) -> Callable[[Function], Function]:
    """--limit."""
    return click.option("--limit", type=click.IntRange(1), metavar="N", help=help_text)


def split_option(default: str) -> Callable[[Function], Function]:
    """--split."""
    return click.option(
        "--split", type=click.Choice(["train", "test", "all"]), default=default,
        show_default=True, help="Part of the data set; an unsplit set is used whole.",
    )  # fmt: skip
