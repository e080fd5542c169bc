"""A sheet with all pictures that were taken in, to look over their labels."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .._io.files import check_writable, refuse_existing, write_bytes
from ..data.arrays import Images, Labels
from ..errors import OutputError
from .doubts import Doubt
from .pictures import IngestResult

MAX_PICTURES = 10_000
"""On one sheet, which then has about 4,000 × 4,000 pixels; more would be hard to look over."""

_MAX_ENLARGED = 1_000  # up to here, each is drawn at twice its size
_MIN_COLUMNS = 16  # wide enough for the heading
_FRAME = 3  # pixels around each picture
_INK, _RED = "#1f2328", "#c04f00"


def check_sheet_output(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise OutputError if a sheet could not be written to `path`; call it before long work."""
    if not os.fspath(path).lower().endswith(".png"):
        raise OutputError(
            "a contact sheet is written as PNG", "Give a name that ends in .png", path
        )
    refuse_existing(path, overwrite)
    check_writable(path)


def save_contact_sheet(
    result: IngestResult, path: str | os.PathLike[str], *, overwrite: bool = True
) -> None:
    """Write `contact_sheet` as a PNG file.

    Raises:
        OutputError: If it cannot be written, or exists and is not to be replaced.
    """
    file = io.BytesIO()
    contact_sheet(result).save(file, "PNG")
    write_bytes(path, file.getvalue(), overwrite=overwrite)


def contact_sheet(result: IngestResult) -> Image.Image:
    """Draw the pictures with their labels, sorted by label, each digit on rows of its own.

    Doubtful ones are framed in red, with the label and the digit that was recognized (- for none)
    below. Of more than `MAX_PICTURES`, the doubtful ones and evenly spaced others are drawn.
    """
    by_path = {doubt.path: doubt for doubt in result.doubts}
    doubts = [by_path.get(path) for path in result.paths]
    labels = result.dataset.labels
    shown = _choose(labels, np.array([doubt is not None for doubt in doubts]))
    scale = 2 if len(shown) <= _MAX_ENLARGED else 1
    columns = max(_MIN_COLUMNS, math.ceil(math.sqrt(1.3 * len(shown))))
    cells = list(_cells(labels[shown], columns))
    sheet = _Sheet(columns, cells[-1][0] + 1, scale)
    heading = f"{len(labels):,} pictures by label"
    if len(shown) < len(labels):
        heading = f"{len(shown):,} of {heading}"
    if result.doubts:
        heading += f"; framed: {len(result.doubts):,} doubtful, with label / recognized digit"
    sheet.heading(heading)
    for i, (row, column) in zip(shown.tolist(), cells, strict=True):
        sheet.draw(row, column, result.dataset.images[i], int(labels[i]), doubts[i])
    return sheet.image


def _choose(labels: Labels, doubtful: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The indices of the pictures to draw, sorted by label."""
    order = np.argsort(labels, kind="stable")
    if len(order) <= MAX_PICTURES:
        return order
    first = order[doubtful[order]][:MAX_PICTURES]
    others = order[~doubtful[order]]
    count = min(MAX_PICTURES - len(first), len(others))
    some = others[np.linspace(0, len(others) - 1, count).astype(int)]
    chosen = np.sort(np.concatenate([first, some]))
    return chosen[np.argsort(labels[chosen], kind="stable")]


def _cells(labels: Labels, columns: int) -> Iterator[tuple[int, int]]:
    """Row and column of each picture; `labels` are sorted."""
    row, column = 0, -1
    for i, label in enumerate(labels):
        column += 1
        if column == columns or (i and label != labels[i - 1]):
            row, column = row + 1, 0
        yield row, column


class _Sheet:
    """An image of cells, each of which has a picture and a caption below it."""

    def __init__(self, columns: int, rows: int, scale: int) -> None:
        self.scale = scale
        self.side = 28 * scale + 2 * _FRAME
        self.font = ImageFont.load_default(6 + 4 * scale)
        self.line = 8 + 5 * scale  # height of a line of text
        size = (columns * self.side, self.line + rows * (self.side + self.line))
        self.image = Image.new("RGB", size, "white")
        self.pen = ImageDraw.Draw(self.image)

    def heading(self, text: str) -> None:
        self.pen.text((_FRAME, 1), text, _INK, self.font)

    def draw(self, row: int, column: int, image: Images, label: int, doubt: Doubt | None) -> None:
        """Draw a picture, black on white."""
        left, top = column * self.side, self.line + row * (self.side + self.line)
        large = (255 - image).repeat(self.scale, 0).repeat(self.scale, 1)
        self.image.paste(Image.fromarray(large), (left + _FRAME, top + _FRAME))
        caption = str(label)
        if doubt:
            digit = doubt.prediction.digit
            caption += f" / {'-' if digit is None else digit}"
            box = (left + 1, top + 1, left + self.side - 2, top + self.side - 2)
            self.pen.rectangle(box, outline=_RED, width=2)
        color = _RED if doubt else _INK
        self.pen.text(
            (left + self.side / 2, top + self.side), caption, color, self.font, anchor="ma"
        )
