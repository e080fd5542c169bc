"""Folders with a CSV file for train and one for test, as Kaggle and GitHub hand MNIST out."""

from __future__ import annotations

import logging
from pathlib import Path

from ..dataset import Splits
from . import csv
from .csv import DELIMITERS, PIXELS, NoLabelsError
from .limits import SizeLimit
from .names import part_of
from .packed import DAMAGE, open_unpacked

_MAX_LINE = 100_000  # bytes of a header or a row

log = logging.getLogger(__name__)


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.is_dir() and bool(_parts_in(path))


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read the files of train and test; one without labels is left out, with a warning.

    See `Reader`.
    """
    files = _parts_in(path)
    limit = SizeLimit(files.values(), max_size)
    parts = {}
    for part, file in files.items():
        try:
            parts[part] = csv.read_part(file, f"{name} {part}", limit)
        except NoLabelsError as error:  # a competition's test set
            log.warning("%s: %s, so it is left out. %s", file, error.problem, error.remedy)
    if not parts:
        raise NoLabelsError(path)
    return Splits(name, parts)


def _parts_in(folder: Path) -> dict[str, Path]:
    """The files of train and test in a folder; none if more than one may be either."""
    try:
        tables = sorted(path for path in folder.iterdir() if csv.matches(path))
    except OSError:  # whoever reads it reports it
        return {}
    files = [path for path in tables if _is_wide(path)]
    parts = {part_of(path): path for path in files}
    return parts if "all" not in parts and len(parts) == len(files) else {}


def _is_wide(path: Path) -> bool:
    """Whether the first line has a cell for each pixel, and is no list of names and labels."""
    try:
        with open_unpacked(path) as file:
            line = file.readline(_MAX_LINE).decode(errors="replace")
    except (OSError, *DAMAGE):
        return False
    return any(line.count(delimiter) >= PIXELS - 1 for delimiter in DELIMITERS)
