"""Cut a line of writing into parts, and bundle the parts into what may be digits.

Over-segmentation, as in the classical readers of cheques: every place where two digits may touch
is cut, and every bundle of neighboring parts is a candidate. A model then finds the best path.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray
from ...imaging.geometry import bounding_box, to_mnist_geometry
from ...imaging.resize import resize
from ...imaging.ruled_lines import INKED, stroke_width
from .text_lines import Line, Piece, merged

_HEIGHT = 48  # pixels of a digit while it is cut
_NARROW = 0.5  # of a digit's height: a narrower piece is not cut
_MIN_PART = 0.12  # of it: a narrower part is never cut off
_WIDEST = 1.7  # of it: a wider bundle is no digit
_FARTHEST = 0.25  # of it: parts with a wider gap between them are not of one digit
_MAX_PARTS = 5  # in a bundle
_MAX_CUTS = 8  # in a piece
_MAX_INK = 3.5  # stroke widths that a cut goes through
_SHARED = 0.5  # stroke widths on either side of a cut that belong to both parts
_LOOP = 0.3  # what a cut pays, in pixels of ink, for each pixel of enclosed background
_SWAY = 9  # pixels, to either side
_SIDESTEP = 0.15  # what a cut pays, in pixels of ink, for leaving the slant of the writing
_SLANTS = np.tan(np.deg2rad(np.arange(-30, 56, 5)))


@dataclass(frozen=True, eq=False)
class Candidate:
    """The parts `first` up to but not `last` of a line, taken together.

    Attributes:
        image: (28, 28) uint8 in MNIST's geometry.
        piece: Its part of the mask.
        height, width: In heights of a digit in the line.
    """

    first: int
    last: int
    image: Gray
    piece: Piece
    height: float
    width: float


def candidates(line: Line) -> list[Candidate]:
    """Every bundle of neighboring parts of a line that may be one digit."""
    slant = _slant(line)
    parts = sorted(
        (part for piece in line.pieces for part in _parts(piece, line.height, slant)),
        key=lambda p: p.x,
    )
    found = []
    for first in range(len(parts)):
        for last in range(first + 1, min(len(parts), first + _MAX_PARTS) + 1):
            bundle = parts[first:last]
            gap = bundle[-1].left - max((p.right for p in bundle[:-1]), default=bundle[-1].left)
            whole = merged(bundle)
            if gap > _FARTHEST * line.height or (
                last - first > 1 and whole.width > _WIDEST * line.height
            ):
                break
            image = to_mnist_geometry(whole.ink, bounding_box(whole.ink))
            size = whole.height / line.height, whole.width / line.height
            found.append(Candidate(first, last, image, whole, *size))
    return found


def _slant(line: Line) -> float:
    """How far the writing leans to the right for each pixel up.

    The shear that makes its columns most unequal: upright strokes stand in few of them.
    """
    best, most = 0.0, 0.0
    scale = _HEIGHT / line.height
    inks = [resize(p.ink, scale) for p in line.pieces if p.height > 0.4 * line.height]
    for slant in _SLANTS:
        columns = [_sheared(ink, slant).sum(axis=0, dtype=float) for ink in inks]
        sharpness = sum(float((c**2).sum()) for c in columns) * (1 - 0.1 * abs(slant))
        if sharpness > most:
            best, most = float(slant), sharpness
    return best


def _sheared(ink: Gray, slant: float) -> Gray:
    """Upright: each row is shifted to the left the more, the higher it is (right for negative)."""
    height, width = ink.shape
    more = abs(slant) * (height - 1)
    shift = 0.0 if slant > 0 else more
    matrix = np.array([[1.0, slant, shift], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(ink, matrix, (int(np.ceil(width + more)), height)), np.uint8)


def _parts(piece: Piece, tall: float, slant: float) -> list[Piece]:
    """A piece cut wherever two digits may touch."""
    if piece.width < _NARROW * tall:
        return [piece]
    scale = _HEIGHT / tall
    upright = _sheared(resize(piece.ink, scale), slant)
    seams = _seams(upright)
    if not len(seams):
        return [piece]
    # From rows and columns of the upright copy to those of the piece.
    rows = np.arange(piece.height)
    places = rows * (upright.shape[0] / piece.height)
    shift = 0.0 if slant > 0 else abs(slant) * (upright.shape[0] - 1)
    bounds = [np.full(piece.height, -np.inf)]
    for seam in seams:
        across = np.interp(places, np.arange(len(seam)), seam) - slant * places - shift
        bounds.append(across / scale)
    bounds.append(np.full(piece.height, np.inf))
    return _cut(piece, bounds)


def _cut(piece: Piece, bounds: list[NDArray[np.float64]]) -> list[Piece]:
    """The parts between `bounds`, columns for each row; a stroke at a bound goes to both sides."""
    shared = _SHARED * stroke_width(piece.ink)
    across = np.arange(piece.width)
    parts = []
    for start, stop in pairwise(bounds):
        inside = (across > start[:, None] - shared) & (across < stop[:, None] + shared)
        ink = np.where(inside, piece.ink, 0).astype(np.uint8)
        left, top, right, bottom = bounding_box(ink)
        if right - left > 1 and bottom - top > 1:
            cropped = np.ascontiguousarray(ink[top:bottom, left:right])
            parts.append(Piece(piece.left + left, piece.top + top, cropped))
    return parts


def _loops(upright: Gray) -> NDArray[np.bool_]:
    """The background enclosed by ink: the inside of a 0, which no cut should part."""
    background = np.pad(upright <= INKED, 1, constant_values=True).astype(np.uint8)
    _, numbers = cv2.connectedComponents(background, connectivity=4)
    numbers = np.asarray(numbers)[1:-1, 1:-1]
    return (numbers > 1) & (upright <= INKED)


def _seams(upright: Gray) -> list[NDArray[np.int64]]:
    """Paths from top to bottom, one column for each row, that go through little ink.

    Dynamic programming, as in seam carving (Avidan and Shamir, 2007), but each path stays near the
    column that it belongs to: else all would go around the ink.
    """
    height, width = upright.shape
    cost = upright / np.float32(255) + _LOOP * _loops(upright)
    cost = np.pad(cost, ((0, 0), (_SWAY, _SWAY)))
    # near[y, x, i]: the cost in row y, i - _SWAY columns from column x.
    near = np.lib.stride_tricks.sliding_window_view(cost, 2 * _SWAY + 1, axis=1)
    total = near[0].copy()
    steps = np.zeros(near.shape, np.int8)
    for y in range(1, height):
        before = np.pad(total + _SIDESTEP, ((0, 0), (1, 1)), constant_values=np.inf)
        choices = np.stack([before[:, :-2], total, before[:, 2:]])
        best = choices.argmin(axis=0)
        steps[y] = best - 1
        total = np.take_along_axis(choices, best[None], axis=0)[0] + near[y]
    ends = total.argmin(axis=1)
    costs = total.min(axis=1)
    most = _MAX_INK * stroke_width(upright)
    margin = round(_MIN_PART * _HEIGHT)
    seams: list[NDArray[np.int64]] = []
    for x in margin + np.argsort(costs[margin : width - margin], kind="stable"):
        if costs[x] > most or len(seams) == _MAX_CUTS:
            break
        seam = np.empty(height, np.int64)
        place = int(ends[x])
        for y in range(height - 1, -1, -1):
            seam[y] = x + place - _SWAY
            place += int(steps[y, x, place])
        if all(np.abs(seam - other).mean() > margin for other in seams):
            seams.append(seam)
    return sorted(seams, key=lambda seam: float(seam.mean()))
