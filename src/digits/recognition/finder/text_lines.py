"""The lines of writing in a foreground mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...imaging.decode import Gray
from ...imaging.ruled_lines import INKED, connected_components

_SMALL = 0.45  # of the height of a line: less is a dot, a dash or a part of a digit
_TINY = 0.08  # of it, in both directions: dust
_MAX_PIECES = 500  # more is noise: the largest are kept
_STEEPEST = 1.0  # slope of a line of digits: 45°


@dataclass(frozen=True, eq=False)
class Piece:
    """A connected component of the mask, or several that belong together.

    Attributes:
        left, top: Its place in the mask, in pixels.
        ink: (height, width) uint8, its part of the mask.
    """

    left: int
    top: int
    ink: Gray

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def height(self) -> int:
        return int(self.ink.shape[0])

    @property
    def width(self) -> int:
        return int(self.ink.shape[1])

    @property
    def x(self) -> float:
        """The middle of its box."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        """The middle of its box."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, eq=False)
class Line:
    """Pieces from left to right, and the height of a digit among them, in pixels."""

    pieces: list[Piece]
    height: float
    slope: float  # how far the line sinks for each pixel to the right


def find_lines(mask: Gray) -> list[Line]:
    """The lines of writing in a mask, from top to bottom; the pieces of each from left to right."""
    pieces = _pieces(mask)
    if not pieces:
        return []
    tall = _usual_height(pieces)
    pieces = [p for p in pieces if max(p.height, p.width) > _TINY * tall]
    pieces = _with_bits(pieces, tall)
    large = [p for p in pieces if p.height >= _SMALL * tall]
    small = [p for p in pieces if p.height < _SMALL * tall]
    chains = _joined(_chains(large), tall)
    for piece in small:
        nearest = min(chains, key=lambda chain: _distance(piece, chain), default=None)
        if nearest is not None and _distance(piece, nearest) < 1.5 * tall:
            nearest.append(piece)
    lines = [_line(sorted(chain, key=lambda p: p.x)) for chain in chains]
    return sorted(lines, key=lambda line: float(np.mean([p.y for p in line.pieces])))


def merged(pieces: Sequence[Piece]) -> Piece:
    """One piece of all of them."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = min(p.left for p in pieces), min(p.top for p in pieces)
    right, bottom = max(p.right for p in pieces), max(p.bottom for p in pieces)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for p in pieces:
        place = ink[p.top - top : p.bottom - top, p.left - left : p.right - left]
        np.maximum(place, p.ink, out=place)
    return Piece(left, top, ink)


def _pieces(mask: Gray) -> list[Piece]:
    labels, stats = connected_components(mask > INKED)
    areas = stats[1:, cv2.CC_STAT_AREA]
    largest = np.sort(np.argsort(-areas, kind="stable")[:_MAX_PIECES]) + 1
    found = []
    for label in largest.tolist():
        left, top, width, height, _ = stats[label].tolist()
        place = np.s_[top : top + height, left : left + width]
        found.append(Piece(left, top, np.where(labels[place] == label, mask[place], 0)))
    return found


def _usual_height(pieces: Sequence[Piece]) -> float:
    """The height of most pieces: the median, weighted by their areas."""
    heights = np.array([p.height for p in pieces], float)
    amounts = np.array([np.count_nonzero(p.ink) for p in pieces], float)
    order = np.argsort(heights)
    half = np.searchsorted(np.cumsum(amounts[order]), amounts.sum() / 2)
    return float(heights[order][half])


def _with_bits(pieces: Sequence[Piece], tall: float) -> list[Piece]:
    """Small pieces joined to the one that they hang over, under or in: the bar of a 5."""
    large = sorted((p for p in pieces if p.height >= _SMALL * tall), key=lambda p: p.left)
    groups: list[list[Piece]] = [[p] for p in large]
    alone = []
    for bit in pieces:
        if bit.height >= _SMALL * tall:
            continue
        best, most = None, 0.4
        for group in groups:
            host = group[0]
            overlap = (min(bit.right, host.right) - max(bit.left, host.left)) / bit.width
            gap = max(bit.top - host.bottom, host.top - bit.bottom)
            if overlap > most and gap < 0.3 * tall and not bit.top > host.bottom:
                best, most = group, overlap
        if best is None:
            alone.append(bit)
        else:
            best.append(bit)
    return [merged(group) for group in groups] + alone


def _chains(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces beside each other, each with the one to its left that stands most on its level."""
    chains: list[list[Piece]] = []
    slopes: list[float] = []
    for piece in sorted(pieces, key=lambda p: p.x):
        best, most = None, 0.3
        for number, chain in enumerate(chains):
            last = chain[-1]
            drop = slopes[number] * (piece.x - last.x)
            shared = min(piece.bottom, last.bottom + drop) - max(piece.top, last.top + drop)
            share = shared / min(piece.height, last.height)
            far = (piece.left - last.right) / max(piece.height, last.height)
            if share - 0.03 * max(far, 0) > most and far < 12:
                best, most = number, share - 0.03 * max(far, 0)
        if best is None:
            chains.append([piece])
            slopes.append(0.0)
        else:
            chains[best].append(piece)
            slopes[best] = _slope(chains[best])
    return chains


def _slope(chain: Sequence[Piece]) -> float:
    if len(chain) < 3:
        return 0.0
    x, y = np.array([(p.x, p.y) for p in chain[-8:]]).T
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y) / max(float(x @ x), 1e-9)
    return min(max(slope, -_STEEPEST), _STEEPEST)


def _joined(chains: list[list[Piece]], tall: float) -> list[list[Piece]]:
    """Chains of which one goes on where the other ends, up or down a slope, made one."""
    chains = sorted(chains, key=lambda chain: chain[0].left)
    joined: list[list[Piece]] = []
    for chain in chains:
        first = chain[0]
        for earlier in joined:
            last = earlier[-1]
            right, down = first.x - last.x, first.y - last.y
            beside = first.left > last.right - 0.3 * last.width
            if beside and 0 < right < 2.5 * tall and abs(down) < min(_STEEPEST * right, 1.3 * tall):
                slopes = _slope(earlier), _slope(chain)
                if len(earlier) < 3 or len(chain) < 3 or abs(slopes[0] - slopes[1]) < 0.2:
                    earlier.extend(chain)
                    break
        else:
            joined.append(list(chain))
    return joined


def _distance(piece: Piece, chain: Sequence[Piece]) -> float:
    """How far a piece is from the nearest of a chain, with twice the weight on up and down."""
    return min(
        max(piece.left - p.right, p.left - piece.right, 0)
        + 2 * max(piece.top - p.bottom, p.top - piece.bottom, 0)
        for p in chain
    )


def _line(pieces: list[Piece]) -> Line:
    heights = np.array([p.height for p in pieces], float)
    large = heights[heights >= 0.3 * heights.max()]
    tall = [p for p in pieces if p.height >= _SMALL * heights.max()]
    return Line(pieces, float(np.quantile(large, 0.8)), _slope(tall))
