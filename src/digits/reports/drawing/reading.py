"""Where digits were found in a picture, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .style import BLUE, RED, TEXT, font, frame, opaque, scaled, scaled_box

if TYPE_CHECKING:
    from ...imaging.decode import Picture
    from ...imaging.geometry import Box
    from ...recognition.results import ReadDigit, Reading

_MIN_SIDE = 400  # pixels of the longer side
_MIN_CONFIDENT = 0.9  # below it, a digit's box is dashed and its label hollow
_MIN_TEXT = 11  # pixels
_MAX_TEXT = 1 / 14  # of the longer side
_LABEL = 1.15  # side of a label, in sizes of its text


def annotate(picture: Picture, reading: Reading) -> Image.Image:
    """Draw a box around each digit that was read, and a label with the digit beside it.

    Boxes and labels are blue and vermilion for alternating lines of text. Below a confidence of
    0.9, boxes are dashed and labels hollow; the label is `?` if there is no digit. A picture whose
    longer side is under 400 pixels is enlarged by an integer. A strip is added below if there is no
    space for labels, or to say that nothing was read.

    Args:
        picture: What was read.
        reading: The digits in it.

    Returns:
        An image of mode RGB.
    """
    factor = max(1, -(-_MIN_SIDE // max(picture.gray.shape)))
    image = Image.fromarray(scaled(opaque(picture), factor)).convert("RGB")
    if not reading.digits:
        return _with_message(image, "no digits found")
    boxes = [scaled_box(digit.box, factor, factor) for digit in reading.digits]
    sides = _label_sides(reading.digits, boxes, max(image.size))
    labels, hidden = _place_labels(boxes, sides, image.size)
    if hidden:
        more, still = _place_labels(boxes, sides, (image.width, image.height + 2 * max(sides)))
        if still < 0.5 * hidden:
            lowest = max(label[3] for label in more) + _distance(max(sides))
            labels, image = more, _extended(image, image.width, max(0, lowest - image.height))
    draw = ImageDraw.Draw(image)
    for digit, box, side in zip(reading.digits, boxes, sides, strict=True):
        frame(draw, box, _color(digit), max(2, side // 16), not _is_confident(digit))
    for digit, label in zip(reading.digits, labels, strict=True):
        _draw_label(draw, label, digit)
    return image


def _is_confident(digit: ReadDigit) -> bool:
    return digit.digit is not None and digit.confidence >= _MIN_CONFIDENT


def _color(digit: ReadDigit) -> str:
    return (BLUE, RED)[digit.line % 2]


def _label_sides(digits: Sequence[ReadDigit], boxes: Sequence[Box], longer: int) -> list[int]:
    """The side of each digit's label in pixels.

    It is the same along a line of text: a share of the line's height, but no wider than the
    distance from one digit to the next.
    """
    sizes = {}
    for line in {digit.line for digit in digits}:
        own = np.array([box for d, box in zip(digits, boxes, strict=True) if d.line == line])
        height = float(np.median(own[:, 3] - own[:, 1]))
        steps = np.diff(np.sort(own[:, 0] + own[:, 2])) / 2
        beside = steps[steps > 0.2 * height].min(initial=np.inf)  # in a column none is beside
        size = round(min(0.4 * height, 0.8 * beside, longer * _MAX_TEXT))
        sizes[line] = max(_MIN_TEXT, size)
    return [round(_LABEL * sizes[digit.line]) for digit in digits]


def _distance(side: int) -> int:
    """The distance of a label from its box."""
    return max(3, side // 7)


def _place_labels(
    boxes: Sequence[Box], sides: Sequence[int], size: tuple[int, int]
) -> tuple[list[Box], float]:
    """Places for the labels in a picture of `size`, and how many pixels they hide.

    Each label goes where it hides least of the boxes and of earlier labels. Among equal places, the
    position that is free for most of the boxes is preferred, so that labels look alike.
    """
    candidates = np.array(
        [_positions(box, side, size[0]) for box, side in zip(boxes, sides, strict=True)]
    )
    taken = np.empty((2 * len(boxes), 4), int)
    taken[: len(boxes)] = boxes
    free = [_hidden(places, taken[: len(boxes)], size) == 0 for places in candidates]
    order = np.argsort(-np.sum(free, axis=0), kind="stable")
    total, chosen = 0.0, []
    for count, places in enumerate(candidates[:, order], len(boxes)):
        hidden = _hidden(places, taken[:count], size)
        best = int(hidden.argmin())
        total += float(hidden[best])
        taken[count] = places[best]
        left, top, right, bottom = places[best].tolist()
        chosen.append((left, top, right, bottom))
    return chosen, total


def _positions(box: Box, side: int, width: int) -> list[Box]:
    """A label above `box`, below it, to its right, to its left and inside it."""
    away = _distance(side)
    x = min(max(0, (box[0] + box[2] - side) // 2), max(0, width - side))
    y = (box[1] + box[3] - side) // 2
    corners = [
        (x, box[1] - away - side),
        (x, box[3] + away),
        (box[2] + away, y),
        (box[0] - away - side, y),
        (x, max(0, box[1])),
    ]
    return [(left, top, left + side, top + side) for left, top in corners]


def _hidden(
    places: NDArray[np.int_], taken: NDArray[np.int_], size: tuple[int, int]
) -> NDArray[np.float64]:
    """How many pixels of the `taken` boxes each of `places` hides; infinite outside the picture."""
    ends = np.minimum(places[:, None, 2:], taken[:, 2:])
    shared = np.clip(ends - np.maximum(places[:, None, :2], taken[:, :2]), 0, None)
    inside = (places[:, :2] >= 0).all(axis=1) & (places[:, 2:] <= size).all(axis=1)
    return np.where(inside, shared.prod(axis=2).sum(axis=1), np.inf)


def _draw_label(draw: ImageDraw.ImageDraw, place: Box, digit: ReadDigit) -> None:
    left, top, right, bottom = place
    side, color, filled = right - left, _color(digit), _is_confident(digit)
    draw.rounded_rectangle((left - 1, top - 1, right, bottom), side // 5, "white")
    fill, line = (color if filled else "white"), max(1, side // 14)
    draw.rounded_rectangle((left, top, right - 1, bottom - 1), side // 5, fill, color, line)
    text = font(max(_MIN_TEXT, round(side / _LABEL)))
    height = -text.getbbox("0", anchor="ls")[1]
    spot = (left + side / 2, top + (side + height) / 2)
    sign = "?" if digit.digit is None else str(digit.digit)
    draw.text(spot, sign, "white" if filled else color, text, "ms")


def _with_message(image: Image.Image, text: str) -> Image.Image:
    """`image` above a strip with a text; as wide as the text at least."""
    size = max(16, min(image.width // 30, 60))
    width = max(image.width, round(font(size).getlength(text)) + 2 * size)
    extended = _extended(image, width, round(2.2 * size))
    spot = (width / 2, image.height + 1.45 * size)
    ImageDraw.Draw(extended).text(spot, text, TEXT, font(size), "ms")
    return extended


def _extended(image: Image.Image, width: int, strip: int) -> Image.Image:
    """`image` with a white strip below it, and white on its right up to `width`."""
    extended = Image.new("RGB", (width, image.height + strip), "white")
    extended.paste(image)
    return extended
