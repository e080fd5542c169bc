"""Pages and photos of digits, composed at random, with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ....data.dataset import Dataset
from . import figures, negatives, paper, writing
from .hands import Hands
from .layer import Layer, PageDigit, visible
from .light import finger, lit, low_resolution, photographed
from .sampler import Cover, Field, Sampler, share

Shape = tuple[int, int]

_MARGIN = 12  # pixels around a page that is warped, which are cut off
_LARGEST = 72.0  # pixels of a digit in a line
_LARGEST_SINGLE = 150.0  # and of one alone: larger ones are looked at from farther
_MIN_DIFFERENCE = 4.0  # gray values between ink and its surroundings
_MIN_SIGNAL = 0.45  # deviations of the surroundings, besides
_TRIES = 4  # to make a picture in which a person sees the digits
_STRIPS = 0.25  # of the pages of lines: cropped close to one line, as fields of forms are
_STRIP_HEIGHTS = (18.0, 80.0)  # pixels, of 128
_KINDS = ("single", "drawn", "figure", "lines", "rows", "none", "plot")
_SHARES = (0.27, 0.08, 0.04, 0.3, 0.1, 0.17, 0.04)
_EMPTY = ("words", "signs", "one sign", "one word", "blank", "other")
_EMPTY_SHARES = (0.26, 0.18, 0.14, 0.12, 0.08, 0.22)


@dataclass(frozen=True)
class Page:
    """A generated picture with its truth.

    Attributes:
        gray: (height, width) uint8, as a decoded picture.
        mask: (height, width) uint8: the ink of digits, 0 to 255.
        owner: (height, width) uint8: which digit a pixel belongs to, 0 for none.
        digits: Those that can be seen; cut ones have the label -1.
        kind: What it shows, for tables of results.
    """

    gray: Cover
    mask: Cover
    owner: Cover
    digits: Sequence[PageDigit]
    kind: str

    @property
    def lines(self) -> list[str]:
        """The digits of each line from left to right, without those that are cut off."""
        texts: dict[int, list[tuple[int, int]]] = {}
        for digit in self.digits:
            if digit.label >= 0:
                texts.setdefault(digit.line, []).append((digit.order, digit.label))
        return ["".join(str(label) for _, label in sorted(v)) for _, v in sorted(texts.items())]


class PageMaker:
    """Makes pages, each different.

    Args:
        digits: MNIST's training digits.
        seed: The same seed and digits give the same pages.
        margins: Share of the pages that repeat their edge around them, as the finder pads pictures.
        smallest: Pixels of a digit's height in lines.
    """

    def __init__(
        self,
        digits: Dataset,
        seed: int | Sequence[int],
        margins: float = 0.3,
        smallest: float = 9.0,
    ) -> None:
        self.draw = Sampler(seed)
        self.margins, self.smallest = margins, smallest
        self.hands = Hands(digits, self.draw)

    def page(self, shape: Shape = (128, 128), kind: str | None = None) -> Page:
        """One page of (height, width) pixels; of a random kind if None."""
        draw = self.draw
        kind = kind or draw.choice(_KINDS, _SHARES)
        pads = [0, 0, 0, 0]
        draw.severity = draw.choice((0.25, 0.6, 1.0), (0.35, 0.35, 0.3))
        if draw.chance(self.margins):  # as a picture with a margin that repeats its edge
            most = min(shape) // 5
            pads = [draw.integer(0, most) if draw.chance(0.7) else 0 for _ in range(4)]
        if kind == "lines" and draw.chance(_STRIPS):
            pads[:2] = self._around_strip(shape)
        inner = shape[0] - pads[0] - pads[1], shape[1] - pads[2] - pads[3]
        for _ in range(_TRIES):
            tones, layer, contrast = self._scene(inner, kind)
            gray = photographed(draw, tones, contrast)
            if _is_legible(gray, layer):
                break
        digits, owner = visible(layer.owner, layer)
        mask = layer.mask
        mask[(layer.owner > 0) & (owner == 0)] = 0
        if any(pads):
            widths = ((pads[0], pads[1]), (pads[2], pads[3]))
            gray = np.pad(gray, widths, "edge")
            mask, owner = np.pad(mask, widths), np.pad(owner, widths)
            digits = [_moved(digit, pads[2], pads[0]) for digit in digits]
        return Page(gray, mask, owner, digits, kind)

    def _around_strip(self, shape: Shape) -> list[int]:
        """What is padded above and below a strip that is hardly higher than its line."""
        high = min(shape) / 128 * self.draw.log_uniform(*_STRIP_HEIGHTS)
        over = self.draw.integer(0, shape[0] - round(high))
        return [over, shape[0] - round(high) - over]

    def _scene(self, shape: Shape, kind: str) -> tuple[Field, Layer, float]:
        """Tones before the camera, the layer of ink, the contrast of the ink."""
        draw = self.draw
        if kind == "plot":
            return figures.plot(draw, self.hands, shape), Layer(shape), 200.0
        if kind == "figure":
            tones, layer = figures.figure(draw, self.hands, shape)
            return tones, layer, 150.0
        contrast = draw.uniform(30, 230) if draw.trouble(0.8) else draw.uniform(110, 240)
        light_paper = draw.uniform(contrast, 255)
        if kind == "drawn":
            layer = self._written(shape, "single")
            return self._screen(shape, layer, light_paper, contrast), layer, contrast
        warps = draw.chance(0.45)
        margin = _MARGIN if warps else 0
        large = shape[0] + 2 * margin, shape[1] + 2 * margin
        layer = self._written(large, kind)
        tones = self._paper(large, layer, light_paper, contrast)
        if warps:
            tones = self._warped(tones, layer, margin)
        if draw.chance(0.3):
            tones = 255 - tones
        tones = lit(draw, tones)
        if draw.trouble(0.14):
            tones = self._held(tones, layer)
        if draw.trouble(0.16):
            tones = low_resolution(draw, tones)
        return tones, layer, contrast

    def _written(self, shape: Shape, kind: str) -> Layer:
        draw, layer = self.draw, Layer(shape)
        if kind == "single":
            share = draw.choice(
                (draw.uniform(0.45, 0.9), draw.log_uniform(1 / 12, 0.6), draw.uniform(0.88, 1.08)),
                (0.45, 0.35, 0.2),
            )
            writing.write_single(layer, self.hands, min(share, _LARGEST_SINGLE / min(shape)))
        elif kind in ("lines", "rows"):
            most = min(_LARGEST, 0.85 * shape[0])
            least = max(self.smallest, 0.5 * most if shape[0] < shape[1] / 2 else 0)
            height = draw.log_uniform(min(least, most), most)
            write = writing.write_lines if kind == "lines" else writing.write_rows
            write(layer, self.hands, height)
        else:
            self._fill(layer)
        return layer

    def _fill(self, layer: Layer) -> None:
        """A page without digits."""
        draw = self.draw
        kind = draw.choice(_EMPTY, _EMPTY_SHARES)
        height = draw.log_uniform(8, 60)
        if kind == "words":
            lines = draw.integer(1, max(2, int(layer.ink.shape[0] / height)))
            negatives.words(layer, self.hands, height, lines)
        elif kind == "signs":
            negatives.signs(layer, self.hands, height, draw.integer(1, 8))
        elif kind == "one sign":
            negatives.one_sign(layer, self.hands)
        elif kind == "one word":
            negatives.one_word(layer, self.hands)
        elif kind == "other":
            for _ in range(draw.integer(1, 3)):
                draw.choice(negatives.KINDS)(layer, self.hands)

    def _beside(self, layer: Layer, height: float) -> Layer:
        """Print and writing around the digits, on a layer of its own, clear of their boxes."""
        draw = self.draw
        beside = Layer((layer.ink.shape[0], layer.ink.shape[1]))
        box = _box_of(layer, 0.12 * height + 2)
        if draw.chance(0.5):
            negatives.words(
                beside, self.hands, draw.uniform(0.2, 0.9) * height, draw.integer(1, 4), box
            )
        elif draw.chance(0.5):
            negatives.signs(beside, self.hands, height, draw.integer(1, 4), box)
        else:
            draw.choice(negatives.KINDS)(beside, self.hands)
            if box is not None:
                left, top, right, bottom = (max(0, round(v)) for v in box)
                beside.ink[top:bottom, left:right] = 0
        return beside

    def _paper(self, shape: Shape, layer: Layer, light: float, contrast: float) -> Field:
        """The page: paper, print, writing, and a table around it."""
        draw = self.draw
        tones = paper.paper(draw, shape, light)
        if draw.trouble(0.3):
            tones = paper.stained(draw, tones, contrast)
        height = _height_of(layer) or draw.uniform(10, 60)
        box = _box_of(layer, 0)
        print_depth = np.float32(
            draw.uniform(0.1, 1.0) * contrast * (1 if draw.chance(0.9) else -0.5)
        )
        print_cover = paper.printed(draw, shape, height)
        if print_cover is not None:
            tones = np.asarray(tones - print_depth * print_cover, np.float32)
        if box is not None and len(layer.digits) == 1 and draw.chance(0.25):
            depth = np.float32(draw.uniform(0.2, 1.0) * contrast)
            tones = np.asarray(tones - depth * paper.boxed(draw, shape, box), np.float32)
        if draw.chance(0.22) and layer.digits:
            cover = share(self._beside(layer, height).ink)
            other = np.float32(light - contrast * draw.uniform(0.3, 1.1))
            tones = np.asarray(tones + (other - tones) * cover, np.float32)
        tones = self._inked(tones, layer.ink, light - contrast, contrast)
        if draw.chance(0.27):
            left, top, right, bottom = box or (
                0.2 * shape[1], 0.2 * shape[0], 0.8 * shape[1], 0.8 * shape[0],
            )  # fmt: skip
            cover = paper.sheet(draw, shape, (left, top, right, bottom))
            tones = paper.on_table(draw, tones, cover)
            _hide(layer, cover)
        return tones

    def _inked(self, tones: Field, ink: Cover, ink_tone: float, contrast: float) -> Field:
        """Ink on the page: even, or as of pencil, chalk, or a pen that runs dry."""
        draw = self.draw
        shape = tones.shape[0], tones.shape[1]
        density = np.float32(draw.uniform(0.75, 1))
        strength = share(ink)
        if draw.trouble(0.45):
            uneven = draw.noise(shape, draw.choice((1, 2, 4))) * np.float32(draw.uniform(0.08, 0.4))
            strength = strength * np.clip(density + uneven, 0.2, 1)
        else:
            strength = strength * density
        darker = np.minimum(np.float32(ink_tone), tones - np.float32(0.3 * contrast))
        return np.asarray(tones + (darker - tones) * strength, np.float32)

    def _screen(self, shape: Shape, layer: Layer, light: float, contrast: float) -> Field:
        """Drawn on a screen: flat tones, perhaps of few pixels."""
        draw = self.draw
        back = 255.0 if draw.chance(0.7) else light
        ink = share(layer.ink)
        fore = max(0.0, back - contrast) if draw.chance(0.4) else draw.uniform(0, 40)
        tones = np.asarray(back + (np.float32(fore) - back) * ink, np.float32)
        if draw.chance(0.3):
            tones = low_resolution(draw, tones)
        return np.asarray(255 - tones if draw.chance(0.5) else tones, np.float32)

    def _warped(self, tones: Field, layer: Layer, margin: int) -> Field:
        """A page seen from the side or turned a little, without its margin."""
        draw = self.draw
        height, width = tones.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        turn = draw.normal(0, 0.06) if draw.chance(0.85) else draw.normal(0, 0.25)
        cosine, sine = np.cos(turn), np.sin(turn)
        middle = np.array([width / 2, height / 2])
        to = (corners - middle) @ [[cosine, sine], [-sine, cosine]] + middle
        to = to + draw.rng.normal(0, 0.035 * min(height, width), (4, 2))
        matrix = cv2.getPerspectiveTransform(corners, to.astype(np.float32))
        size, inside = (width, height), np.s_[margin:-margin, margin:-margin]
        layer.mask, layer.ink = (
            np.asarray(cv2.warpPerspective(v, matrix, size)[inside], np.uint8)
            for v in (layer.mask, layer.ink)
        )
        nearest = cv2.warpPerspective(layer.owner, matrix, size, flags=cv2.INTER_NEAREST)
        layer.owner = np.asarray(nearest[inside], np.uint8)
        way = cv2.BORDER_REPLICATE
        return np.asarray(
            cv2.warpPerspective(tones, matrix, size, borderMode=way)[inside], np.float32
        )

    def _held(self, tones: Field, layer: Layer) -> Field:
        """The page under a thumb that hides little of its digits."""
        cover, skin = finger(self.draw, (tones.shape[0], tones.shape[1]))
        if float((cover * layer.mask).sum()) > 0.05 * max(1.0, float(layer.mask.sum())):
            return tones
        _hide(layer, 1 - cover)
        return np.asarray(tones * (1 - cover) + skin * cover, np.float32)


def _is_legible(gray: Cover, layer: Layer) -> bool:
    """Whether the ink stands out from what is around it. Without ink: True."""
    ink = layer.mask > 160
    if not ink.any():
        return True
    wide = cv2.dilate((layer.mask > 20).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    inked, around = gray[ink].astype(np.float32), gray[wide & (layer.mask <= 20)]
    if not around.size:
        return True
    difference = abs(float(inked.mean()) - float(around.mean()))
    return difference > _MIN_DIFFERENCE + _MIN_SIGNAL * float(around.std())


def _moved(digit: PageDigit, right: int, down: int) -> PageDigit:
    a, b, c, d = digit.box
    box = a + right, b + down, c + right, d + down
    return PageDigit(digit.label, box, digit.line, digit.order, digit.number)


def _hide(layer: Layer, shown: Field) -> None:
    """Take away what is hidden, where `shown` is 0."""
    layer.mask = np.asarray(layer.mask * shown, np.uint8)
    layer.owner[shown < 0.5] = 0


def _box_of(layer: Layer, gap: float) -> tuple[float, float, float, float] | None:
    """The box around all digits, with a gap; None without any."""
    left, top, width, height = cv2.boundingRect(layer.owner)
    if width == 0:
        return None
    return left - gap, top - gap, left + width + gap, top + height + gap


def _height_of(layer: Layer) -> float | None:
    """About how tall the digits are."""
    if not layer.digits:
        return None
    rows = np.flatnonzero((layer.owner == 1).any(axis=1))
    return float(np.ptp(rows) + 1) if len(rows) else None
