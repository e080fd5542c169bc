"""Remove ruled lines from a mask: ruled and squared paper, form boxes, underlines.

A ruled line differs from a stroke in its length: a straight thin line much longer than the writing
is tall is no part of a digit. It is erased, but not where a stroke crosses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import Gray

Mask = NDArray[np.bool_]

INKED = 100
"""Of 255; a paler pixel of a mask belongs to a soft edge."""

_LONG = 1.6  # heights of the writing: a longer line is a ruled line
_LONG_VERTICAL = 1.15  # the same for the sides of a box, between ruled lines
_SPAN = 0.9  # of the picture's side: a longer line spans it
_PEN = 0.45  # of the stroke width: a line that spans less must be thinner
_MANY = 3  # lines that are no strokes of one digit; components that are no parts of one
_MARGIN = 0.08  # of its length, by which a ruled line is longer than what stands on it
_MAX_LINES = 100  # the longest; more are not examined
_MIN_LENGTH = 24  # pixels
_MIN_COVER = 0.93  # of its columns hold ink
_SLOPES = np.linspace(-0.12, 0.12, 49)
_MAX_THICKNESS = 0.06  # of its length
_REMNANT = 0.15  # of the largest component: what is smaller and on an erased line goes too


@dataclass(frozen=True)
class _Line:
    """A straight thin horizontal line: its columns from `start` on, with a center row for each."""

    start: int
    centers: NDArray[np.float64]
    thickness: float

    @property
    def length(self) -> int:
        return len(self.centers)

    def band(self, shape: tuple[int, int], more: float = 1.5) -> Mask:
        """The pixels that it covers, and `more` on either side."""
        rows = np.arange(shape[0])[:, None]
        covered = np.zeros(shape, bool)
        near = np.abs(rows - self.centers) <= self.thickness / 2 + more
        covered[:, self.start : self.start + self.length] = near
        return covered


def stroke_width(mask: Gray) -> float:
    """Width of the strokes of a mask, in pixels: twice its area over the length of its edge."""
    inked = (mask > INKED).astype(np.uint8)
    area = int(np.count_nonzero(inked))
    edge = area - int(np.count_nonzero(cv2.erode(inked, np.ones((3, 3), np.uint8))))
    return 2 * area / max(1, edge)


def without_ruled_lines(mask: Gray) -> Gray:
    """The mask (height, width) uint8 without ruled lines; itself if there are none."""
    inked = mask > INKED
    pen = _PEN * stroke_width(mask)
    lines, vertical = _lines(inked, pen), _lines(inked.T, pen)
    if not lines and not vertical:
        return mask
    tall = _writing_height(inked, lines, vertical)
    if not tall:
        return mask
    wide = _SPAN * inked.shape[1]
    ruled = [x for x in lines if x.length > tall * (_LONG if x.length > wide else 2 * _LONG)]
    strokes = _vertical_strokes(vertical, ruled, tall, inked.shape)
    if not ruled and not strokes:
        return mask
    left = _erased(_erased(inked, ruled).T, strokes).T
    gone = _bands(ruled, inked.shape) | _bands(strokes, inked.T.shape).T
    return _without_remnants(mask, left, gone)


def _lines(inked: Mask, thinnest_pen: float) -> list[_Line]:
    """The straight, thin, nearly horizontal lines.

    Those that do not span the picture must be thinner than the pen: no row of digits' feet.
    """
    least = max(_MIN_LENGTH, inked.shape[1] // 12)
    thick = cv2.dilate(inked.astype(np.uint8), np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    runs = np.where(inked, runs, 0)
    if not runs.any():
        return []
    # Gaps, as where a stroke crosses a pale line, do not end it.
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, least), np.uint8))
    labels, stats = connected_components(joined > 0)
    found = []
    widest = np.argsort(-stats[1:, cv2.CC_STAT_WIDTH], kind="stable")[:_MAX_LINES] + 1
    for label in widest.tolist():
        left, top, width, height, _ = stats[label].tolist()
        if width < max(2 * least, _SPAN / 2 * inked.shape[1]):
            break
        own = runs[top : top + height, left : left + width] > 0
        own &= labels[top : top + height, left : left + width] == label
        line = _line(own, left, top)
        if line is None:
            continue
        share = line.length / inked.shape[1]
        if share > _SPAN or (share > _SPAN / 2 and line.thickness < thinnest_pen):
            found.append(line)
    return found


def _line(own: Mask, left: int, top: int) -> _Line | None:
    """The line that the pixels `own` form, if they do; some may be of strokes that touch it."""
    rows, columns = np.nonzero(own)
    width = own.shape[1]
    slope, level, met = _agreed(own)
    if met < _MIN_COVER * width:
        return None
    off = rows - (slope * columns + level)
    near = np.abs(off) <= max(2.0, _MAX_THICKNESS * width / 2)
    counts = np.bincount(columns[near], minlength=width)
    # Strokes that run into the line make it thicker, and only ever thicker.
    thickness = float(np.quantile(counts[counts > 0], 0.3))
    if thickness > max(3, _MAX_THICKNESS * width):
        return None
    inside = np.abs(off) <= thickness
    total = np.bincount(columns[inside], minlength=width)
    sums = np.bincount(columns[inside], weights=off[inside], minlength=width)
    # Paper is not quite flat: the line may bow by less than its thickness.
    window = np.ones(2 * (width // 8) + 1)
    bow = np.convolve(sums, window, "same") / np.maximum(np.convolve(total, window, "same"), 1)
    centers = top + level + slope * np.arange(width) + bow
    return _Line(left, np.asarray(centers, float), thickness)


def _agreed(own: Mask) -> tuple[float, int, int]:
    """The slope and level of the line that most columns meet, and how many do.

    A Hough transform, of the runs of ink in each column instead of its pixels. A run meets the
    levels from its first to its last pixel, and one more at each end: that is near enough.
    """
    # Two runs with one pixel between them are one, or that pixel's level would count twice.
    padded = np.pad(own, ((2, 2), (0, 0))).astype(np.uint8)
    filled = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    steps = np.diff(filled.T.astype(np.int8))
    columns, firsts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)  # one past the last
    rise = np.floor(_SLOPES[:, None] * columns + 0.5).astype(int)
    firsts, ends = firsts - 1 - rise, ends + 1 - rise
    low = int(firsts.min())
    levels = int(ends.max()) - low + 1
    of_slope = np.arange(len(_SLOPES))[:, None] * levels - low
    size = levels * len(_SLOPES)
    begun = np.bincount((firsts + of_slope).ravel(), minlength=size)
    over = np.bincount((ends + of_slope).ravel(), minlength=size)
    counts = np.cumsum((begun - over).reshape(len(_SLOPES), levels), axis=1)
    best = int(counts.max(axis=1).argmax())
    met = int(counts[best].max())
    level = int(np.median(np.flatnonzero(counts[best] == met))) + low - 1  # of the padding
    return float(_SLOPES[best]), level, met


def _bands(lines: Sequence[_Line], shape: tuple[int, int], more: float = 1.5) -> Mask:
    covered = np.zeros(shape, bool)
    for line in lines:
        covered |= line.band(shape, more)
    return covered


def connected_components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """A label for each pixel, and left, top, width, height, area of each component."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(labels), np.asarray(stats)


