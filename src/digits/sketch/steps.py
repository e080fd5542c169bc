"""How single digits were read, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from ..evaluation import per_cent
from .pen import (
    BLUE,
    FAINT,
    RED,
    SOFT,
    SQUARES,
    TEXT,
    drawable,
    font,
    frame,
    shortened,
    stretched,
    visible,
)

if TYPE_CHECKING:
    from ..pictures.normalize import Look
    from ..recognizer import Prediction

_TITLES = ("Picture", "Ink found", "What the model saw", "Probability of each digit")
_BAR, _TRACK, _RULE, _MAT = "#a9b5c1", "#eef1f4", "#d5dbe1", "#f5f7f9"

# In pixels; all is twice as large as it is meant to be seen, to be sharp on any screen.
_PANEL = 336  # 28 × 12: every pixel that the model saw is a square
_BARS = 420
_MARGIN, _GAP = 56, 44
_COLUMNS = tuple(_MARGIN + i * (_PANEL + _GAP) for i in range(4))
_WIDTH = _COLUMNS[3] + _BARS + _MARGIN
_TITLE, _HEADER = 54, 76  # the baseline of the titles, and where the first row begins
_CAPTION, _BELOW = 66, 46
_ROW = _CAPTION + _PANEL + _BELOW
_THINNEST = 4  # a picture one pixel high still shows


def show(rows: Sequence[tuple[Look, Prediction]]) -> Image.Image:
    """How each picture was read: the picture, its ink, what the model saw, and what it said.

    A row of 448 pixels for each picture, in their order. Gives a picture of mode RGB.
    """
    sheet = Image.new("RGB", (_WIDTH, _HEADER + len(rows) * _ROW), "white")
    draw = ImageDraw.Draw(sheet)
    for x, title in zip(_COLUMNS, _TITLES, strict=True):
        draw.text((x, _TITLE), title, SOFT, font(23), "ls")
    for i, (look, prediction) in enumerate(rows):
        top = _HEADER + i * _ROW
        draw.line((_MARGIN, top, _WIDTH - _MARGIN - 1, top), _RULE, 2)
        _caption(draw, top + 43, look.picture.name, _answer(prediction))
        panels = _seen(look), Image.fromarray(255 - look.drawn), Image.fromarray(look.image)
        for x, panel in zip(_COLUMNS, panels, strict=False):
            _lay(sheet, _fitted(panel), x, top + _CAPTION)
        _bars(draw, top + _CAPTION, prediction)
    return sheet


def _seen(look: Look) -> Image.Image:
    """The picture with a frame around its ink, of the size that fits a panel."""
    image = _fitted(visible(look.picture)).convert("RGB")
    if look.drawn.any():
        height, width = look.drawn.shape
        box = stretched(look.box, image.width / width, image.height / height)
        frame(ImageDraw.Draw(image), box, RED, 3)
    return image


def _fitted(image: Image.Image) -> Image.Image:
    """`image` as large as a panel takes it."""
    scale, way = _PANEL / max(image.size), Image.Resampling.LANCZOS
    if scale >= SQUARES:
        scale, way = int(scale), Image.Resampling.NEAREST
    width, height = (max(_THINNEST, round(side * scale)) for side in image.size)
    return image.resize((width, height), way, reducing_gap=2)


def _lay(sheet: Image.Image, image: Image.Image, x: int, y: int) -> None:
    """Put `image` into the middle of the panel at (x, y)."""
    edge = (x - 2, y - 2, x + _PANEL + 1, y + _PANEL + 1)
    ImageDraw.Draw(sheet).rectangle(edge, _MAT, _RULE, 2)
    sheet.paste(image, (x + (_PANEL - image.width) // 2, y + (_PANEL - image.height) // 2))


def _caption(draw: ImageDraw.ImageDraw, baseline: int, name: str, answer: str) -> None:
    """The name at the left, the answer above its bars, or further left if it needs the room."""
    right = _WIDTH - _MARGIN
    answer = shortened(drawable(answer), 31, 0.55 * (right - _MARGIN))
    x = min(_COLUMNS[3], right - round(font(31).getlength(answer)))
    draw.text((x, baseline), answer, TEXT, font(31), "ls")
    name = shortened(drawable(name), 25, x - _GAP - _MARGIN)
    draw.text((_MARGIN, baseline), name, SOFT, font(25), "ls")


def _answer(prediction: Prediction) -> str:
    if prediction.digit is None:
        return prediction.reason or "no digit"
    return f"{prediction.digit} ({per_cent(prediction.confidence)})"


def _bars(draw: ImageDraw.ImageDraw, top: int, prediction: Prediction) -> None:
    """A bar for each digit; that of the answer is blue, its digit bold, and a triangle marks it."""
    left, right = _COLUMNS[3] + 54, _COLUMNS[3] + _BARS - 108
    for digit, probability in enumerate(prediction.probabilities.tolist()):
        answer = digit == prediction.digit
        middle = top + round((digit + 0.5) * _PANEL / 10)
        draw.rounded_rectangle((left, middle - 8, right, middle + 8), 4, _TRACK)
        length = round((right - left) * float(np.clip(probability, 0, 1)))
        if length > 0:
            end = left + max(length, 3)
            draw.rounded_rectangle((left, middle - 8, end, middle + 8), 4, BLUE if answer else _BAR)
        if answer:
            mark = left - 54
            draw.polygon([(mark, middle - 8), (mark, middle + 8), (mark + 12, middle)], BLUE)
        colour = TEXT if answer else SOFT if probability >= 0.0005 else FAINT
        label = (left - 14, middle + 8)
        draw.text(label, str(digit), colour, font(24), "rs", stroke_width=int(answer))
        draw.text((right + 108, middle + 8), per_cent(probability), colour, font(24), "rs")
