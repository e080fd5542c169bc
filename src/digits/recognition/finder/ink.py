"""The ink of one digit of several, as a look at a picture shows it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray
from ...imaging.geometry import bounding_box
from .looks import STRIDE, WAY_UNIT, Look

_EDGE = 60  # of 255: paler ink is the soft edge of a stroke
_INK = 0.4  # of the probability: what is less is no part of a stroke


def best_look(looks: list[Look], box: NDArray[np.floating]) -> Look:
    """The look in which a digit is largest, of those that show all of it."""

    def shows(look: Look) -> bool:
        height, width = look.mask.shape
        left, top, right, bottom = look.from_picture(box)
        return bool(left > -2 and top > -2 and right < width + 2 and bottom < height + 2)

    return max(
        (look for look in looks if shows(look)), key=lambda look: look.scale, default=looks[0]
    )


def ink_in(looks: list[Look], box: NDArray[np.floating]) -> tuple[Gray, NDArray[np.floating]]:
    """The ink of the digit in `box` (in pixels of the picture), in the best of the looks.

    It is what a look shows there that points to the middle of the box.

    Returns:
        (h, w) uint8, 0 to 255, cropped to the ink; and the box of that ink in pixels of the
        picture. Without ink, one black pixel and `box`.
    """
    look = best_look(looks, box)
    left, top, right, bottom = look.from_picture(box)
    size = np.array([right - left, bottom - top])
    gap = 0.15 * size.max() + 2
    height, width = look.mask.shape
    x0, y0 = max(0, int(left - gap)), max(0, int(top - gap))
    x1, y1 = min(width, int(np.ceil(right + gap))), min(height, int(np.ceil(bottom + gap)))
    share = look.mask[y0:y1, x0:x1]
    nothing = np.zeros((1, 1), np.uint8), box
    if not share.size:
        return nothing
    rows, columns = np.arange(y0, y1) // STRIDE, np.arange(x0, x1) // STRIDE
    way = look.heads[np.ix_(rows, columns)][..., 11:13] * WAY_UNIT
    x = (columns + 0.5)[None] * STRIDE + way[..., 0]
    y = (rows + 0.5)[:, None] * STRIDE + way[..., 1]
    reach = np.maximum(size, 0.4 * size.max())
    own = (np.abs(x - (left + right) / 2) < 0.5 * reach[0]) & (
        np.abs(y - (top + bottom) / 2) < 0.5 * reach[1]
    )
    kept = np.where(own, share, 0)
    near = cv2.dilate((kept > _INK).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ink = np.where(near, np.rint(kept * 255), 0).astype(np.uint8)
    if not near.any():
        return nothing
    left, top, right, bottom = bounding_box(np.where(ink > _EDGE, ink, 0))
    exact = np.array([x0 + left, y0 + top, x0 + right, y0 + bottom])
    return ink[top:bottom, left:right], look.to_picture(exact)
