"""Pictures composed of real digits: one enlarged, or several on a page, on some paper."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def png(pixels: Pixels, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1, **options)
    return file.getvalue()


def jpeg(pixels: Pixels, quality: int, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def ink_of(digit: Pixels) -> Pixels:
    """A digit cropped to its bounding box."""
    left, top, width, height = cv2.boundingRect(digit)
    return digit[top : top + height, left : left + width]


def drawn_large(digit: Pixels, scale: float, margins: tuple[int, int, int, int]) -> Pixels:
    """A cropped digit, scaled and with margins (left, top, right, bottom) in pixels."""
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    large = cv2.resize(ink_of(digit), None, fx=scale, fy=scale, interpolation=interpolation)
    left, top, right, bottom = margins
    return np.pad(large, ((top, bottom), (left, right)))


def far(a: Pixels, b: Pixels) -> float:
    """Sum of absolute differences relative to that of `b`, at the best shift of up to 1 pixel."""
    shifts = [np.roll(a, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return float(min(np.abs(shifted - b).sum() for shifted in shifts) / b.sum())


def on_paper(
    ink: Pixels,
    paper: float | NDArray[np.floating[Any]] = 235,
    pen: float = 40,
    grain: float = 0,
    seed: int = 0,
) -> Pixels:
    """A foreground mask as a photo.

    Args:
        ink: (height, width); 0 becomes `paper`, 255 becomes `pen`.
        paper: Gray value, or one for each pixel.
        pen: Gray value.
        grain: Standard deviation of the camera's noise, in gray values.
        seed: Of the noise.
    """
    tones = paper + (pen - np.asarray(paper, float)) * (ink / 255)
    if grain:
        tones = tones + np.random.default_rng(seed).normal(0, grain, ink.shape)
    return np.clip(np.rint(tones), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Page:
    """Several digits in one picture.

    Attributes:
        ink: (height, width) uint8, 0 background to 255 foreground.
        owners: Number (from 1) of the digit that each pixel belongs to; 0 for the background.
        boxes: Bounding box (left, top, right, bottom) of each digit.
    """

    ink: Pixels
    owners: Pixels
    boxes: list[Box]


def page(
    digits: Sequence[Pixels], spots: Sequence[tuple[float, float]], scale: float, margin: int = 0
) -> Page:
    """Place digits on a page.

    Args:
        digits: 28×28 each.
        spots: (x, y) of the lower left corner of each digit's box, in MNIST's pixels, y down;
            only their differences matter.
        scale: Pixels of the page per MNIST pixel.
        margin: Empty pixels around all digits.
    """
    inks = [_smooth(digit, scale) for digit in digits]
    lefts = [round(x * scale) for x, _ in spots]
    tops = [round(y * scale) - len(ink) for ink, (_, y) in zip(inks, spots, strict=True)]
    left, top = min(lefts) - margin, min(tops) - margin
    boxes = [
        (x - left, y - top, x - left + ink.shape[1], y - top + ink.shape[0])
        for ink, x, y in zip(inks, lefts, tops, strict=True)
    ]
    height, width = max(b[3] for b in boxes) + margin, max(b[2] for b in boxes) + margin
    whole, owners = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for number, (ink, (x, y, right, bottom)) in enumerate(zip(inks, boxes, strict=True), 1):
        place = np.s_[y:bottom, x:right]
        owners[place] = np.where(ink > whole[place], number, owners[place])
        np.maximum(whole[place], ink, out=whole[place])
    return Page(whole, owners, boxes)


def _smooth(digit: Pixels, scale: float) -> Pixels:
    """A cropped digit, enlarged; the padding meanwhile keeps its edge soft all around."""
    large = cv2.resize(
        np.pad(ink_of(digit), 1), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC
    )
    return ink_of(np.where(large > 20, large, 0))


def in_a_row(
    digits: Sequence[Pixels],
    gap: float = 5,
    slope: float = 0,
    drops: Sequence[float] = (),
    start: tuple[float, float] = (0, 0),
) -> list[tuple[float, float]]:
    """Spots (see `page`) for a line of digits.

    Args:
        digits: 28×28 each.
        gap: MNIST pixels between the boxes; negative if they overlap.
        slope: Pixels that the line descends per pixel to the right.
        drops: Pixels that each digit is below the baseline.
        start: Spot of the first digit.
    """
    spots = []
    x, y = start
    for i, digit in enumerate(digits):
        spots.append((x, y + slope * (x - start[0]) + (drops[i] if drops else 0)))
        x += ink_of(digit).shape[1] + gap
    return spots


def touching(digits: Sequence[Pixels]) -> list[tuple[float, float]]:
    """Spots (see `page`) for a line in which each digit touches the one before it."""
    spots: list[tuple[float, float]] = []
    x = 0
    for i, digit in enumerate(digits):
        ink = ink_of(digit) > 100
        if i:
            last = ink_of(digits[i - 1]) > 100
            high = min(len(last), len(ink))
            # On one baseline: for each common row, from the last one's end to this one's start.
            gaps = [
                last.shape[1] - np.flatnonzero(a).max() - 1 + np.flatnonzero(b).min()
                for a, b in zip(last[-high:], ink[-high:], strict=True)
                if a.any() and b.any()
            ]
            x += last.shape[1] - (int(min(gaps)) if gaps else 0) - 1
        spots.append((x, 0))
    return spots


def with_pen(digit: Pixels, height: int, width: int, margin: int) -> Pixels:
    """A digit redrawn `height` pixels tall, with a pen of `width` pixels along its skeleton."""
    rows, columns = np.nonzero(_skeleton(digit))
    scale = height / (np.ptp(rows) + 1)
    x = np.rint((columns - columns.min() + 0.5) * scale).astype(int) + margin
    y = np.rint((rows - rows.min() + 0.5) * scale).astype(int) + margin
    wide = round((np.ptp(columns) + 1) * scale)
    ink = np.zeros((height + 2 * margin, wide + 2 * margin), np.uint8)
    number = {(r, c): i for i, (r, c) in enumerate(zip(rows, columns, strict=True))}
    for (r, c), i in number.items():
        for neighbor in ((r, c + 1), (r + 1, c - 1), (r + 1, c), (r + 1, c + 1)):
            if (j := number.get(neighbor)) is not None:
                cv2.line(ink, (x[i], y[i]), (x[j], y[j]), 255, width)
    return ink


def _skeleton(digit: Pixels) -> NDArray[np.bool_]:
    """The skeleton of a digit at three times its size (thinning: Zhang and Suen, 1984)."""
    ink = drawn_large(digit, 3, (3, 3, 3, 3)) > 127
    before = None
    while before is None or (ink != before).any():
        before = ink.copy()
        for first in (True, False):
            # Neighbors from the one above, clockwise.
            steps = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
            neighbors = [np.roll(ink, step, (0, 1)) for step in steps]
            up, _, right, _, down, _, left, _ = neighbors
            count = np.sum(neighbors, axis=0)
            starts = np.sum(
                [~a & b for a, b in zip(neighbors, neighbors[1:] + neighbors[:1], strict=True)],
                axis=0,
            )
            ends = (right & down, up | left) if first else (up & left, right | down)
            edge = ~(ends[0] & ends[1])
            ink = ink & ~((count >= 2) & (count <= 6) & (starts == 1) & edge)
    return ink
