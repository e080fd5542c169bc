"""Colors, text, frames and scaling that all drawings share."""

from __future__ import annotations

import unicodedata
from bisect import bisect
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...imaging.resize import resize

if TYPE_CHECKING:
    from ...imaging.decode import Gray, Picture
    from ...imaging.geometry import Box

# Blue and vermilion of Okabe and Ito, distinguishable with every kind of color blindness; the
# vermilion a little darker, for white digits on it.
BLUE, RED = "#0072b2", "#c04f00"
TEXT, SOFT, FAINT = "#1f2328", "#57626d", "#8b959e"

_MIN_PIXELATED = 4  # from this scale on, pixels are shown as squares
_MAX_CHARACTERS = 1000  # of a text that is measured

_TO_ASCII = str.maketrans("–—×", "--x")


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, the same on every machine; `size` in pixels."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def to_ascii(text: str) -> str:
    """`text` in the characters that the font has: accents are dropped, the rest becomes `?`."""
    plain = unicodedata.normalize("NFKD", text.translate(_TO_ASCII))
    characters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in characters)


def elided(text: str, size: int, max_width: float) -> str:
    """`text`, with `…` for its middle if it is wider than `max_width` pixels in font `size`."""
    length = min(len(text), _MAX_CHARACTERS)
    if len(text) == length and font(size).getlength(text) <= max_width:
        return text

    def with_gap(kept: int) -> str:
        return f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"

    def width(kept: int) -> float:
        return font(size).getlength(with_gap(kept))

    return with_gap(max(0, bisect(range(length), max_width, key=width) - 1))


def opaque(picture: Picture) -> Gray:
    """The gray pixels over white, or over dark gray if all that is opaque is light."""
    if picture.alpha is None:
        return picture.gray
    light = int(picture.gray.min(where=picture.alpha > 127, initial=255)) > 127
    background = Image.new("L", picture.gray.shape[::-1], 64 if light else 255)
    background.paste(Image.fromarray(picture.gray), mask=Image.fromarray(picture.alpha))
    return np.asarray(background)


def scaled(gray: Gray, scale: float) -> Gray:
    """`gray` resized for display: from 4 times on by an integer, with a square for each pixel."""
    if scale < _MIN_PIXELATED:
        return resize(gray, scale)
    return gray.repeat(int(scale), axis=0).repeat(int(scale), axis=1)


def scaled_box(box: Box, x: float, y: float) -> Box:
    """`box` in a picture that was resized by `x` and `y`."""
    left, top, right, bottom = box
    return round(left * x), round(top * y), round(right * x), round(bottom * y)


def frame(
    draw: ImageDraw.ImageDraw, box: Box, color: str, width: int, dashed: bool = False
) -> None:
    """Draw a frame of `width` pixels around `box`, one pixel away from it.

    It has a white border on both sides and in the gaps between dashes, to show on any background.
    """
    away = width + 1
    left, top, right, bottom = box[0] - away, box[1] - away, box[2] + width, box[3] + width
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=width + 2)
    if not dashed:
        draw.rectangle((left, top, right, bottom), outline=color, width=width)
        return
    for start, end in _dashes(left, right, width):
        draw.rectangle((start, top, end, top + width - 1), color)
        draw.rectangle((start, bottom - width + 1, end, bottom), color)
    for start, end in _dashes(top, bottom, width):
        draw.rectangle((left, start, left + width - 1, end), color)
        draw.rectangle((right - width + 1, start, right, end), color)


def _dashes(first: int, last: int, width: int) -> list[tuple[int, int]]:
    """Start and end of the dashes of a side, with half a dash at either corner."""
    count = max(1, round((last - first) / (7 * width)))
    pitch = (last - first) / count
    ends = [(first + (i - 0.3) * pitch, first + (i + 0.3) * pitch) for i in range(count + 1)]
    return [(max(first, round(a)), min(last, round(b))) for a, b in ends]
