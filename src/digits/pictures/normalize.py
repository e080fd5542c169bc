"""From a decoded picture to the 28×28 that the models know.

The order is: decode → one tone per pixel → ink map (white ink on black) → ink box → fit.
MNIST's own geometry, after LeCun's description of the data set: the ink box is scaled, aspect kept
and edges smooth, until its longer side is 20 pixels, and laid into 28×28 so that its centre of mass
is the middle.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError
from .decode import Grey, Picture, decode
from .ink import Ink, flatten, ink_map, resized
from .rules import connected, stroke_width

Box = tuple[int, int, int, int]

SIDE = 28
INK_SIDE = 20
MIDDLE = 14

# What `digits` notes in the PNG files that it writes. Such a picture is taken exactly as it is.
NOTES: dict[str, Literal["dark", "light"]] = {"28x28 dark ink": "dark", "28x28 light ink": "light"}

_FINE = 6  # the stroke is weighed and changed at so many times MNIST's resolution
_THINNEST, _THICKEST = 1.7, 3.2  # pixels of 28; of MNIST's strokes 27 % are thinner, 3 % thicker
_EDGE_MARK = 0.35  # of the largest piece: what is smaller and at the edge is not of the digit
_WORKING_SIDE = 640  # the digit itself ends in 20 pixels; a larger picture only costs time


class NoInkError(PictureError):
    """The picture was read, but there is no ink in it."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen in a picture on the way to the one digit in it.

    picture: as decoded. drawn: its ink map, (height, width) uint8, 0 ground to 255 ink, perhaps
    smaller than the picture. box: left, top, right, bottom of the ink in it. image: (28, 28) uint8,
    white ink on black, what a model sees.
    """

    picture: Picture
    drawn: Grey
    box: Box
    image: Grey


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
    seen = look(picture, ink)
    if not seen.drawn.any():
        raise NoInkError(
            f"cannot read {picture.name}: no ink found", "Give a picture with a digit in it"
        )
    return seen.image


def look(picture: Picture, ink: Ink = "auto") -> Look:
    """As `read_digit`, with all that was seen on the way.

    Without ink, `drawn`, `box` and `image` are all 0.
    """
    ready = noted(picture)
    if ready is None:
        tones, ink = flatten(picture, ink)
        ready = as_it_is(tones, ink)
    if ready is not None:
        return Look(picture, ready, ink_box(ready), ready)
    drawn = _without_edge_marks(ink_map(resized(tones, _WORKING_SIDE), ink))
    box = ink_box(drawn)
    image = fit(drawn, box) if drawn.any() else np.zeros((SIDE, SIDE), np.uint8)
    return Look(picture, drawn, box, image)


def noted(picture: Picture) -> Grey | None:
    """The 28×28 of a picture that `digits` itself wrote, white ink on black; else None."""
    ink = NOTES.get(picture.note)
    if ink is None or picture.grey.shape != (SIDE, SIDE):
        return None
    if picture.alpha is not None:
        return picture.alpha.copy()
    return 255 - picture.grey if ink == "dark" else picture.grey.copy()


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


def ink_box(drawn: Grey) -> Box:
    """Left, top, right, bottom (right and bottom past the ink) of all ink in an ink map."""
    left, top, width, height = cv2.boundingRect(drawn)
    return left, top, left + width, top + height


def fit(drawn: Grey, box: Box) -> Grey:
    """The ink inside `box` as (28, 28) uint8 in MNIST's geometry and stroke weight."""
    left, top, right, bottom = box
    digit = _weighted(_scaled(drawn[top:bottom, left:right], _FINE * INK_SIDE))
    left, top, right, bottom = ink_box(digit)
    digit = _scaled(digit[top:bottom, left:right], INK_SIDE)
    height, width = digit.shape
    x, y = _centre_of_mass(digit)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = digit
    return image


def _without_edge_marks(drawn: Grey) -> Grey:
    """Without what looks in from the edge of the picture beside a larger piece that does not."""
    pieces, about = connected(drawn > 0)
    areas = about[:, cv2.CC_STAT_AREA]
    at_edge = np.zeros(len(areas), bool)
    for side in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        at_edge[side] = True
    inner = areas[1:][~at_edge[1:]].max(initial=0)
    marks = at_edge & (areas < _EDGE_MARK * inner)
    marks[0] = False
    return np.where(marks[pieces], 0, drawn) if marks.any() else drawn


def _scaled(digit: Grey, longer: int) -> Grey:
    """Resized so that the longer side is `longer`, and the strongest ink white.

    Thin lines grow pale when they shrink, but every MNIST digit reaches nearly white.
    """
    scale = longer / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    digit = np.asarray(cv2.resize(digit, (width, height), interpolation=way))
    return np.asarray(np.rint(digit * (255 / max(1, int(digit.max())))), np.uint8)


def _weighted(digit: Grey) -> Grey:
    """A digit of _FINE * INK_SIDE pixels with its stroke brought to a width that MNIST has."""
    digit = np.pad(digit, _FINE * 2)
    stroke = stroke_width(digit) / _FINE
    change = round(_FINE * (min(max(stroke, _THINNEST), _THICKEST) - stroke))
    if change == 0:
        return digit
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
    changed = np.asarray((cv2.dilate if change > 0 else cv2.erode)(digit, kernel), np.uint8)
    return changed if changed.any() else digit


def _centre_of_mass(image: NDArray[Any]) -> tuple[float, float]:
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
