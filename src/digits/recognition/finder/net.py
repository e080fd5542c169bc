"""The digits in a picture as a net finds them: what the rest of the package calls."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ..._io.files import read_error
from ...errors import ModelError
from ...imaging.decode import Gray, Picture
from ...imaging.foreground import Ink, flatten
from ...imaging.geometry import Box, bounding_box, to_mnist_geometry
from ...imaging.resize import resize_to_limits
from ...models.find import shipped_folder
from .found import Foreground, FoundDigit
from .lines import find_all, lines_of
from .looks import STRIDE, FinderNet, Look
from .sightings import Sightings
from .single import find_single

NET = "finder.tflite"
"""Name of the compiled net in the folder of the shipped models."""

_DIGIT_MAX_SIDE = 1600  # pixels; a digit of one thirtieth of it still has 53
_PAGE_MAX_SIDE = 2400  # pixels
_CERTAIN = 0.5  # of the score: such a digit counts
_ALIKE = 0.5  # of the height of the largest digit: smaller ones beside it do not count
_INK = 0.4  # of the probability: what is less is no part of a stroke


def find_foreground(
    picture: Picture, ink: Ink = "auto", net: FinderNet | None = None
) -> Foreground:
    """Find the pixels of the one digit in a picture.

    Args:
        picture: Any.
        ink: Whether the digit is `dark` or `light`; the net sees that by itself, so this only
            decides which side of an alpha channel is ink.
        net: The shipped one if None.

    Raises:
        ModelError: If the shipped net is missing or damaged.
    """
    gray, _ = flatten(picture, ink)
    found = find_single(net or shipped_net(), resize_to_limits(gray, _DIGIT_MAX_SIDE))
    return Foreground(found.mask, bounding_box(found.mask))


def find_digits(
    picture: Picture, ink: Ink = "auto", net: FinderNet | None = None
) -> list[list[FoundDigit]]:
    """Find all digits in a picture: lines from top to bottom, of digits from left to right.

    Arguments and errors as of `find_foreground`.
    """
    gray, _ = flatten(picture, ink)
    small = resize_to_limits(gray, _PAGE_MAX_SIDE)
    seen, looks = find_all(net or shipped_net(), small)
    scale = picture.gray.shape[0] / small.shape[0]
    return [
        [_found(seen, index, looks, scale, picture.gray.shape) for index in line.tolist()]
        for line in lines_of(seen)
    ]


def count_digits(picture: Picture, ink: Ink = "auto", net: FinderNet | None = None) -> int:
    """Count the digits that clearly stand in a picture.

    Arguments and errors as of `find_foreground`.
    """
    gray, _ = flatten(picture, ink)
    seen, _ = find_all(net or shipped_net(), resize_to_limits(gray, _PAGE_MAX_SIDE))
    sure = seen[seen.scores > _CERTAIN]
    return int((sure.heights > _ALIKE * sure.heights.max()).sum()) if len(sure) else 0


@cache
def shipped_net() -> FinderNet:
    """The compiled net of the package."""
    path = shipped_folder() / NET
    try:
        return FinderNet(path.read_bytes(), str(path))
    except OSError as error:
        raise read_error(ModelError, str(path), error) from None


def _found(
    seen: Sightings, index: int, looks: list[Look], scale: float, shape: tuple[int, ...]
) -> FoundDigit:
    """One digit with its 28×28 and its probabilities of ten digits and of none."""
    box = seen.boxes[index]
    score = float(seen.scores[index])
    look = _best_look(looks, box)
    mask = _ink(look, box)
    ink = bounding_box(mask)
    image = to_mnist_geometry(mask, ink) if mask.any() else np.zeros((28, 28), np.uint8)
    left, top, right, bottom = (float(v) * scale for v in box)
    place: Box = (
        max(0, int(left)), max(0, int(top)),
        min(shape[1], int(np.ceil(right))), min(shape[0], int(np.ceil(bottom))),
    )  # fmt: skip
    probabilities = np.append(seen.probabilities[index] * score, 1 - score).astype(np.float32)
    return FoundDigit(image, place, probabilities)


def _best_look(looks: list[Look], box: NDArray[np.floating]) -> Look:
    """The look in which a digit is largest, of those that show all of it."""

    def shows(look: Look) -> bool:
        height, width = look.mask.shape
        left, top, right, bottom = _in_look(look, box)
        return bool(left > -2 and top > -2 and right < width + 2 and bottom < height + 2)

    return max(
        (look for look in looks if shows(look)), key=lambda look: look.scale, default=looks[0]
    )


def _in_look(look: Look, box: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(box * look.scale + np.array([look.left, look.top, look.left, look.top]))


def _ink(look: Look, box: NDArray[np.floating]) -> Gray:
    """The ink in a box of a look that points to the middle of the box."""
    left, top, right, bottom = _in_look(look, box)
    size = np.array([right - left, bottom - top])
    gap = 0.15 * size.max() + 2
    height, width = look.mask.shape
    x0, y0 = max(0, int(left - gap)), max(0, int(top - gap))
    x1, y1 = min(width, int(np.ceil(right + gap))), min(height, int(np.ceil(bottom + gap)))
    share = look.mask[y0:y1, x0:x1]
    if not share.size:
        return np.zeros((1, 1), np.uint8)
    rows, columns = np.arange(y0, y1) // STRIDE, np.arange(x0, x1) // STRIDE
    way = look.heads[np.ix_(rows, columns)][..., 11:13] * 16
    x = (columns + 0.5)[None] * STRIDE + way[..., 0]
    y = (rows + 0.5)[:, None] * STRIDE + way[..., 1]
    reach = np.maximum(size, 0.4 * size.max())
    own = (np.abs(x - (left + right) / 2) < 0.5 * reach[0]) & (
        np.abs(y - (top + bottom) / 2) < 0.5 * reach[1]
    )
    kept = np.where(own, share, 0)
    near = cv2.dilate((kept > _INK).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(near, np.rint(kept * 255), 0).astype(np.uint8)
