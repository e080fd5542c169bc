"""All digits in a picture, and the lines that they stand in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray
from ...imaging.foreground import Ink
from ...imaging.geometry import Box
from .looks import FinderNet, Look
from .sightings import Sightings, merged, of_ink

LEAST = 0.35
"""Of the score: a digit that is less sure is none."""

_SIDES = (160, 448)  # pixels of the longer side of the first looks
_FAR_SIDE = 896  # of another, where these show nothing
_HEIGHTS = (26.0, 34.0, 44.0)  # pixels of a usual digit in the second looks
_MARGIN = 16  # pixels around the picture
_MAX_PIXELS = 1_300_000  # of one second look
_AROUND = 1.5  # heights of a digit that a second look shows around the digits
_ALIKE = 0.45  # of the usual height of a line: lower marks are no digits of it
_STEEPEST = 1.0  # slope of a line of digits: 45°
_APART = 0.6  # of the height, up or down: farther is another line
_APART_BESIDE = 0.85  # the same for digits beside each other, where a line may start to bend
_BESIDE = 1.6  # heights between the middles of digits beside each other
_FAR = 6.0  # heights between neighbors of a line that slopes
_STEPS = 400  # at least, from which the slope is taken where there are so many digits


def find_all(
    net: FinderNet, gray: Gray, ink: Ink = "auto", least: float = LEAST
) -> tuple[Sightings, list[Look]]:
    """All digits in a picture whose score is `least` or more, and the looks that showed them."""
    looks = [net.look_at_all(gray, side, _MARGIN) for side in _SIDES]
    seen = of_ink(merged(looks), looks, ink)
    if not (seen.scores > least).any() and max(gray.shape) > _FAR_SIDE / 2:
        looks.append(net.look_at_all(gray, _FAR_SIDE, _MARGIN))
        seen = of_ink(merged(looks), looks, ink)
    sure = seen[seen.scores > least]
    if not len(sure):
        return sure, looks
    usual = max(float(np.median(sure.heights)), 1.0)
    looks = [_closer(net, gray, seen, height / usual, usual) for height in _HEIGHTS]
    seen = of_ink(merged(looks), looks, ink)
    return seen[seen.scores >= least], looks


def _closer(net: FinderNet, gray: Gray, seen: Sightings, scale: float, usual: float) -> Look:
    """A look at what holds the digits, in which they are of the height that the net knows best."""
    likely = seen.boxes[seen.scores > 0.5 * LEAST]
    around = _AROUND * usual
    window = np.r_[likely[:, :2].min(axis=0) - around, likely[:, 2:].max(axis=0) + around]
    limit = np.array([*gray.shape[::-1]])
    margin = _MARGIN / scale
    window[:2] = np.maximum(window[:2], -margin)
    window[2:] = np.minimum(window[2:], limit + margin)
    pixels = float((window[2:] - window[:2]).prod())
    return net.look(gray, window, float(min(scale, np.sqrt(_MAX_PIXELS / max(pixels, 1.0)))))


def lines_of(boxes: Sequence[Box]) -> list[list[int]]:
    """The lines of digits in boxes, from top to bottom; the indices of each from left to right."""
    if not len(boxes):
        return []
    sides = np.array(boxes, float)
    middles, heights = (sides[:, :2] + sides[:, 2:]) / 2, sides[:, 3] - sides[:, 1]
    slope = _common_slope(middles, heights)
    turned = middles[:, 1] - slope * middles[:, 0]
    chains: list[list[int]] = []
    last = np.empty(len(boxes), np.intp)  # of each chain
    drift = np.zeros(len(boxes))
    for i in np.argsort(middles[:, 0], kind="stable").tolist():
        ends = last[: len(chains)]
        right = middles[i, 0] - middles[ends, 0]
        lower, higher = np.minimum(heights[i], heights[ends]), np.maximum(heights[i], heights[ends])
        away = np.abs(turned[i] - turned[ends] - drift[: len(chains)] * right) / higher
        apart = np.where(right < _BESIDE * lower, _APART_BESIDE, _APART)
        fits = (away < apart) & (right > 0.1 * lower) & (lower >= _ALIKE * higher)
        if fits.any():
            best = int(np.where(fits, away, np.inf).argmin())
            chains[best].append(i)
        else:
            best = len(chains)
            chains.append([i])
        last[best], drift[best] = i, _drift(middles[:, 0], turned, chains[best])
    chains.sort(key=lambda chain: float(np.mean(turned[chain])))
    return chains


def _common_slope(middles: NDArray[np.float64], heights: NDArray[np.float64]) -> float:
    """The slope of most lines: of the steps from digits to their nearest at the right."""
    some = middles[:: 1 + len(middles) // _STEPS]
    steps = middles[None] - some[:, None]
    right, down = steps[..., 0], steps[..., 1]
    usual = np.median(heights)
    beside = (right > 0.2 * usual) & (np.abs(down) < _STEEPEST * right) & (right < _FAR * usual)
    far = np.where(beside, np.hypot(right, 2 * down), np.inf)
    nearest = far.argmin(axis=1)
    found = np.isfinite(far[np.arange(len(far)), nearest])
    if found.sum() < 2:
        return 0.0
    rows = np.flatnonzero(found)
    return float(np.median(down[rows, nearest[rows]] / right[rows, nearest[rows]]))


def _drift(x: NDArray[np.float64], y: NDArray[np.float64], chain: list[int]) -> float:
    """How much a line of digits departs from the common slope, by its last ones."""
    if len(chain) < 3:
        return 0.0
    last = chain[-6:]
    across, down = x[last] - x[last].mean(), y[last] - y[last].mean()
    slope = float(across @ down) / max(float(across @ across), 1e-9)
    return min(max(slope, -_STEEPEST), _STEEPEST)
