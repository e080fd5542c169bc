"""Random choices, and fields of noise that cost little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Field = NDArray[np.float32]
Cover = NDArray[np.uint8]
"""The share of each pixel that ink covers, 0 to 255."""

_BANK_SIDE = 640  # pixels of a stored field of noise: larger than any canvas
_GRAINS = (1, 2, 4, 8, 16, 32)  # pixels between its knots


class Sampler:
    """A random generator with the draws that pages need.

    Fields of noise are cut from a few stored ones at a random place and orientation: drawing fresh
    normal numbers would take as long as all else on a page.
    """

    def __init__(self, seed: int | Sequence[int]) -> None:
        self.rng = np.random.default_rng(seed)
        self.severity = 1.0  # of the page: troubles come with this share of their probability
        self._bank = {grain: self._field(grain) for grain in _GRAINS}

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def trouble(self, probability: float) -> bool:
        """True with this probability on the worst pages, less often on others."""
        return self.chance(probability * self.severity)

    def uniform(self, low: float, high: float) -> float:
        """A uniform number."""
        return float(low + (high - low) * self.rng.random())

    def log_uniform(self, low: float, high: float) -> float:
        """A number whose logarithm is uniform."""
        return float(np.exp(self.uniform(np.log(low), np.log(high))))

    def normal(self, mean: float, deviation: float) -> float:
        """A normal number."""
        return float(mean + deviation * self.rng.standard_normal())

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` up to but not `high`."""
        return int(self.rng.integers(low, high))

    def choice(self, items: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of `items`, by relative `weights`."""
        if weights is None:
            return items[int(self.rng.integers(len(items)))]
        bounds = np.cumsum(weights)
        return items[int(np.searchsorted(bounds, self.rng.random() * bounds[-1], side="right"))]

    def noise(self, shape: tuple[int, int], grain: float) -> Field:
        """Smooth noise of mean 0 and deviation 1, with about `grain` pixels between its knots."""
        height, width = shape
        near = min(_GRAINS, key=lambda known: abs(np.log(known / grain)))
        bank = self._bank[near]
        if self.chance(0.5):
            bank = bank.T
        y = self.integer(0, _BANK_SIDE - height + 1)
        x = self.integer(0, _BANK_SIDE - width + 1)
        field = bank[y : y + height, x : x + width]
        flips = self.integer(0, 4)
        return field[:: 1 if flips & 1 else -1, :: 1 if flips & 2 else -1]

    def _field(self, grain: int) -> Field:
        side = _BANK_SIDE // grain + 3
        knots = self.rng.standard_normal((side, side), dtype=np.float32)
        size = (side * grain, side * grain)
        whole = cv2.resize(knots, size, interpolation=cv2.INTER_CUBIC) if grain > 1 else knots
        field = np.ascontiguousarray(whole[:_BANK_SIDE, :_BANK_SIDE])
        return np.asarray((field - field.mean()) / field.std(), np.float32)


def grid(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Rows (height, 1) and columns (1, width) as float32, to be broadcast."""
    height, width = shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    return rows, np.arange(width, dtype=np.float32)[None]


def share(cover: Cover) -> Field:
    """A cover of 0 to 255 as 0 to 1."""
    return np.asarray(cover * np.float32(1 / 255), np.float32)


def along(shape: tuple[int, int], angle: float) -> Field:
    """How far each pixel lies along a direction, in pixels from the middle."""
    y, x = grid(shape)
    x, y = x - shape[1] / 2, y - shape[0] / 2
    return np.asarray(x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)), np.float32)


def blurred(field: Field, deviation: float) -> Field:
    """A Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), max(deviation, 0.05)), np.float32)


def polyline(
    canvas: Cover, points: NDArray[np.floating], thickness: float, value: int = 255
) -> None:
    """Draw a smooth line through points (n, 2), x and y in pixels; below one pixel it is paler."""
    if thickness < 1:
        value = max(30, round(value * thickness))
    fixed = np.rint(np.clip(points, -4000, 4000) * 16).astype(np.int32)
    cv2.polylines(canvas, [fixed], False, value, max(1, round(thickness)), cv2.LINE_AA, 4)
