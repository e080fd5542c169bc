"""Data sets by name or path."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .._io.files import read_error
from ..data.formats import FORMATS as ARRAY_FORMATS
from ..data.formats import Format
from ..errors import DataError

if TYPE_CHECKING:
    from ..data.dataset import Splits
    from ..data.download import ProgressBar

log = logging.getLogger(__name__)

NAMES = ("auto", "mnist", "sample")

FORMATS = (*ARRAY_FORMATS, Format("a folder of pictures", "digits.ingest.folder"))
"""All formats; the first that matches reads the data set."""

_FORMATS_HELP = ", ".join(f.help for f in FORMATS[:-1]) + f" or {FORMATS[-1].help}"
DATA_HELP = f"{', '.join(NAMES)}, or a path: {_FORMATS_HELP}."
"""What `load` takes, for the help of `--data`."""


def load(
    data: str | os.PathLike[str] = "auto",
    data_dir: str | os.PathLike[str] | None = None,
    progress: ProgressBar | None = None,
    *,
    invert: bool = False,
    transpose: bool = False,
    max_size: int | None = None,
) -> Splits:
    """Load a data set by name or path.

    Args:
        data: `mnist`: all 70,000 images. `sample`: 5,000 of them that are installed with this
            package, split 4,000 / 1,000. `auto`: `mnist` if it is found or can be downloaded,
            else `sample` with a logged warning. Or the path of a data set in one of the `FORMATS`;
            a name never falls back to something else.
        data_dir: Folder to look for MNIST in before $DIGITS_DATA, ./data and the Keras cache, and
            to download it to.
        progress: Called with the number of bytes if MNIST is downloaded; returns a function that
            is called with the size of each piece.
        invert: Invert the images, for a set of dark ink on light ground.
        transpose: Swap rows and columns of the images, which EMNIST's files have swapped.
        max_size: Bytes of memory that the arrays may take, unpacked. By default 700 million; less
            for small files, which unpack to that only if they are made to do harm.

    A set from a path that seems to need this, or has other flaws, gets a logged warning.

    Raises:
        DataError: If the data set is not found or cannot be read.
    """
    splits = _load(data, data_dir, progress, max_size)
    if invert or transpose:
        from ..data.dataset import mended

        splits = mended(splits, invert, transpose)
    if data not in NAMES:
        from .flaws import warn_of_flaws

        warn_of_flaws(splits)
    return splits


def _load(
    data: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None,
    progress: ProgressBar | None,
    max_size: int | None,
) -> Splits:
    if data not in NAMES:
        return _read(Path(data), max_size)
    from ..data.mnist import load_mnist, load_sample  # NumPy: `--help` imports this module

    if data == "sample":
        return load_sample()
    try:
        return load_mnist(data_dir, progress, max_size)
    except DataError as error:
        if data == "mnist":
            raise
        log.warning(
            "%s%s; using 'sample' instead: 4,000 digits to learn from, not 60,000, "
            "so expect about 3 points less accuracy",
            f"{error.path}: " if error.path else "", error.problem,
        )  # fmt: skip
        return load_sample()


def _read(path: Path, max_size: int | None) -> Splits:
    try:
        if not path.exists():
            raise DataError("it does not exist", f"Give {DATA_HELP.rstrip('.')}", path)
        name = path.name or path.resolve().name or str(path)
        for each in FORMATS:
            if each.reader.matches(path):
                return each.reader.read(path, name, max_size)
    except DataError as error:
        raise error if error.path else DataError(error.problem, error.remedy, path) from error
    except OSError as error:
        raise read_error(DataError, error.filename or path, error) from error
    except MemoryError as error:
        problem = "there is not enough memory to read it"
        raise DataError(problem, "Free some memory, or split it", path) from error
    raise DataError("this is not a data set", f"Give {_FORMATS_HELP}", path)
