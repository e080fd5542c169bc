"""What the finder is to say of a page, on its grid of cells of 4×4 pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....recognition.finder.looks import STRIDE, net_input
from .layer import MAX_DIGITS
from .page import Page

IGNORED = 255
"""The heat of a cell where it does not count whether a digit is found."""

_SPREAD = 0.1  # of the digit's width and height: the deviation of the heat around its middle
_MIDDLE = 0.15  # of them: cells so near to the middle say what the digit is
_MIN_HEAT = 0.02  # less is 0


@dataclass(frozen=True)
class Targets:
    """The truth of n pictures of one shape.

    Attributes:
        planes: (n, h, w, 2) float16, what the net sees: `net_input` of each.
        mask: (n, h, w) uint8, the ink of digits.
        heat: (n, h/4, w/4) uint8: 254 in the middle of a digit, falling to 0; or IGNORED.
        owner: (n, h/4, w/4) uint8: the digit that a cell has to describe, from 1; 0 for none.
        weight: (n, h/4, w/4) float16: how much it counts; over the cells of a digit the sum is 1.
        digits: (n, MAX_DIGITS, 5) float32: label, x and y of the middle, width, height, in
            pixels; the label is -1 where there is none, and -2 where it is cut off.
        kinds: (n,) the kinds of the pages.
    """

    planes: NDArray[np.float16]
    mask: NDArray[np.uint8]
    heat: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    weight: NDArray[np.float16]
    digits: NDArray[np.float32]
    kinds: NDArray[np.str_]


def targets(pages: list[Page]) -> Targets:
    """The truth of pages, all of one shape."""
    heats, owners, weights = zip(*(_cells(page) for page in pages), strict=True)
    digits = np.zeros((len(pages), MAX_DIGITS, 5), np.float32)
    digits[..., 0] = -1
    for row, page in zip(digits, pages, strict=True):
        for i, digit in enumerate(page.digits):
            left, top, right, bottom = digit.box
            label = digit.label if digit.label >= 0 else -2
            row[i] = label, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    return Targets(
        np.stack([net_input(page.gray).astype(np.float16) for page in pages]),
        np.stack([page.mask for page in pages]),
        np.stack(heats),
        np.stack(owners),
        np.stack(weights),
        digits,
        np.array([page.kind for page in pages]),
    )


def _cells(page: Page) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float16]]:
    """Heat, owner and weight of the cells of a page."""
    height, width = (side // STRIDE for side in page.gray.shape)
    heat = np.zeros((height, width), np.float32)
    ignored = np.zeros((height, width), bool)
    ink = _most_inked(page)
    middle = np.zeros((height, width), np.uint8)
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    numbers = np.zeros(256, np.uint8)
    for i, digit in enumerate(page.digits):
        left, top, right, bottom = (side / STRIDE for side in digit.box)
        if digit.label < 0:
            ignored[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
            continue
        numbers[digit.number] = i + 1
        away_x, away_y = x - ((left + right) / 2 - 0.5), y - ((top + bottom) / 2 - 0.5)
        wide, high = right - left, bottom - top
        spread_x, spread_y = max(0.45, _SPREAD * wide), max(0.55, _SPREAD * high)
        around = np.exp(-((away_x / spread_x) ** 2 + (away_y / spread_y) ** 2) / 2)
        around[np.unravel_index(around.argmax(), around.shape)] = 1.0
        np.maximum(heat, around, out=heat)
        near = (np.abs(away_x) <= max(0.6, _MIDDLE * wide)) & (
            np.abs(away_y) <= max(0.6, _MIDDLE * high)
        )
        near &= around >= heat - 1e-6  # of two digits that are close, the closer one
        middle[near] = i + 1
    inked = numbers[ink]
    owner = np.where(middle > 0, middle, inked)
    most = len(page.digits) + 1
    weight = _shares(middle, most) + _shares(np.where(middle > 0, 0, inked), most)
    weight *= 1 / np.maximum(1e-6, np.bincount(owner.ravel(), weight.ravel(), most))[owner]
    heat = np.where(heat < _MIN_HEAT, 0, heat * 254)
    heat = np.where(ignored & (heat < 254), IGNORED, heat)
    return (
        heat.astype(np.uint8),
        owner.astype(np.uint8),
        np.where(owner > 0, weight, 0).astype(np.float16),
    )


def _shares(owner: NDArray[np.uint8], most: int) -> NDArray[np.float64]:
    """For each cell one over the number of cells of the same owner; 0 without an owner."""
    counts = np.bincount(owner.ravel(), minlength=most).astype(float)
    shares = 1 / np.maximum(counts, 1)
    shares[0] = 0
    return np.asarray(shares[owner])


def _most_inked(page: Page) -> NDArray[np.uint8]:
    """The owner of the strongest ink in each cell."""
    height, width = (side // STRIDE for side in page.gray.shape)

    def cells(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        parts = plane.reshape(height, STRIDE, width, STRIDE).transpose(0, 2, 1, 3)
        return parts.reshape(height, width, STRIDE * STRIDE)

    strongest = cells(np.where(page.owner > 0, page.mask, 0)).argmax(axis=2)[..., None]
    return np.asarray(np.take_along_axis(cells(page.owner), strongest, axis=2)[..., 0], np.uint8)
