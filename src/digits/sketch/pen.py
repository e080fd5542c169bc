"""What all sketches are drawn with: colours, text, frames, and a picture made visible."""

from __future__ import annotations

import unicodedata
from bisect import bisect
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from ..pictures import Picture
    from ..pictures.normalize import Box

# Blue and vermilion of Okabe and Ito (the latter a little darker, for white digits on it): told
# apart with every kind of colour blindness.
BLUE, RED = "#0072b2", "#c04f00"
TEXT, SOFT, FAINT = "#1f2328", "#57626d", "#8b959e"
SQUARES = 4  # a picture enlarged so many times shows its pixels as squares, else smoothly

_DASHES = str.maketrans("–—×", "--x")


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, which is the same on every machine; `size` in pixels."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def drawable(text: str) -> str:
    """`text` in the letters that the font has: ASCII. Accents are left out, the rest becomes ?."""
    plain = unicodedata.normalize("NFKD", text.translate(_DASHES))
    letters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in letters)


def shortened(text: str, size: int, room: float) -> str:
    """`text`, with its middle left out when it is wider than `room` pixels in font `size`."""
    most = min(len(text), 1000)
    if len(text) == most and font(size).getlength(text) <= room:
        return text

    def short(kept: int) -> str:
        return f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"

    fitting = bisect(range(most), room, key=lambda kept: font(size).getlength(short(kept)))
    return short(max(0, fitting - 1))


def visible(picture: Picture) -> Image.Image:
    """The picture in grey; its clear parts white, or dark where all that it holds is light."""
    image = Image.fromarray(picture.grey)
    if picture.alpha is None:
        return image
    light = int(picture.grey.min(where=picture.alpha > 127, initial=255)) > 127
    ground = Image.new("L", image.size, 64 if light else 255)
    ground.paste(image, mask=Image.fromarray(picture.alpha))
    return ground


def stretched(box: Box, across: float, down: float) -> Box:
    """`box` in a picture that is so many times as wide and high."""
    left, top, right, bottom = box
    return round(left * across), round(top * down), round(right * across), round(bottom * down)


def frame(
    draw: ImageDraw.ImageDraw, box: Box, colour: str, width: int, dashed: bool = False
) -> None:
    """A frame of `width` pixels around `box`, a pixel from it.

    White at both sides of the line, and in the gaps of a dashed one, lets it show on any ground.
    """
    away = width + 1
    left, top, right, bottom = box[0] - away, box[1] - away, box[2] + width, box[3] + width
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=width + 2)
    if not dashed:
        draw.rectangle((left, top, right, bottom), outline=colour, width=width)
        return
    for start, end in _dashes(left, right, width):
        draw.rectangle((start, top, end, top + width - 1), colour)
        draw.rectangle((start, bottom - width + 1, end, bottom), colour)
    for start, end in _dashes(top, bottom, width):
        draw.rectangle((left, start, left + width - 1, end), colour)
        draw.rectangle((right - width + 1, start, right, end), colour)


def _dashes(first: int, last: int, width: int) -> list[tuple[int, int]]:
    """Where the dashes of a side begin and end; half a dash is at either corner."""
    count = max(1, round((last - first) / (7 * width)))
    pitch = (last - first) / count
    ends = [(first + (i - 0.3) * pitch, first + (i + 0.3) * pitch) for i in range(count + 1)]
    return [(max(first, round(a)), min(last, round(b))) for a, b in ends]
