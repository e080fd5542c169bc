"""How single digits were read, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from ..._io.text import percent
from ..wording import describe
from .style import (
    BLUE,
    FAINT,
    RED,
    SOFT,
    TEXT,
    elided,
    font,
    frame,
    opaque,
    scaled,
    scaled_box,
    to_ascii,
)

if TYPE_CHECKING:
    from ...imaging.decode import Gray
    from ...recognition.preprocess import Preprocessed
    from ...recognition.results import Prediction

_TITLES = ("Picture", "Foreground", "Model input 28x28", "Probability of each digit")
_BAR, _TRACK, _RULE, _MAT = "#a9b5c1", "#eef1f4", "#d5dbe1", "#f5f7f9"

# Pixels, at twice the size at which the drawing is meant to be seen, to be sharp on any screen.
_PANEL = 336  # 28 × 12: every pixel of the model input is a square
_BARS = 420
_MARGIN, _GAP = 56, 44
_COLUMNS = tuple(_MARGIN + i * (_PANEL + _GAP) for i in range(4))
_WIDTH = _COLUMNS[3] + _BARS + _MARGIN
_TITLE, _HEADER = 54, 76  # baseline of the titles, and top of the first row
_CAPTION, _BELOW = 66, 46
_ROW = _CAPTION + _PANEL + _BELOW

_MIN_SHOWN = 0.0005  # a less probable digit is `<0.1%`, printed in a fainter color


def show(rows: Sequence[tuple[Preprocessed, Prediction]]) -> Image.Image:
    """Draw for each picture its foreground, the model input and the probabilities.

    Args:
        rows: Pictures and what was predicted for them. Each takes a row of 448 pixels.

    Returns:
        An image of mode RGB.
    """
    sheet = Image.new("RGB", (_WIDTH, _HEADER + len(rows) * _ROW), "white")
    draw = ImageDraw.Draw(sheet)
    for x, title in zip(_COLUMNS, _TITLES, strict=True):
        draw.text((x, _TITLE), title, SOFT, font(23), "ls")
    for i, (preprocessed, prediction) in enumerate(rows):
        top = _HEADER + i * _ROW
        draw.line((_MARGIN, top, _WIDTH - _MARGIN - 1, top), _RULE, 2)
        _draw_caption(draw, top + 43, preprocessed.picture.name, describe(prediction))
        panels = (
            _framed(preprocessed),
            Image.fromarray(_fitted(255 - preprocessed.mask)),
            Image.fromarray(_fitted(preprocessed.image)),
        )
        for x, panel in zip(_COLUMNS, panels, strict=False):
            _paste(sheet, panel, x, top + _CAPTION)
        _draw_bars(draw, top + _CAPTION, prediction)
    return sheet


def _framed(preprocessed: Preprocessed) -> Image.Image:
    """The picture in the size of a panel, with a frame around its foreground."""
    image = Image.fromarray(_fitted(opaque(preprocessed.picture))).convert("RGB")
    if preprocessed.has_ink:
        height, width = preprocessed.mask.shape
        box = scaled_box(preprocessed.box, image.width / width, image.height / height)
        frame(ImageDraw.Draw(image), box, RED, 3)
    return image


def _fitted(gray: Gray) -> Gray:
    """`gray` as large as fits a panel."""
    return scaled(gray, _PANEL / max(gray.shape))


def _paste(sheet: Image.Image, image: Image.Image, x: int, y: int) -> None:
    """Draw `image` into the middle of the panel at (x, y)."""
    edge = (x - 2, y - 2, x + _PANEL + 1, y + _PANEL + 1)
    ImageDraw.Draw(sheet).rectangle(edge, _MAT, _RULE, 2)
    sheet.paste(image, (x + (_PANEL - image.width) // 2, y + (_PANEL - image.height) // 2))


def _draw_caption(draw: ImageDraw.ImageDraw, baseline: int, name: str, answer: str) -> None:
    """The name on the left, the answer above the bars, or further left if it is wider."""
    right = _WIDTH - _MARGIN
    x = min(_COLUMNS[3], right - round(font(31).getlength(answer)))
    draw.text((x, baseline), answer, TEXT, font(31), "ls")
    name = elided(to_ascii(name), 25, x - _GAP - _MARGIN)
    draw.text((_MARGIN, baseline), name, SOFT, font(25), "ls")


def _draw_bars(draw: ImageDraw.ImageDraw, top: int, prediction: Prediction) -> None:
    """A bar for each digit; the predicted one has a blue bar, a bold digit and a triangle."""
    left, right = _COLUMNS[3] + 54, _COLUMNS[3] + _BARS - 108
    for digit, probability in enumerate(prediction.probabilities):
        predicted = digit == prediction.digit
        middle = top + round((digit + 0.5) * _PANEL / 10)
        draw.rounded_rectangle((left, middle - 8, right, middle + 8), 4, _TRACK)
        length = round((right - left) * probability)
        if length > 0:
            end = left + max(length, 3)
            color = BLUE if predicted else _BAR
            draw.rounded_rectangle((left, middle - 8, end, middle + 8), 4, color)
        if predicted:
            mark = left - 54
            draw.polygon([(mark, middle - 8), (mark, middle + 8), (mark + 12, middle)], BLUE)
        color = TEXT if predicted else SOFT if probability >= _MIN_SHOWN else FAINT
        label = (left - 14, middle + 8)
        draw.text(label, str(digit), color, font(24), "rs", stroke_width=int(predicted))
        draw.text((right + 108, middle + 8), percent(probability), color, font(24), "rs")
