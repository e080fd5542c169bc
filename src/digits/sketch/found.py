"""Where digits were found in a picture, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .pen import BLUE, RED, SQUARES, TEXT, font, frame, stretched, visible

if TYPE_CHECKING:
    from ..pictures import Picture
    from ..pictures.normalize import Box
    from ..reader import ReadDigit, Reading

_LEAST_SIDE = 400  # pixels of the longer side
_SURE = 0.9  # below it, a digit's box is dashed and its label hollow
_LEAST_TEXT = 11  # pixels
_MOST_TEXT = 14  # times it goes into the longer side
_TAG = 1.15  # the side of a label, in sizes of its text


def annotate(picture: Picture, reading: Reading) -> Image.Image:
    """The picture with a box around each digit that was read, and the digit beside it.

    Boxes and labels of one line of writing are blue, of the next vermilion. Below a confidence of
    0.9 boxes are dashed and labels hollow; a digit that is None is labelled ?. A picture whose
    longer side is under 400 pixels is enlarged by a whole number; no pixel of it moves otherwise.
    A strip is added below where labels need it, or to say that nothing was read. Gives a picture
    of mode RGB.
    """
    image = _enlarged(visible(picture)).convert("RGB")
    if not reading.digits:
        return _with_strip(image, "no digits found")
    scale = image.width / picture.grey.shape[1]
    boxes = [stretched(digit.box, scale, scale) for digit in reading.digits]
    sides = _tag_sides(reading.digits, boxes, max(image.size))
    tags, hidden = _tag_places(boxes, sides, image.size)
    if hidden:
        more, still = _tag_places(boxes, sides, (image.width, image.height + 2 * max(sides)))
        if still < 0.5 * hidden:
            lowest = max(tag[3] for tag in more) + _space(max(sides))
            tags, image = more, _extended(image, image.width, max(0, lowest - image.height))
    draw = ImageDraw.Draw(image)
    for digit, box, side in zip(reading.digits, boxes, sides, strict=True):
        frame(draw, box, _hue(digit), max(2, side // 16), not _is_sure(digit))
    for digit, tag in zip(reading.digits, tags, strict=True):
        _draw_tag(draw, tag, digit)
    return image


def _enlarged(image: Image.Image) -> Image.Image:
    factor = max(1, -(-_LEAST_SIDE // max(image.size)))
    way = Image.Resampling.NEAREST if factor >= SQUARES else Image.Resampling.BICUBIC
    return image.resize((image.width * factor, image.height * factor), way)


def _is_sure(digit: ReadDigit) -> bool:
    return digit.digit is not None and digit.confidence >= _SURE


def _hue(digit: ReadDigit) -> str:
    return (BLUE, RED)[digit.line % 2]


def _tag_sides(digits: Sequence[ReadDigit], boxes: Sequence[Box], longer: int) -> list[int]:
    """The side of each digit's label in pixels.

    It is the same along a line of writing: a share of the line's height, but no wider than one
    digit is from the next.
    """
    sizes = {}
    for line in {digit.line for digit in digits}:
        own = np.array([box for d, box in zip(digits, boxes, strict=True) if d.line == line])
        height = float(np.median(own[:, 3] - own[:, 1]))
        steps = np.diff(np.sort(own[:, 0] + own[:, 2])) / 2
        beside = steps[steps > 0.2 * height].min(initial=np.inf)  # in a column none is beside
        size = round(min(0.4 * height, 0.8 * beside, longer / _MOST_TEXT))
        sizes[line] = max(_LEAST_TEXT, size)
    return [round(_TAG * sizes[digit.line]) for digit in digits]


def _space(side: int) -> int:
    """How far a label stays from its box."""
    return max(3, side // 7)


def _tag_places(
    boxes: Sequence[Box], sides: Sequence[int], size: tuple[int, int]
) -> tuple[list[Box], float]:
    """Where the labels go in a picture of `size`, and how many pixels they hide.

    What may be hidden are the boxes and earlier labels. Each label goes where it hides least. Where
    places are equal, it goes to the hand which is free for most of the boxes, so that the labels of
    a picture look alike.
    """
    hands = np.array([_around(box, side, size[0]) for box, side in zip(boxes, sides, strict=True)])
    taken = np.empty((2 * len(boxes), 4), int)
    taken[: len(boxes)] = boxes
    free = [_hidden(places, taken[: len(boxes)], size) == 0 for places in hands]
    order = np.argsort(-np.sum(free, axis=0), kind="stable")
    total, chosen = 0.0, []
    for count, places in enumerate(hands[:, order], len(boxes)):
        hidden = _hidden(places, taken[:count], size)
        best = int(hidden.argmin())
        total += float(hidden[best])
        taken[count] = places[best]
        left, top, right, bottom = places[best].tolist()
        chosen.append((left, top, right, bottom))
    return chosen, total


def _around(box: Box, side: int, width: int) -> list[Box]:
    """A label above `box`, below it, to its right, to its left and inside it."""
    away = _space(side)
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


def _draw_tag(draw: ImageDraw.ImageDraw, place: Box, digit: ReadDigit) -> None:
    left, top, right, bottom = place
    side, hue, sure = right - left, _hue(digit), _is_sure(digit)
    draw.rounded_rectangle((left - 1, top - 1, right, bottom), side // 5, "white")
    ground, line = (hue if sure else "white"), max(1, side // 14)
    draw.rounded_rectangle((left, top, right - 1, bottom - 1), side // 5, ground, hue, line)
    text = font(max(_LEAST_TEXT, round(side / _TAG)))
    tall = -text.getbbox("0", anchor="ls")[1]
    spot = (left + side / 2, top + (side + tall) / 2)
    sign = "?" if digit.digit is None else str(digit.digit)
    draw.text(spot, sign, "white" if sure else hue, text, "ms")


def _with_strip(image: Image.Image, text: str) -> Image.Image:
    """`image` above a strip that says `text`; as wide as the text at least."""
    size = max(16, min(image.width // 30, 60))
    width = max(image.width, round(font(size).getlength(text)) + 2 * size)
    longer = _extended(image, width, round(2.2 * size))
    spot = (width / 2, image.height + 1.45 * size)
    ImageDraw.Draw(longer).text(spot, text, TEXT, font(size), "ms")
    return longer


def _extended(image: Image.Image, width: int, strip: int) -> Image.Image:
    """`image` with white below it, and to its right up to `width`."""
    longer = Image.new("RGB", (width, image.height + strip), "white")
    longer.paste(image)
    return longer