def _edge(shape: tuple[int, int]) -> Mask:
    edge = np.ones(shape, bool)
    edge[2:-2, 2:-2] = False
    return edge


def _writing_height(inked: Mask, lines: Sequence[_Line], vertical: Sequence[_Line]) -> int:
    """How tall the tallest digit is, in pixels; 0 when nothing but lines can be told.

    Best known from components that touch neither a line nor the edge of the picture. Where all do,
    it takes many lines, as of a box, or many components, as of a row: else a line is a stroke of a
    digit that fills its picture. Then those count that are not mainly vertical lines themselves.
    """
    rest = inked & ~_bands(lines, inked.shape)
    labels, stats = connected_components(rest)
    count = len(stats)
    touching = np.zeros(count, bool)
    touching[np.unique(labels[_bands(lines, inked.shape, 3.5) | _edge(inked.shape)])] = True
    upright = np.bincount(labels[_bands(vertical, inked.T.shape).T], minlength=count)
    areas, heights = stats[:, cv2.CC_STAT_AREA], stats[:, cv2.CC_STAT_HEIGHT]
    digits = np.arange(count) > 0
    for chosen in (digits & ~touching, digits & (upright < 0.6 * areas)):
        large = chosen & (areas >= 0.1 * areas[chosen].max(initial=1))
        few = len(lines) + len(vertical) < _MANY and np.count_nonzero(large) <= _MANY
        if large[touching].any() and few and not _stands_on(rest, lines):
            return 0
        if heights[large].max(initial=0) >= 8:
            return int(heights[large].max())
    return 0


