"""MNIST's size and geometry.

After LeCun's description of the data set (http://yann.lecun.com/exdb/mnist/): the bounding box of
the digit is scaled, aspect kept and edges smooth, until its longer side is 20 pixels, and laid into
28×28 so that its center of mass is the middle.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import Gray, Picture
from .foreground import Ink, flatten
from .resize import resize

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom exclusive."""

SIDE = 28
DIGIT_SIDE = 20
MIDDLE = 14

IMAGE_NOTE = "28x28 light ink"
"""The note of a picture that is an image of a data set."""

NOTES: dict[str, Literal["dark", "light"]] = {"28x28 dark ink": "dark", IMAGE_NOTE: "light"}
"""What `digits` notes in the PNG files that it writes, and the ink that this stands for."""

_SUPERSAMPLING = 6  # times MNIST's resolution, at which the stroke is measured and changed
_INKED = 100  # of 255: a paler pixel of a mask belongs to a soft edge
_THINNEST, _THICKEST = 1.7, 3.2  # pixels of 28; of MNIST's strokes 27 % are thinner, 3 % thicker


def mnist_image(picture: Picture, ink: Ink = "auto") -> Gray | None:
    """The 28×28 of a picture that has MNIST's size and geometry already, bit for bit; else None.

    Args:
        picture: A PNG that `digits` wrote, whatever its geometry, or any other picture.
        ink: Whether its ink is `dark` or `light`; `auto` finds out.

    Returns:
        (28, 28) uint8, white on black (dark ink is inverted).
    """
    if picture.gray.shape != (SIDE, SIDE):
        return None
    if noted := NOTES.get(picture.note):
        if picture.alpha is not None:
            return picture.alpha.copy()
        return 255 - picture.gray if noted == "dark" else picture.gray.copy()
    gray, ink = flatten(picture, ink)
    # The foreground covers at most 40 % of any MNIST digit.
    mostly_light = np.count_nonzero(gray > 127) > gray.size // 2
    if ink == "dark" or (ink == "auto" and mostly_light):
        gray = 255 - gray
    return gray.copy() if has_mnist_geometry(gray) else None


def has_mnist_geometry(image: Gray) -> bool:
    """Whether bounding box and center of mass lie as in all 70,000 digits of MNIST.

    There the longer side is 19 or 20 pixels and the center of mass 13.48 to 14.50 on each axis.
    """
    left, top, right, bottom = bounding_box(image)
    if not DIGIT_SIDE - 1 <= max(right - left, bottom - top) <= DIGIT_SIDE:
        return False
    x, y = _center_of_mass(image)
    return 13.45 <= x <= 14.55 and 13.45 <= y <= 14.55


def bounding_box(mask: Gray) -> Box:
    """The smallest box around all foreground; four zeros without any."""
    left, top, width, height = cv2.boundingRect(mask)
    return left, top, left + width, top + height


def to_mnist_geometry(mask: Gray, box: Box) -> Gray:
    """The foreground inside `box` in MNIST's geometry and stroke width.

    Args:
        mask: (height, width) uint8, 0 background to 255 foreground.
        box: The bounding box of what is wanted of it.

    Returns:
        (28, 28) uint8, white on black; all 0 without foreground.
    """
    image = np.zeros((SIDE, SIDE), np.uint8)
    left, top, right, bottom = box
    digit = mask[top:bottom, left:right]
    if not digit.any():
        return image
    digit = _with_mnist_stroke(_scaled(digit, _SUPERSAMPLING * DIGIT_SIDE))
    left, top, right, bottom = bounding_box(digit)
    digit = _scaled(digit[top:bottom, left:right], DIGIT_SIDE)
    height, width = digit.shape
    x, y = _center_of_mass(digit)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    image[top : top + height, left : left + width] = digit
    return image


def _scaled(digit: Gray, longer: int) -> Gray:
    """Resized so that the longer side is `longer`, and the strongest foreground white.

    Thin lines grow pale when they shrink, but every MNIST digit reaches nearly white.
    """
    digit = resize(digit, longer / max(digit.shape))
    return np.asarray(np.rint(digit * (255 / max(1, int(digit.max())))), np.uint8)


def _with_mnist_stroke(digit: Gray) -> Gray:
    """A supersampled digit with its stroke brought to a width that MNIST has."""
    digit = np.pad(digit, _SUPERSAMPLING * 2)
    stroke = _stroke_width(digit) / _SUPERSAMPLING
    change = round(_SUPERSAMPLING * (min(max(stroke, _THINNEST), _THICKEST) - stroke))
    if change == 0:
        return digit
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
    changed = np.asarray((cv2.dilate if change > 0 else cv2.erode)(digit, kernel), np.uint8)
    return changed if changed.any() else digit


def _stroke_width(mask: Gray) -> float:
    """Width of the strokes of a mask, in pixels: twice its area over the length of its edge."""
    inked = (mask > _INKED).astype(np.uint8)
    area = int(np.count_nonzero(inked))
    edge = area - int(np.count_nonzero(cv2.erode(inked, np.ones((3, 3), np.uint8))))
    return 2 * area / max(1, edge)


def _center_of_mass(image: NDArray[Any]) -> tuple[float, float]:
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
