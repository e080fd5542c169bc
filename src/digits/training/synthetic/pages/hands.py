"""Digits and signs as covers of ink, sorted by hand and pen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ....data.dataset import Dataset
from ..glyphs import SYMBOLS, Shape
from .sampler import Cover, Sampler, polyline
from .styles import SHAPES

PENS = (1.5, 3.0, 5.0, 7.5, 11.0, 16.0)
"""Stroke widths in pixels of a digit 88 pixels tall: from a hair to a marker."""

_TALL = 88.0
_CANVAS = 176
_LARGE = 5  # times MNIST's resolution, at which its strokes are made thinner or thicker
_MNIST_PEN = 12.0  # pixels of a usual MNIST stroke at that size
_PER_SHAPE = 3  # writings of each shape with each pen that are kept
_PER_PEN = 60  # MNIST digits of each class with each pen that are kept
_FONT_SHARE = 0.03  # of hands are type
_WORDS = 700
_LETTER_POOL = 300
_WRITTEN_WORDS = 120  # with each pen
_SCRIPTS = (
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
)
_INKED = 60  # of 255
_S = ((0.9, 0.1), (0.4, 0), (0.1, 0.25), (0.5, 0.48), (0.9, 0.75), (0.5, 1), (0.05, 0.88))
_DOLLARS: tuple[Shape, ...] = (
    (_S, ((0.5, -0.15), (0.5, 1.15))),
    (_S, ((0.4, -0.15), (0.35, 1.15)), ((0.65, -0.15), (0.6, 1.15))),
)


@dataclass(frozen=True)
class Hand:
    """One writer with one pen: which shapes they use, and how they lean.

    Attributes:
        mnist: The probability that a digit is one of MNIST's.
        pen: An index into PENS.
        variants: The shape that this hand uses for each digit.
        slant: Pixels to the right for each pixel up, on top of each glyph's own.
        width: A factor for the width of each glyph.
        font: Of a hand that is type.
    """

    mnist: float
    pen: int
    variants: tuple[int, ...]
    slant: float
    width: float
    font: Path | None = None


class Hands:
    """Pools of glyphs, from which pages are written.

    Args:
        digits: MNIST's training digits.
        sampler: Random draws.
    """

    def __init__(self, digits: Dataset, sampler: Sampler) -> None:
        self.sampler = sampler
        self._digits = digits
        self._by_class = [np.flatnonzero(digits.labels == label) for label in range(10)]
        self._pools: dict[tuple[object, ...], list[Cover]] = {}

    def refresh(self, share: float) -> None:
        """Drop a share of all glyphs, so that new ones take their place."""
        for pool in self._pools.values():
            pool[:] = [glyph for glyph in pool if not self.sampler.chance(share)]

    def _pooled(self, key: tuple[object, ...], most: int, make: Callable[[], Cover]) -> Cover:
        """A new glyph while its pool is not full, then one of the pool."""
        pool = self._pools.setdefault(key, [])
        if len(pool) < most:
            pool.append(make())
            return pool[-1]
        return self.sampler.choice(pool)

    def hand(self) -> Hand:
        """A new writer."""
        draw = self.sampler
        return Hand(
            mnist=draw.choice((1.0, 0.0, 0.5), (0.45, 0.4, 0.15)),
            pen=draw.choice(range(len(PENS)), (0.1, 0.2, 0.25, 0.2, 0.15, 0.1)),
            variants=tuple(draw.integer(0, len(SHAPES[label])) for label in range(10)),
            slant=draw.normal(0, 0.12),
            width=float(np.exp(draw.normal(0, 0.15))),
            font=draw.choice(font_paths()) if draw.chance(_FONT_SHARE) else None,
        )

    def digit(self, label: int, hand: Hand) -> Cover:
        """The cover of a digit, cropped to its ink, 88 pixels tall or nearly so."""
        draw = self.sampler
        if hand.font is not None:
            cover = _typed_digit(label, hand.font)
        elif draw.chance(hand.mnist):
            cover = self._pooled(
                ("mnist", label, hand.pen), _PER_PEN, lambda: self._from_mnist(label, hand.pen)
            )
        else:
            usual = draw.chance(0.85)
            variant = hand.variants[label] if usual else draw.integer(0, len(SHAPES[label]))
            shape = SHAPES[label][variant]
            cover = self._pooled(
                ("written", label, hand.pen, variant), _PER_SHAPE, lambda: self._write(shape, hand)
            )
        return sheared(cover, hand.slant + draw.normal(0, 0.04))

    def sign(self, hand: Hand) -> Cover:
        """A handwritten letter or sign that is no digit."""
        index = self.sampler.integer(0, len(SYMBOLS))
        shape = SYMBOLS[index]
        cover = self._pooled(("sign", index, hand.pen), 2, lambda: self._write(shape, hand))
        return sheared(cover, hand.slant)

    def word(self) -> Cover:
        """A word in type, without digits."""
        return self._pooled(("word",), _WORDS, lambda: _word(self.sampler))

    def letter(self) -> Cover:
        """A letter or sign in type that is clearly no digit."""
        return self._pooled(("letter",), _LETTER_POOL, lambda: _letter(self.sampler))

    def written_word(self, hand: Hand) -> Cover:
        """A word in handwriting, without digits."""
        key = ("written word", hand.pen)
        return self._pooled(key, _WRITTEN_WORDS, lambda: _written_word(self.sampler, hand.pen))

    def _write(self, shape: Shape, hand: Hand) -> Cover:
        return write(shape, self.sampler, PENS[hand.pen])

    def dollar(self, hand: Hand) -> Cover:
        """A handwritten dollar sign."""
        return sheared(self._write(self.sampler.choice(_DOLLARS), hand), hand.slant)

    def mnist_image(self) -> tuple[NDArray[np.uint8], int]:
        """An MNIST digit as it is, and its label."""
        index = self.sampler.integer(0, len(self._digits))
        return self._digits.images[index], int(self._digits.labels[index])

    def _from_mnist(self, label: int, pen: int) -> Cover:
        """An enlarged MNIST digit with its stroke brought near that of a pen."""
        indices, width = self._by_class[label], PENS[pen]
        image = self._digits.images[indices[self.sampler.integer(0, len(indices))]]
        large = cv2.resize(image, None, fx=_LARGE, fy=_LARGE, interpolation=cv2.INTER_CUBIC)
        soft = cv2.GaussianBlur(large, (0, 0), 1.8).astype(np.float32)
        cover = np.clip((soft - 115) * 4 + 127, 0, 255).astype(np.uint8)
        cover = cv2.copyMakeBorder(cover, 14, 14, 14, 14, cv2.BORDER_CONSTANT)
        change = round(width * 1.15 - _MNIST_PEN + self.sampler.normal(0, 1.5))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
        other = (cv2.dilate if change > 0 else cv2.erode)(cover, kernel)
        # Erosion that would break the stroke goes only as far as the stroke holds.
        while change < 0 and (other > 127).sum() < 0.3 * (cover > 127).sum():
            change += 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
            other = cv2.erode(cover, kernel)
        return cropped(np.asarray(other, np.uint8))


def write(shape: Shape, sampler: Sampler, width: float) -> Cover:
    """One writing of a shape with a pen `width` pixels wide, cropped to its ink."""
    rng = sampler.rng
    wide = _TALL * sampler.uniform(0.4, 0.95)
    unrest = sampler.log_uniform(0.015, 0.075)
    crowding = np.exp(rng.normal(0, 0.2, 2))
    slant, turn = sampler.normal(0.1, 0.2), sampler.normal(0, 0.06)
    cosine, sine = np.cos(turn), np.sin(turn)
    place = np.array([[cosine, -sine], [sine, cosine]]) @ [[wide, -_TALL * slant], [0, _TALL]]
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    width = width * sampler.uniform(0.85, 1.2)
    rounded = sampler.chance(0.9)  # else from point to point, as with a mouse
    for stroke in shape:
        points = np.array(stroke, float)
        moved = np.sign(points) * np.abs(points) ** crowding + rng.normal(0, unrest, points.shape)
        for i in range(1, len(points)):
            if (points[i] == points[i - 1]).all():  # a corner stays one
                moved[i] = moved[i - 1]
        path = _smooth(moved - 0.5) if rounded else moved - 0.5
        polyline(canvas, path @ place.T + _CANVAS / 2, width)
    return cropped(canvas)


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corner cutting, three times (Chaikin, 1974); the ends stay."""
    for _ in range(3):
        first, second = points[:-1], points[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points


def sheared(cover: Cover, slant: float) -> Cover:
    """`cover` leaning to the right by `slant` pixels for each pixel up, cropped to its ink."""
    if abs(slant) < 0.02:
        return cover
    height, width = cover.shape
    shift = abs(slant) * height
    matrix = np.array([[1, -slant, slant * height if slant > 0 else 0.0], [0, 1, 0]])
    matrix[0, 2] += 1
    size = (int(width + shift) + 3, height)
    return cropped(np.asarray(cv2.warpAffine(cover, matrix, size), np.uint8))


def cropped(cover: Cover) -> Cover:
    """`cover` cut to its ink, or as it is without any."""
    left, top, width, height = cv2.boundingRect((cover > _INKED).astype(np.uint8))
    if width == 0:
        return cover
    return np.ascontiguousarray(cover[top : top + height, left : left + width])


@cache
def font_paths() -> tuple[Path, ...]:
    """The text fonts that come with matplotlib."""
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    symbols = ("STIXNonUni", "STIXSiz", "LastResort", "Display", "cmex", "cmsy", "cmmi")
    return tuple(p for p in sorted(folder.glob("*.ttf")) if not p.name.startswith(symbols))


def typed(text: str, font: Path, size: int = 64) -> Cover:
    """`text` in type, cropped to its ink."""
    image = Image.new("L", (size * len(text) + size, 2 * size))
    drawing = ImageDraw.Draw(image)
    drawing.text((size // 2, size // 3), text, 255, ImageFont.truetype(str(font), size))
    return cropped(np.asarray(image))


@cache
def _typed_digit(label: int, font: Path) -> Cover:
    return typed(str(label), font, 110)


_LETTERS = "acdefhijkmnprtuvwxyACDEFGHJKLMNPQRTUVWXY"
_ALL_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KNOWN = (
    "Name Date Total Amount Pay Signature Class School Street City Nr. No. EUR CHF USD Rs. "
    "Betrag Datum FECHA TOTAL Suma Test Answer Phone Subject Teacher Points Address Order "
    "Invoice the and only of to with page is in that it was for on are as his they be at "
    "one have this from or had by hot but some what there we can out other were all your "
    "when up use word how said an each she which do their time if will way about many then "
    "them would write like so these her long make thing see him two has look more day could "
    "go come did my sound no most number who over know water than call first people may "
    "down side been now find any new work part take get place made live where after back "
    "little year came show every good me give our under der die und das nicht von sie ist "
    "des sich mit dem dass er es ein ich auf so eine auch als an nach wie le de un et les "
    "des en du une que est pour qui dans par plus pas au sur ne se el la los para "
).split()


def _letter(sampler: Sampler) -> Cover:
    """A letter or sign in type, of strokes or of a font."""
    text = sampler.choice(_LETTERS + "@#%&*+=?!<>^~{}[]")
    if sampler.chance(0.5):
        return sheared(typed(text, sampler.choice(font_paths()), 100), sampler.normal(0, 0.1))
    canvas = np.zeros((200, 220), np.uint8)
    font = sampler.choice(_SCRIPTS)
    cv2.putText(canvas, text, (60, 130), font, 3.2, 255, sampler.integer(2, 14), cv2.LINE_AA)
    return sheared(cropped(canvas), sampler.normal(0, 0.15))


def _written_word(sampler: Sampler, pen: int) -> Cover:
    """A word of stroke letters, bent as a hand bends them."""
    text = sampler.choice([word for word in _KNOWN if len(word) >= 3])
    text = sampler.choice((text, text.capitalize(), text.upper()), (0.6, 0.25, 0.15))
    font = sampler.choice(_SCRIPTS)
    size = sampler.uniform(1.6, 2.2)
    width = max(1, round(PENS[pen] / 2 * sampler.uniform(0.7, 1.2)))
    (wide, high), below = cv2.getTextSize(text, font, size, width)
    canvas = np.zeros((2 * (high + below), wide + 80), np.uint8)
    cv2.putText(canvas, text, (40, high + high // 2), font, size, 255, width, cv2.LINE_AA)
    y, x = np.indices(canvas.shape, np.float32)
    period, depth = sampler.uniform(25, 90), sampler.uniform(0, 5)
    phase = sampler.uniform(0, 2 * np.pi)
    x_from = x + depth * np.sin(y / np.float32(period) + np.float32(phase))
    y_from = y + depth * np.sin(x / np.float32(period) + np.float32(2 * phase))
    bent = cv2.remap(canvas, x_from, y_from, cv2.INTER_LINEAR)
    return sheared(cropped(np.asarray(bent, np.uint8)), sampler.normal(0.05, 0.15))


def _word(sampler: Sampler) -> Cover:
    """A word in type; lone letters are none that could be a digit."""
    length = sampler.integer(1, 12)
    letters = _LETTERS if length < 3 else _ALL_LETTERS
    text = "".join(sampler.choice(letters) for _ in range(length))
    if sampler.chance(0.7):
        text = sampler.choice(_KNOWN)
        text = sampler.choice((text, text.upper(), text.capitalize()), (0.6, 0.2, 0.2))
    elif length >= 3 and sampler.chance(0.6):
        text = text.lower()
    text += sampler.choice(("", ".", ",", ":"), (0.8, 0.08, 0.08, 0.04))
    return typed(text, sampler.choice(font_paths()), 40)
