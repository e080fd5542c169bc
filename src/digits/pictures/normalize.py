"""From a decoded picture to the 28×28 that the models know.

The order is: decode → one tone per pixel → ink map (white ink on black) → ink box → fit.
MNIST's own geometry, after LeCun's description of the data set: the ink box is scaled, aspect kept
and edges smooth, until its longer side is 20 pixels, and laid into 28×28 so that its centre of mass
is the middle.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError
from .decode import Grey, Picture, decode

Ink = Literal["auto", "dark", "light"]
Box = tuple[int, int, int, int]

SIDE = 28
INK_SIDE = 20
MIDDLE = 14

# What `digits` notes in the PNG files that it writes. Such a picture is taken exactly as it is.
NOTES: dict[str, Literal["dark", "light"]] = {"28x28 dark ink": "dark", "28x28 light ink": "light"}

_WORKING_SIDE = 640  # the digit itself ends in 20 pixels; a larger picture only costs time
_LEAST_CONTRAST = 16  # of 255 between ink and ground; paper and JPEG noise stay below
_LEAST_PART = 0.02  # of the largest piece of ink; smaller pieces are dust
_LEAST_TONES = 60  # of 255 between the tones of opaque pixels that hold both ink and ground


class NoInkError(PictureError):
    """The picture was read, but there is no ink in it."""


def read_digit(
    source: str | os.PathLike[str] | bytes, ink: Ink = "auto", name: str | None = None
) -> Grey:
    """Read the one digit in a picture file (or a file's bytes) as the models want it.

    ink: whether the digit is darker or lighter than its ground; `auto` finds out.
    name: what to call the picture in errors, where `source` is bytes.
    Returns (28, 28) uint8, white ink on black. A picture that has MNIST's size and geometry
    already comes back pixel for pixel (dark ink inverted).
    Raises PictureError when it cannot be read, NoInkError when it is blank.
    """
    picture = decode(source, name)
    ready = noted(picture)
    if ready is not None:
        return ready
    tones, ink = flatten(picture, ink)
    ready = as_it_is(tones, ink)
    if ready is not None:
        return ready
    drawn = ink_map(tones, ink)
    if not drawn.any():
        raise NoInkError(
            f"cannot read {picture.name}: no ink found", "Give a picture with a digit in it"
        )
    return fit(drawn, ink_box(drawn))


def noted(picture: Picture) -> Grey | None:
    """The 28×28 of a picture that `digits` itself wrote, white ink on black; else None."""
    ink = NOTES.get(picture.note)
    if ink is None or picture.grey.shape != (SIDE, SIDE):
        return None
    if picture.alpha is not None:
        return picture.alpha.copy()
    return 255 - picture.grey if ink == "dark" else picture.grey.copy()


def flatten(picture: Picture, ink: Ink) -> tuple[Grey, Ink]:
    """One tone per pixel, (height, width) uint8, and what is known of the ink in it.

    Where the opaque pixels show but one tone, the shape is in the alpha channel: that becomes the
    picture. Otherwise clear pixels take the commonest tone of the opaque ones.
    """
    grey, alpha = picture.grey, picture.alpha
    if alpha is None or alpha.min() == 255:
        return grey, ink
    opaque = grey[alpha >= max(1, int(alpha.max()) * 0.9)]
    if not opaque.size:
        return alpha, "light"
    low, high = np.percentile(opaque, (0.5, 99.5))
    if alpha.min() < 128 and high - low < _LEAST_TONES:
        return alpha, "auto"
    weight = alpha / np.float32(255)
    tones = grey * weight + np.float32(np.median(opaque)) * (1 - weight)
    return np.rint(tones).astype(np.uint8), ink


def as_it_is(tones: Grey, ink: Ink) -> Grey | None:
    """The picture itself, white ink on black, when it has MNIST's size and geometry; else None."""
    if tones.shape != (SIDE, SIDE):
        return None
    # Ink covers at most 40 % of any MNIST digit.
    mostly_light = np.count_nonzero(tones > 127) > tones.size // 2
    if ink == "dark" or (ink == "auto" and mostly_light):
        tones = 255 - tones
    return tones.copy() if has_mnist_geometry(tones) else None


def has_mnist_geometry(image: Grey) -> bool:
    """Whether ink box and centre of mass lie as in all 70,000 digits of MNIST.

    There the longer side is 19 or 20 pixels and the centre of mass 13.48 to 14.50 on each axis.
    """
    _, _, width, height = cv2.boundingRect(image)
    if not INK_SIDE - 1 <= max(width, height) <= INK_SIDE:
        return False
    x, y = _centre_of_mass(image)
    return 13.45 <= x <= 14.55 and 13.45 <= y <= 14.55


def ink_map(tones: Grey, ink: Ink = "auto") -> Grey:
    """How much ink each pixel holds: (height, width) uint8, 0 ground to 255 ink.

    Large pictures are made smaller first. All 0 when there is no ink.
    """
    contrast = _contrast(_reduced(tones), ink)
    strong = contrast[contrast > _threshold(contrast)]
    level = float(np.median(strong)) if strong.size else 0.0
    if level < _LEAST_CONTRAST:
        return np.zeros_like(contrast)
    # Soft from 0.3 to 0.8 of the ink's usual strength: paper goes, smooth edges stay, and pencil
    # becomes as strong as a marker.
    drawn = np.clip((contrast / level - 0.3) / 0.5, 0, 1) * 255
    return _without_dust(np.rint(drawn).astype(np.uint8))


def ink_box(drawn: Grey) -> Box:
    """Left, top, right, bottom (right and bottom past the ink) of all ink in an ink map."""
    left, top, width, height = cv2.boundingRect(drawn)
    return left, top, left + width, top + height


def fit(drawn: Grey, box: Box) -> Grey:
    """The ink inside `box` as (28, 28) uint8 in MNIST's geometry."""
    left, top, right, bottom = box
    digit = drawn[top:bottom, left:right]
    scale = INK_SIDE / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    digit = np.asarray(cv2.resize(digit, (width, height), interpolation=way))
    # Thin lines grow pale when they shrink; every MNIST digit reaches nearly white.
    digit = np.rint(digit * (255 / max(1, int(digit.max())))).astype(np.uint8)
    x, y = _centre_of_mass(digit)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = digit
    return image


def _reduced(tones: Grey) -> Grey:
    scale = _WORKING_SIDE / max(tones.shape)
    if scale >= 1:
        return tones
    height, width = (max(1, round(side * scale)) for side in tones.shape)
    return np.asarray(cv2.resize(tones, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _contrast(tones: Grey, ink: Ink) -> Grey:
    """How far each pixel is from the ground towards the ink, 0..255."""
    signed = tones - _ground(tones)
    if np.ptp(signed) < _LEAST_CONTRAST:
        return np.zeros_like(tones)
    halved = np.clip(np.rint(signed / 2 + 128), 0, 255).astype(np.uint8)
    bright = halved > _threshold(halved)
    light = ink == "light" or (ink == "auto" and _ink_is_light(bright))
    if not light:
        signed, bright = -signed, ~bright
    # Bold ink may have drawn the plane towards itself.
    signed -= np.median(signed[~bright])
    contrast: Grey = np.clip(np.rint(signed), 0, 255).astype(np.uint8)
    return contrast


def _ground(tones: Grey) -> NDArray[np.float32]:
    """The tone of the ground as a plane: light that falls from one side is not ink.

    Least squares, with less and less weight on what lies far from the plane.
    """
    height, width = (min(side, 48) for side in tones.shape)
    small = np.asarray(cv2.resize(tones, (width, height), interpolation=cv2.INTER_AREA), float)
    across, down = _places(width), _places(height)
    y, x = np.meshgrid(down, across, indexing="ij")
    basis = np.column_stack((np.ones(small.size), x.ravel(), y.ravel()))
    values = small.ravel()
    plane = np.array([np.median(values), 0.0, 0.0])
    for _ in range(8):
        off = np.abs(values - basis @ plane)
        usual = max(2.0, 1.4826 * float(np.median(off)))
        weighted = basis / (1 + (off / (2 * usual)) ** 2)[:, None]
        # The tiny addition keeps pictures of one row or column solvable.
        plane = np.linalg.solve(weighted.T @ basis + 1e-6 * np.eye(3), weighted.T @ values)
    high, wide = tones.shape
    ground = plane[0] + plane[1] * _places(wide) + plane[2] * _places(high)[:, None]
    return np.asarray(ground, np.float32)


def _places(count: int) -> NDArray[np.floating[Any]]:
    """The middles of `count` pixels, from -1 to 1."""
    return (np.arange(count) + 0.5) * (2 / count) - 1


def _ink_is_light(bright: NDArray[np.bool_]) -> bool:
    """Whether the dark pixels are the ground.

    The ground fills the picture, its edge and its corners. Each alone fails on bold digits that
    touch the edge; the mean of the three shares is wrong on 0.1 % of MNIST digits cut tightly (the
    share of the whole picture alone on 6 %).
    """
    size = max(1, min(bright.shape) // 8)
    ends = np.r_[:size, -size:0]
    edge = np.concatenate((bright[0], bright[-1], bright[:, 0], bright[:, -1]))
    corners = bright[np.ix_(ends, ends)]
    return bool(bright.mean() + edge.mean() + corners.mean() <= 1.5)


def _without_dust(drawn: Grey) -> Grey:
    _, pieces, about, _ = cv2.connectedComponentsWithStats((drawn > 0).astype(np.uint8))
    areas = about[:, cv2.CC_STAT_AREA]
    kept = areas >= _LEAST_PART * areas[1:].max(initial=0)
    return np.where(kept[pieces], drawn, 0)


def _threshold(values: Grey) -> float:
    """Otsu's threshold: what is above it is the brighter of two classes."""
    return float(cv2.threshold(values, 0, 255, cv2.THRESH_OTSU)[0])


def _centre_of_mass(image: NDArray[Any]) -> tuple[float, float]:
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
