"""Which pixels of a picture are the digit, and where digits are: the one door to both."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray, Picture
from ...imaging.foreground import Ink, flatten, foreground_mask
from ...imaging.geometry import Box, bounding_box
from ...imaging.resize import resize_to_limits
from ...imaging.ruled_lines import connected_components
from ..rejector import NO_DIGIT, probabilities
from .path import best_path
from .segment import candidates
from .text_lines import Line, Piece, find_lines

_DIGIT_MAX_SIDE = 640  # pixels: the digit ends in 20 of them; a larger picture only costs time
_PAGE_MAX_SIDE = 1200  # pixels: a page of digits is still legible
_PAGE_MIN_SIDE = 120  # pixels: ruled lines and strokes can be told apart
_EDGE_MARK = 0.35  # of the largest component: what is smaller and at the edge is not of the digit
_MAX_PIECES = 100  # of ink; a picture with more is not a few digits
_CERTAIN = 0.8  # of the rejector's probability: such a digit counts


@dataclass(frozen=True, eq=False)
class Foreground:
    """The pixels of the one digit in a picture.

    Attributes:
        mask: (height, width) uint8, 0 background to 255 foreground; perhaps smaller than the
            picture.
        box: The bounding box of the foreground in `mask`; four zeros without any.
    """

    mask: Gray
    box: Box


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """One digit of several in a picture.

    Attributes:
        image: (28, 28) uint8 in MNIST's geometry, white on black.
        box: Its place in the upright picture, in pixels.
        probabilities: (11,) float32 of the rejector: ten digits, and no digit.
    """

    image: Gray
    box: Box
    probabilities: NDArray[np.float32]


def find_foreground(picture: Picture, ink: Ink = "auto") -> Foreground:
    """Find the pixels of the one digit in a picture.

    Args:
        picture: Any.
        ink: Whether the digit is `dark` or `light`; `auto` finds out.
    """
    mask = _without_edge_marks(_mask(picture, ink, _DIGIT_MAX_SIDE))
    return Foreground(mask, bounding_box(mask))


def find_digits(picture: Picture, ink: Ink = "auto") -> list[list[FoundDigit]]:
    """Find all digits in a picture: lines from top to bottom, of digits from left to right.

    Lines without digits are left out. Arguments as of `find_foreground`.

    Raises:
        ModelError: If the shipped rejector is missing or damaged.
    """
    mask, lines = _lines(picture, ink)
    height, width = picture.gray.shape
    scale = width / mask.shape[1], height / mask.shape[0]
    return [digits for line in lines if (digits := _digits(line, scale))]


def count_digits(picture: Picture, ink: Ink = "auto") -> int:
    """Count the digits that clearly stand in a picture; 0 also for one that is crowded with ink.

    Arguments and errors as of `find_digits`.
    """
    _, lines = _lines(picture, ink)
    if sum(len(line.pieces) for line in lines) > _MAX_PIECES:
        return 0
    digits = [digit for line in lines for digit in _digits(line, (1, 1))]
    return sum(bool(digit.probabilities[:NO_DIGIT].max() > _CERTAIN) for digit in digits)


def _mask(picture: Picture, ink: Ink, max_side: int, min_side: int = 0) -> Gray:
    """The foreground mask of a picture, resized to these limits first."""
    gray, ink = flatten(picture, ink)
    return foreground_mask(resize_to_limits(gray, max_side, min_side), ink)


def _lines(picture: Picture, ink: Ink) -> tuple[Gray, list[Line]]:
    """The foreground mask of a page, and the lines of writing in it."""
    mask = _mask(picture, ink, _PAGE_MAX_SIDE, _PAGE_MIN_SIDE)
    return mask, find_lines(mask)


def _digits(line: Line, scale: tuple[float, float]) -> list[FoundDigit]:
    """The digits of a line; their boxes are enlarged by `scale` (x, y)."""
    parts = candidates(line)
    if not parts:
        return []
    rows = probabilities(np.stack([part.image for part in parts]))
    return [
        FoundDigit(parts[i].image, _box(parts[i].piece, scale), rows[i])
        for i in best_path(parts, rows)
    ]


def _box(piece: Piece, scale: tuple[float, float]) -> Box:
    x, y = scale
    return (
        int(piece.left * x), int(piece.top * y),
        int(np.ceil(piece.right * x)), int(np.ceil(piece.bottom * y)),
    )  # fmt: skip


def _without_edge_marks(mask: Gray) -> Gray:
    """Without what reaches in from the edge of the picture beside a larger piece that does not."""
    labels, stats = connected_components(mask > 0)
    areas = stats[:, cv2.CC_STAT_AREA]
    at_edge = np.zeros(len(areas), bool)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_edge[side] = True
    largest_inside = areas[1:][~at_edge[1:]].max(initial=0)
    marks = at_edge & (areas < _EDGE_MARK * largest_inside)
    marks[0] = False  # the background
    return np.where(marks[labels], 0, mask) if marks.any() else mask
