"""Printed lines in an ink map: ruled and squared paper, form boxes, underlines.

What tells a rule from a stroke is its length: a straight thin line much longer than the writing
is tall is no part of a digit. It is erased, but not where a stroke crosses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import Grey

Mask = NDArray[np.bool_]

INKED = 100
"""Of 255; a paler pixel of an ink map belongs to a soft edge."""

_LONG = 1.6  # a line this many times as long as the writing is tall is a rule
_LONG_POST = 1.15  # the same for what stands between rules: the sides of a box
_SPAN = 0.9  # of the picture's side: a line that spans it
_PEN = 0.45  # of the pen's stroke
_MANY = 3  # so many lines are no strokes of one digit; more pieces are no parts of one
_MARGIN = 0.08  # of its length, by which a rule is longer than what stands on it
_MOST_LINES = 100  # are looked at, the longest first
_LEAST_LENGTH = 24  # pixels; a shorter line is never looked at
_LEAST_COVER = 0.93  # of its columns hold ink
_SLOPES = np.linspace(-0.12, 0.12, 49)
_MOST_THICKNESS = 0.06  # of its length
_CRUMB = 0.15  # of the largest piece: what is smaller and lies on an erased line goes with it


@dataclass(frozen=True)
class _Line:
    """A straight thin horizontal line: its columns from `start` on, with a centre row for each."""

    start: int
    centres: NDArray[np.float64]
    thickness: float

    @property
    def length(self) -> int:
        return len(self.centres)

    def band(self, shape: tuple[int, int], more: float = 1.5) -> Mask:
        """The pixels that it covers, and `more` on either side."""
        rows = np.arange(shape[0])[:, None]
        covered = np.zeros(shape, bool)
        near = np.abs(rows - self.centres) <= self.thickness / 2 + more
        covered[:, self.start : self.start + self.length] = near
        return covered


def stroke_width(drawn: Grey) -> float:
    """How wide the strokes of an ink map are, in pixels: twice its ink over its edge."""
    inked = (drawn > INKED).astype(np.uint8)
    area = int(np.count_nonzero(inked))
    edge = area - int(np.count_nonzero(cv2.erode(inked, np.ones((3, 3), np.uint8))))
    return 2 * area / max(1, edge)


def without_rules(drawn: Grey) -> Grey:
    """The ink map (height, width) uint8 without printed lines; itself when there are none."""
    inked = drawn > INKED
    pen = _PEN * stroke_width(drawn)
    lines, uprights = _lines(inked, pen), _lines(inked.T, pen)
    if not lines and not uprights:
        return drawn
    tall = _writing_height(inked, lines, uprights)
    if not tall:
        return drawn
    wide = _SPAN * inked.shape[1]
    rules = [x for x in lines if x.length > tall * (_LONG if x.length > wide else 2 * _LONG)]
    posts = _posts(uprights, rules, tall, inked.shape)
    if not rules and not posts:
        return drawn
    left = _erased(_erased(inked, rules).T, posts).T
    gone = _bands(rules, inked.shape) | _bands(posts, inked.T.shape).T
    return _without_crumbs(drawn, left, gone)


def _lines(inked: Mask, thinnest_pen: float) -> list[_Line]:
    """The straight, thin, nearly horizontal lines.

    Those that do not span the picture must be thinner than the pen: no row of digits' feet.
    """
    least = max(_LEAST_LENGTH, inked.shape[1] // 12)
    thick = cv2.dilate(inked.astype(np.uint8), np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    runs = np.where(inked, runs, 0)
    if not runs.any():
        return []
    # Gaps, as where a stroke crosses a pale line, do not end it.
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, least), np.uint8))
    pieces, about = connected(joined > 0)
    found = []
    widest = np.argsort(-about[1:, cv2.CC_STAT_WIDTH], kind="stable")[:_MOST_LINES] + 1
    for piece in widest.tolist():
        left, top, width, height, _ = about[piece].tolist()
        if width < max(2 * least, _SPAN / 2 * inked.shape[1]):
            break
        own = runs[top : top + height, left : left + width] > 0
        own &= pieces[top : top + height, left : left + width] == piece
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
    if met < _LEAST_COVER * width:
        return None
    off = rows - (slope * columns + level)
    near = np.abs(off) <= max(2.0, _MOST_THICKNESS * width / 2)
    counts = np.bincount(columns[near], minlength=width)
    # Strokes that run into the line make it thicker, and only ever thicker.
    thickness = float(np.quantile(counts[counts > 0], 0.3))
    if thickness > max(3, _MOST_THICKNESS * width):
        return None
    inside = np.abs(off) <= thickness
    total = np.bincount(columns[inside], minlength=width)
    sums = np.bincount(columns[inside], weights=off[inside], minlength=width)
    # Paper is not quite flat: the line may bow by less than its thickness.
    window = np.ones(2 * (width // 8) + 1)
    bow = np.convolve(sums, window, "same") / np.maximum(np.convolve(total, window, "same"), 1)
    centres = top + level + slope * np.arange(width) + bow
    return _Line(left, np.asarray(centres, float), thickness)


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


def connected(mask: Mask) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Connected pieces: a number for each pixel, and left, top, width, height, area of each."""
    _, pieces, about, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(pieces), np.asarray(about)


