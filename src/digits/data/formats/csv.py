"""CSV files with 784 pixels a line, and a label, as Kaggle distributes MNIST."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..arrays import Images, as_images
from ..dataset import Dataset, Splits, as_dataset
from .limits import SizeLimit
from .names import LABEL_NAMES
from .packed import DAMAGE, open_unpacked

_REMEDY = "Give lines of a label and 784 pixels: label,pixel0,…,pixel783"
DELIMITERS = ",;\t"
_INDEX_NAMES = {"", "index", "id", "imageid", "image_id", "unnamed: 0"}
PIXELS = 784
_BLOCK = 4 << 20  # characters read at a time: about 2,000 lines
_ROWS = 4096  # moved at a time
_SHORT_LINES = 1000  # empty ones, for example; all others have 784 cells and delimiters
_MANGLED = re.compile(r"\d+\.\d+")  # of a header that was made of a row: 0, 0.1, 0.2 for zeros


def matches(path: Path) -> bool:
    """See `Reader`."""
    return has_suffix(path.name) and path.is_file()


def has_suffix(name: str) -> bool:
    """Whether a file of this name may hold lines of pixels."""
    return name.lower().endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz"))


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read lines of a label and 784 pixels.

    The label is in the column with that name, else in the first or the last; a column that counts
    the lines is left out. The delimiter is a comma, a semicolon or a tab. A first line that was
    taken for a header by another program (whose repeated cells it wrote as 0, 0.1, 0.2) is read as
    a line of pixels. See `Reader`.
    """
    return Splits(name, {"all": read_part(path, name, SizeLimit([path], max_size))})


