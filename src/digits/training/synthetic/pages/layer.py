"""The ink on a page: what is of digits, and of which, and what is not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .hands import Hand, Hands
from .sampler import Cover, polyline

MAX_DIGITS = 200
"""On one page; their numbers are kept in a byte."""

_OWNED = 90  # of 255: a paler pixel of a stroke belongs to nobody
_MIN_VISIBLE = 0.8  # of a digit's ink: less, and nobody is asked which digit it is
_MIN_SEEN = 0.3  # of it: less is no digit


@dataclass(frozen=True)
class PageDigit:
    """A digit on a page.

    Attributes:
        label: 0 to 9, or -1 for one that is cut off at the edge and counts neither way.
        box: Left, top, right, bottom of its ink in pixels; right and bottom exclusive.
        line: The line that it is in, from top to bottom.
        order: Its place in the line.
        number: Its number in `owner`.
    """

    label: int
    box: tuple[int, int, int, int]
    line: int
    order: int
    number: int


class Layer:
    """Ink while a page is written.

    Attributes:
        ink: (height, width) uint8, the share of each pixel that is covered by any ink.
        mask: The same of digits alone, with the middle of thin strokes brought to 255.
        owner: The number of the digit that a pixel belongs to, from 1; 0 for none.
        digits: (label, line, order) of digit number i + 1.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.ink = np.zeros(shape, np.uint8)
        self.mask = np.zeros(shape, np.uint8)
        self.owner = np.zeros(shape, np.uint8)
        self.digits: list[tuple[int, int, int]] = []
        self.totals: list[int] = []

    def put(
        self,
        cover: Cover,
        place: tuple[float, float, float, float],
        digit: tuple[int, int, int] | None = None,
    ) -> None:
        """Merge a glyph into the page.

        Args:
            cover: As `Hands` gives it.
            place: Left, top, width, height in pixels; it may lie partly outside.
            digit: Label, line and order; None for what is no digit.
        """
        x, y, wide, high = (round(value) for value in place)
        wide, high = max(wide, 1), max(high, 2)
        shrinks = high < cover.shape[0]
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(cover, (wide, high), interpolation=way), np.uint8)
        height, width = self.ink.shape
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + wide, width), min(y + high, height)
        if right <= left or bottom <= top or (digit and len(self.digits) >= MAX_DIGITS):
            return
        part = small[top - y : bottom - y, left - x : right - x]
        area = np.s_[top:bottom, left:right]
        np.maximum(self.ink[area], part, out=self.ink[area])
        if digit is None:
            return
        gain = 255 / max(64, 0.9 * int(small.max()))
        full = cv2.convertScaleAbs(small, alpha=max(1.0, gain))
        strokes = full[top - y : bottom - y, left - x : right - x]
        self.digits.append(digit)
        self.totals.append(int((full >= _OWNED).sum()))
        own = (strokes >= _OWNED) & (strokes >= self.mask[area])
        self.owner[area][own] = len(self.digits)
        np.maximum(self.mask[area], strokes, out=self.mask[area])

    def place_mask(self, cover: Cover, corner: tuple[int, int], label: int) -> None:
        """Note a digit that is drawn elsewhere: its ink, whole, with its left top at `corner`."""
        left, top = corner
        area = np.s_[top : top + cover.shape[0], left : left + cover.shape[1]]
        self.digits.append((label, 0, 0))
        self.totals.append(int((cover >= _OWNED).sum()))
        self.mask[area] = cover
        self.owner[area][cover >= _OWNED] = len(self.digits)

    def stroke(self, points: NDArray[np.floating], thickness: float) -> None:
        """A line of the pen that is no digit: a dash, a joining stroke, a point."""
        polyline(self.ink, points, thickness)


def visible(owner: Cover, layer: Layer) -> tuple[list[PageDigit], Cover]:
    """The digits that are left after the page was cut, and which pixels are of none that counts.

    Args:
        layer: The layer of digits.
        owner: `layer.owner` after the cut; numbers of digits that can hardly be seen become 0.

    Returns:
        The digits, and `owner` without those that cannot be seen.
    """
    rows, columns = np.nonzero(owner)
    if not len(rows):
        return [], owner
    numbers = owner[rows, columns]
    order = np.argsort(numbers, kind="stable")
    numbers, rows, columns = numbers[order], rows[order], columns[order]
    present, starts = np.unique(numbers, return_index=True)
    digits = []
    gone = np.arange(256, dtype=np.uint8)
    ends = np.append(starts[1:], len(numbers))
    for number, start, end in zip(present.tolist(), starts.tolist(), ends.tolist(), strict=True):
        label, line, place = layer.digits[number - 1]
        share = (end - start) / max(1, layer.totals[number - 1])
        x, y = columns[start:end], rows[start:end]
        if share < _MIN_SEEN or y[-1] - y[0] < 4:
            gone[number] = 0
            continue
        box = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
        kept = label if share >= _MIN_VISIBLE else -1
        digits.append(PageDigit(kept, box, line, place, number))
    return digits, gone[owner]


def dot(layer: Layer, x: float, y: float, radius: float) -> None:
    """A point of the pen."""
    center = (round(x * 16), round(y * 16))
    cv2.circle(layer.ink, center, max(8, round(radius * 16)), 255, -1, cv2.LINE_AA, 4)


def put_digit(
    layer: Layer,
    hands: Hands,
    hand: Hand,
    label: int,
    place: tuple[float, float, float],
    line: tuple[int, int],
) -> float:
    """Write one digit.

    Args:
        layer: Where to.
        hands: The pool of glyphs.
        hand: Who writes.
        label: The digit.
        place: Left, top, height in pixels.
        line: Number of the line, and the place in it.

    Returns:
        Its width in pixels.
    """
    cover = hands.digit(label, hand)
    left, top, height = place
    stretch = hand.width * float(np.exp(hands.sampler.normal(0, 0.08)))
    width = min(height * cover.shape[1] / cover.shape[0] * stretch, 1.7 * height)
    layer.put(cover, (left, top, width, height), (label, *line))
    return float(width)