def _edge(shape: tuple[int, int]) -> Mask:
    edge = np.ones(shape, bool)
    edge[2:-2, 2:-2] = False
    return edge


def _writing_height(inked: Mask, lines: Sequence[_Line], uprights: Sequence[_Line]) -> int:
    """How tall the tallest digit is, in pixels; 0 when nothing but lines can be told.

    Best known from pieces that touch neither a line nor the edge of the picture. Where all do, it
    takes many lines, as of a box, or many pieces, as of a row: else a line is a stroke of a digit
    that fills its picture. Then the pieces count that are not mainly upright lines themselves.
    """
    rest = inked & ~_bands(lines, inked.shape)
    pieces, about = connected(rest)
    count = len(about)
    touching = np.zeros(count, bool)
    touching[np.unique(pieces[_bands(lines, inked.shape, 3.5) | _edge(inked.shape)])] = True
    upright = np.bincount(pieces[_bands(uprights, inked.T.shape).T], minlength=count)
    areas, heights = about[:, cv2.CC_STAT_AREA], about[:, cv2.CC_STAT_HEIGHT]
    digits = np.arange(count) > 0
    for chosen in (digits & ~touching, digits & (upright < 0.6 * areas)):
        large = chosen & (areas >= 0.1 * areas[chosen].max(initial=1))
        few = len(lines) + len(uprights) < _MANY and np.count_nonzero(large) <= _MANY
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


def _posts(
    uprights: Sequence[_Line], rules: Sequence[_Line], tall: int, shape: tuple[int, int]
) -> list[_Line]:
    """The upright lines that are rules: all long ones, and those that end in rules on both ends."""
    ends = _bands(rules, shape, 4) | _edge(shape)
    between, free = [], []
    for line in uprights:
        if line.length <= (_LONG_POST if rules else _LONG) * tall:
            continue
        last = line.start + line.length - 1
        columns = np.clip(np.rint(line.centres[[0, -1]]).astype(int), 0, shape[1] - 1)
        first_column, last_column = columns.tolist()
        reach = 3
        above = ends[max(0, line.start - reach) : line.start + reach + 1, first_column].any()
        below = ends[last - reach : last + reach + 1, last_column].any()
        if above and below:
            between.append(line)
        elif line.length > 2 * _LONG * tall:
            free.append(line)
    # A tall 1 may stand on a rule; the sides of boxes are several.
    return free + (between if len(between) > 1 or len(rules) > 1 else [])


def _erased(inked: Mask, lines: Sequence[_Line]) -> Mask:
    """`inked` without `lines`, but with the strokes that cross them."""
    left = inked.copy()
    height = inked.shape[0]
    for line in lines:
        band = line.band(inked.shape)
        left &= ~band
        columns = np.arange(line.start, line.start + line.length)
        reach = line.thickness / 2 + 2.5
        above = np.rint(line.centres - reach).astype(int)
        below = np.rint(line.centres + reach).astype(int)
        inside = (above >= 0) & (below < height)
        crossed = np.zeros(inked.shape[1], np.uint8)
        crossed[columns[inside]] = (
            inked[above[inside], columns[inside]] & inked[below[inside], columns[inside]]
        )
        crossed = cv2.dilate(crossed[None], np.ones((1, 3), np.uint8))[0]
        left |= inked & band & (crossed > 0)
    return left


def _without_crumbs(drawn: Grey, left: Mask, gone: Mask) -> Grey:
    """The ink map where ink is `left`, with its soft edges, without the crumbs of erased lines."""
    pieces, about = connected(left)
    areas = about[:, cv2.CC_STAT_AREA]
    near = cv2.dilate(gone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    crumb = np.zeros(len(about), bool)
    crumb[np.unique(pieces[near])] = True
    crumb &= areas < _CRUMB * areas[1:].max(initial=0)
    kept = left & ~crumb[pieces]
    soft = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(kept | (soft & ~gone & (drawn <= INKED)), drawn, 0)
