"""CSV files with 784 pixels a line, and a label, as Kaggle distributes MNIST."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..arrays import Images, as_images
from ..dataset import Splits, as_dataset
from .packed import DAMAGE, read_unpacked

_REMEDY = "Give lines of a label and 784 pixels: label,pixel0,…,pixel783"
_DELIMITERS = ",;\t"
_LABEL_NAMES = {"label", "labels", "class", "digit", "number", "target", "y"}
_INDEX_NAMES = {"", "index", "id", "imageid", "image_id", "unnamed: 0"}
_PIXELS = 784
_MANGLED = re.compile(r"\d+\.\d+")  # of a header that was made of a row: 0, 0.1, 0.2 for zeros


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.name.lower().endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz")) and path.is_file()


def read(path: Path, name: str) -> Splits:
    """Read lines of a label and 784 pixels.

    The label is in the column with that name, else in the first or the last; a column that counts
    the lines is left out. The delimiter is a comma, a semicolon or a tab. A first line that was
    taken for a header by another program (whose repeated cells it wrote as 0, 0.1, 0.2) is read as
    a line of pixels. See `Reader`.
    """
    table = _read_table(path)
    images, labels = table.pixels(path), table.labels(path)
    if labels is None:
        raise DataError(
            "there are no labels",
            f"Recognize its pictures with `digits predict {path}`, or add a column 'label'",
            path,
        )
    return Splits(name, {"all": as_dataset((images, labels), name)})


def read_images(path: Path) -> Images:
    """The images of a file with or without labels: (n, 28, 28) uint8.

    Raises:
        DataError: If it is damaged or is not such a file.
        OSError: If it cannot be opened.
    """
    return as_images(_read_table(path).pixels(path), f"the images of {path.name}")


@dataclass(frozen=True, eq=False)
class _Table:
    """The numbers of a file, and the names of its columns: none without a header."""

    values: NDArray[np.float32]
    names: Sequence[str]

    def pixels(self, path: Path) -> NDArray[np.float32]:
        """(n, 784) pixel values: all columns but those of labels and line numbers."""
        others = [column for column in (self._label, self._index) if column is not None]
        pixels = np.delete(self.values, others, axis=1)
        if pixels.shape[1] != _PIXELS:
            count = self.values.shape[1]
            raise DataError(f"there are {count} columns instead of 785", _REMEDY, path)
        return pixels

    def labels(self, path: Path) -> NDArray[np.float32] | None:
        """(n,) labels, or None without such a column."""
        if self._label is None:
            return None
        if not self.names and self._may_be_labels(0) and self._may_be_labels(-1):
            raise DataError(
                "both the first and the last column may be the labels",
                "Add a first line that names the column 'label'",
                path,
            )
        return np.asarray(self.values[:, self._label])

    @property
    def _label(self) -> int | None:
        named = [i for i, name in enumerate(self.names) if name in _LABEL_NAMES]
        if named or self.values.shape[1] - (self._index is not None) <= _PIXELS:
            return named[0] if named else None
        first = 0 if self._index is None else 1
        last = self.values.shape[1] - 1
        return last if self._may_be_labels(-1) and not self._may_be_labels(first) else first

    @property
    def _index(self) -> int | None:
        """The column that counts the lines."""
        first = self.values[:, 0]
        counts = len(first) > 1 and bool((np.diff(first) == 1).all())
        named = bool(self.names) and self.names[0] in _INDEX_NAMES
        one_more = self.values.shape[1] == _PIXELS + 2
        return 0 if named or (one_more and counts) else None

    def _may_be_labels(self, column: int) -> bool:
        values = self.values[:, column]
        digits = np.isin(values, range(10)).all()
        return bool(digits and (len(values) == 1 or np.ptp(values) > 0))


def _read_table(path: Path) -> _Table:
    try:
        lines = read_unpacked(path).decode("utf-8-sig").splitlines()
        delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
        first = [
            c.strip().lower() for row in csv.reader(lines[:1], delimiter=delimiter) for c in row
        ]
        names = first if any(not _is_number(cell) for cell in first) else []
        rows = lines[bool(names) :]
        values = (
            np.loadtxt(rows, np.float32, delimiter=delimiter, ndmin=2, quotechar='"')
            if rows
            else np.zeros((0, 0), np.float32)
        )
    except (ValueError, *DAMAGE) as error:
        reason = str(error).splitlines()[0].rstrip(".").removesuffix("; use `usecols`")
        raise DataError(f"the file is not a table of numbers: {reason}", _REMEDY, path) from error
    if not values.size:
        raise DataError("there are no lines of pixels", _REMEDY, path)
    if not names and len(values) > 1 and _was_taken_for_header(first, values[1:]):
        values[0] = np.floor(values[0])
    return _Table(values, names)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _was_taken_for_header(first: Sequence[str], others: NDArray[np.float32]) -> bool:
    """Whether only the first line has fractions, which tell its repeated numbers apart."""
    whole = bool((others == np.rint(others)).all())
    return whole and any(_MANGLED.fullmatch(cell) and not cell.endswith(".0") for cell in first)