def _stands_on(rest: Mask, lines: Sequence[_Line]) -> bool:
    """Whether each line goes on to the left and to the right of what stands on it."""
    columns = np.flatnonzero(rest.any(axis=0))
    if not len(columns) or not lines:
        return False
    return all(
        min(columns[0] - line.start, line.start + line.length - columns[-1]) > _MARGIN * line.length
        for line in lines
    )


def _vertical_strokes(
    vertical: Sequence[_Line], ruled: Sequence[_Line], tall: int, shape: tuple[int, int]
) -> list[_Line]:
    """The vertical lines to remove: all long ones, and those between two ruled lines."""
    ends = _bands(ruled, shape, 4) | _edge(shape)
    between, free = [], []
    for line in vertical:
        if line.length <= (_LONG_VERTICAL if ruled else _LONG) * tall:
            continue
        last = line.start + line.length - 1
        columns = np.clip(np.rint(line.centers[[0, -1]]).astype(int), 0, shape[1] - 1)
        first_column, last_column = columns.tolist()
        reach = 3
        above = ends[max(0, line.start - reach) : line.start + reach + 1, first_column].any()
        below = ends[last - reach : last + reach + 1, last_column].any()
        if above and below:
            between.append(line)
        elif line.length > 2 * _LONG * tall:
            free.append(line)
    # A tall 1 may stand on a ruled line; the sides of boxes are several.
    return free + (between if len(between) > 1 or len(ruled) > 1 else [])


def _erased(inked: Mask, lines: Sequence[_Line]) -> Mask:
    """`inked` without `lines`, but with the strokes that cross them."""
    left = inked.copy()
    height = inked.shape[0]
    for line in lines:
        band = line.band(inked.shape)
        left &= ~band
        columns = np.arange(line.start, line.start + line.length)
        reach = line.thickness / 2 + 2.5
        above = np.rint(line.centers - reach).astype(int)
        below = np.rint(line.centers + reach).astype(int)
        inside = (above >= 0) & (below < height)
        crossed = np.zeros(inked.shape[1], np.uint8)
        crossed[columns[inside]] = (
            inked[above[inside], columns[inside]] & inked[below[inside], columns[inside]]
        )
        crossed = cv2.dilate(crossed[None], np.ones((1, 3), np.uint8))[0]
        left |= inked & band & (crossed > 0)
    return left


def _without_remnants(mask: Gray, left: Mask, gone: Mask) -> Gray:
    """The mask where ink is `left`, with its soft edges, without the remnants of erased lines."""
    labels, stats = connected_components(left)
    areas = stats[:, cv2.CC_STAT_AREA]
    near = cv2.dilate(gone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    remnant = np.zeros(len(stats), bool)
    remnant[np.unique(labels[near])] = True
    remnant &= areas < _REMNANT * areas[1:].max(initial=0)
    kept = left & ~remnant[labels]
    soft = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(kept | (soft & ~gone & (mask <= INKED)), mask, 0)