class NoLabelsError(DataError):
    """A file of pixels alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "there are no labels",
            f"Recognize its pictures with `digits predict {path}`, or add a column 'label'",
            path,
        )


def read_part(path: Path, name: str, limit: SizeLimit) -> Dataset:
    """Read one file. Arguments and errors as of `read`, or NoLabelsError."""
    table = _read_table(path, limit)
    labels = table.labels(path)
    if labels is None:
        raise NoLabelsError(path)
    return as_dataset((table.pixels(), labels), name)


def read_images(path: Path) -> Images:
    """The images of a file with or without labels: (n, 28, 28) uint8.

    Raises:
        DataError: If it is damaged or is not such a file.
        OSError: If it cannot be opened.
    """
    table = _read_table(path, SizeLimit([path], None, "Split it into smaller files"))
    return as_images(table.pixels(), f"the images of {path.name}")


@dataclass(frozen=True)
class _Layout:
    """What the first lines tell of all.

    Attributes:
        delimiter: Between the cells.
        names: Of the columns, in lower case; none without a header.
        counted: Whether the first column counts the lines; it is left out.
    """

    delimiter: str
    names: Sequence[str]
    counted: bool = False

    @property
    def label(self) -> int | None:
        """The column that is named as the label, among those that are not left out."""
        names = self.names[self.counted :]
        return next((i for i, name in enumerate(names) if name in LABEL_NAMES), None)

    def parse(self, lines: Sequence[str], dtype: type[np.number[Any]]) -> NDArray[Any]:
        """(n, columns) values. Raises ValueError if a cell is no number of this dtype."""
        if self.counted:
            lines = [line.partition(self.delimiter)[2] for line in lines]
        return np.loadtxt(lines, dtype, delimiter=self.delimiter, ndmin=2, quotechar='"')


@dataclass(frozen=True, eq=False)
class _Table:
    """The numbers of a file, without the column that counts the lines."""

    values: NDArray[Any]
    layout: _Layout

    def labels(self, path: Path) -> NDArray[Any] | None:
        """(n,) labels, or None without such a column."""
        if self._label is None:
            return None
        if not self.layout.names and self._may_be_labels(0) and self._may_be_labels(-1):
            raise DataError(
                "both the first and the last column may be the labels",
                "Add a first line that names the column 'label'",
                path,
            )
        return self.values[:, self._label].copy()

    def pixels(self) -> NDArray[Any]:
        """(n, 784) pixel values, in the memory of the table, which is used up.

        Nothing but 0 and 1 are truth values: white or not.
        """
        pixels = self.values if self._label is None else self._without(self._label)
        is_binary = pixels.dtype == np.uint8 and pixels.max(initial=0) <= 1
        return pixels.view(np.bool_) if is_binary else pixels

    def _without(self, column: int) -> NDArray[Any]:
        count, pixels = len(self.values), self.values.reshape(-1)
        for start in range(0, count, _ROWS):  # each goes to before where it was
            rows = np.delete(self.values[start : start + _ROWS], column, axis=1)
            pixels[start * PIXELS : start * PIXELS + rows.size] = rows.reshape(-1)
        return pixels[: count * PIXELS].reshape(count, PIXELS)

    @cached_property
    def _label(self) -> int | None:
        if self.values.shape[1] == PIXELS:
            return None
        if self.layout.label is not None and self.layout.label <= PIXELS:
            return self.layout.label
        return PIXELS if self._may_be_labels(-1) and not self._may_be_labels(0) else 0

    def _may_be_labels(self, column: int) -> bool:
        values = self.values[:, column]
        digits = np.isin(values, range(10)).all()
        return bool(digits and (len(values) == 1 or np.ptp(values) > 0))


def _read_table(path: Path, limit: SizeLimit) -> _Table:
    rows = _Rows()
    layout: _Layout | None = None
    try:
        with open_unpacked(path) as file:
            for lines in filter(None, _blocks(file)):
                if layout is None:
                    layout, block = _begin(lines)
                else:
                    block = _parse(layout, lines)
                width = block.shape[1]
                if width not in (PIXELS, PIXELS + 1):
                    problem = f"there are {width + layout.counted} columns instead of 785"
                    raise DataError(problem, _REMEDY, path)
                limit.count(rows.add(block), path)
    except (ValueError, *DAMAGE) as error:
        reason = re.split(" at row |; use `usecols`", str(error).splitlines()[0])[0].rstrip(".")
        raise DataError(f"the file is not a table of numbers: {reason}", _REMEDY, path) from error
    if layout is None or not len(rows.values):
        raise DataError("there are no lines of pixels", _REMEDY, path)
    return _Table(rows.values, layout)


class _Rows:
    """The rows of a table: a byte for each cell, unless there are other numbers."""

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.empty((0, 0), np.uint8)

    def add(self, block: NDArray[Any]) -> int:
        """Append rows. The memory grows in place, so that there is never a second copy.

        Returns:
            By how many bytes it grows.

        Raises:
            ValueError: They have another number of columns.
        """
        before = self.values.nbytes
        if self.values.dtype == np.uint8 and not _is_whole(block, 255):
            self.values = self.values.astype(np.float32)
        count = len(self.values)
        if count and block.shape[1] != self.values.shape[1]:
            raise ValueError("the number of columns changes")
        self.values.resize((count + len(block), block.shape[1]), refcheck=False)
        self.values[count:] = block
        return self.values.nbytes - before


def _blocks(file: IO[bytes]) -> Iterator[list[str]]:
    """The lines that are not empty, a few thousand at a time.

    Raises:
        ValueError: They are not text, or cannot be lines of 784 numbers.
    """
    rest, encoding, more = b"", "utf-8-sig", True
    while more:
        piece = file.read(_BLOCK)
        content, more = rest + piece, len(piece) == _BLOCK
        end = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1 if more else len(content)
        content, rest = content[:end], content[end:]
        if len(rest) > _BLOCK:
            raise ValueError("a line is too long")
        if content:
            yield _lines(content, encoding)
            encoding = "utf-8"


def _lines(content: bytes, encoding: str) -> list[str]:
    lines = content.decode(encoding).splitlines()
    if len(lines) > _SHORT_LINES + len(content) // PIXELS:  # without this, they would take minutes
        raise ValueError("the lines are too short")
    return [line for line in lines if line and not line.isspace()]


def _begin(lines: list[str]) -> tuple[_Layout, NDArray[Any]]:
    """The layout, and the rows of the first block. Raises ValueError if they are not numbers."""
    delimiter = max(DELIMITERS, key=lines[0].count)
    first = [c.strip().lower() for row in csv.reader(lines[:1], delimiter=delimiter) for c in row]
    counted = first == [str(number) for number in range(len(first))]
    names = first if counted or any(not _is_number(cell) for cell in first) else []
    lines = lines[bool(names) :]
    layout = _Layout(delimiter, names)
    if not lines:
        return layout, np.empty((0, PIXELS), np.uint8)
    values = layout.parse(lines, np.float32)
    if not names and len(values) > 1 and _was_taken_for_header(first, values[1:]):
        values[0] = np.floor(values[0])
    named = bool(names) and names[0] in _INDEX_NAMES
    counts = len(values) > 1 and bool((np.diff(values[:, 0]) == 1).all())
    if named or (values.shape[1] == PIXELS + 2 and counts):
        return replace(layout, counted=True), values[:, 1:]
    return layout, values


def _parse(layout: _Layout, lines: Sequence[str]) -> NDArray[Any]:
    """The rows of a further block; whole numbers are parsed six times as fast as others."""
    try:
        if not any("." in line for line in lines):
            return layout.parse(lines, np.uint8)
    except ValueError:  # larger numbers, or none
        pass
    return layout.parse(lines, np.float32)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_whole(values: NDArray[Any], high: float = np.inf) -> bool:
    """Whether there are only whole numbers from 0 to `high`."""
    if values.dtype == np.uint8:
        return True
    return bool(((values >= 0) & (values <= high) & (values == np.rint(values))).all())


def _was_taken_for_header(first: Sequence[str], others: NDArray[np.float32]) -> bool:
    """Whether only the first line has fractions, which tell its repeated numbers apart."""
    fractions = any(_MANGLED.fullmatch(cell) and not cell.endswith(".0") for cell in first)
    return fractions and _is_whole(others)
