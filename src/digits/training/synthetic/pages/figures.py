"""Figures as plotting programs save them: a digit in axes, through a color map; and plots."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .hands import Hands, font_paths, typed
from .layer import Layer
from .sampler import Cover, Field, Sampler, polyline, share

_MAPS = (
    None,
    cv2.COLORMAP_VIRIDIS,
    cv2.COLORMAP_JET,
    cv2.COLORMAP_PLASMA,
    cv2.COLORMAP_HOT,
    cv2.COLORMAP_BONE,
    cv2.COLORMAP_CIVIDIS,
)
_MAP_SHARES = (0.45, 0.2, 0.1, 0.07, 0.06, 0.06, 0.06)


@cache
def _lut(color_map: int | None) -> NDArray[np.float32]:
    """The gray of each of 256 values of a color map."""
    values = np.arange(256, dtype=np.uint8)
    if color_map is None:
        return values.astype(np.float32)
    colors = cv2.applyColorMap(values[:, None], color_map)
    return np.asarray(cv2.cvtColor(colors, cv2.COLOR_BGR2GRAY)[:, 0], np.float32)


@cache
def _tick_labels() -> tuple[Cover, ...]:
    """Numbers in small type, as they stand beside axes; nobody wants them read."""
    font = next(path for path in font_paths() if path.name == "DejaVuSans.ttf")
    texts = [str(n) for n in (*range(0, 30, 5), 50, 100, 200)] + ["0.0", "0.5", "1.0", "-1", "2.5"]
    return tuple(typed(text, font, 40) for text in texts)


def figure(draw: Sampler, hands: Hands, shape: tuple[int, int]) -> tuple[Field, Layer]:
    """A digit drawn in pixels within axes: its tones, and a layer that holds its mask alone."""
    height, width = shape
    layer = Layer(shape)
    page = draw.uniform(225, 255) if draw.chance(0.85) else draw.uniform(0, 60)
    line = 255 - page
    tones = np.full(shape, page, np.float32)
    side = round(draw.uniform(0.4, 0.95) * min(shape))
    left, top = draw.integer(0, width - side + 1), draw.integer(0, height - side + 1)
    image, label = hands.mnist_image()
    way = cv2.INTER_NEAREST if draw.chance(0.7) else cv2.INTER_LINEAR
    large = np.asarray(cv2.resize(image, (side, side), interpolation=way), np.uint8)
    table = _lut(draw.choice(_MAPS, _MAP_SHARES))
    table = table[::-1] if draw.chance(0.3) else table
    tones[top : top + side, left : left + side] = table[large]
    layer.place_mask(large, (left, top), label)
    if draw.chance(0.7):
        cv2.rectangle(tones, (left - 1, top - 1), (left + side, top + side), line, 1)
    if draw.chance(0.8):
        _ticks(draw, tones, (left, top, side), line)
    if draw.chance(0.4):
        words = Layer(shape)
        word = hands.word()
        high = draw.uniform(5, 12)
        wide = high * word.shape[1] / word.shape[0]
        words.put(word, (left + (side - wide) / 2, top - 1.5 * high, wide, high))
        _ink(tones, words.ink, line)
    return tones, layer


def _ticks(draw: Sampler, tones: Field, axes: tuple[int, int, int], line: float) -> None:
    left, top, side = axes
    labels = Layer((tones.shape[0], tones.shape[1]))
    step, size = draw.uniform(0.12, 0.35) * side, draw.uniform(4, 9)
    for place in np.arange(draw.uniform(0, step), side, step):
        for across in (True, False):
            spot = (round(left + place), top + side) if across else (left, round(top + place))
            end = (spot[0], spot[1] + 3) if across else (spot[0] - 3, spot[1])
            cv2.line(tones, spot, end, line, 1)
            label = draw.choice(_tick_labels())
            wide = size * label.shape[1] / label.shape[0]
            corner = (
                (spot[0] - wide / 2, spot[1] + 4)
                if across
                else (spot[0] - 5 - wide, spot[1] - size / 2)
            )
            labels.put(label, (*corner, wide, size))
    _ink(tones, labels.ink, line)


def plot(draw: Sampler, hands: Hands, shape: tuple[int, int]) -> Field:
    """A plot with curves, points or bars, and no digit but those beside its axes."""
    height, width = shape
    tones = np.full(shape, draw.uniform(230, 255), np.float32)
    size = round(draw.uniform(0.5, 0.85) * width), round(draw.uniform(0.5, 0.85) * height)
    left, top = draw.integer(0, width - size[0] + 1), draw.integer(0, height - size[1] + 1)
    cv2.rectangle(tones, (left, top), (left + size[0], top + size[1]), 0, 1)
    _ticks(draw, tones, (left, top, min(size)), 0)
    for _ in range(draw.integer(1, 5)):
        ink = np.zeros(shape, np.uint8)
        x = np.linspace(left + 2, left + size[0] - 2, 40)
        y = np.cumsum(draw.rng.normal(0, 1, 40))
        y = top + 3 + (y - y.min()) / max(np.ptp(y), 1e-6) * (size[1] - 6)
        if draw.chance(0.6):
            polyline(ink, np.stack([x, y], axis=1), draw.choice((1, 1, 2, 3)))
        elif draw.chance(0.5):
            for px, py in zip(x[::2].tolist(), y[::2].tolist(), strict=True):
                cv2.circle(ink, (round(px), round(py)), 2, 255, -1, cv2.LINE_AA)
        else:
            for px, py in zip(x[::5].tolist(), y[::5].tolist(), strict=True):
                cv2.rectangle(ink, (round(px), round(py)), (round(px) + 5, top + size[1]), 255, -1)
        _ink(tones, ink, draw.uniform(0, 180))
    return tones


def _ink(tones: Field, cover: Cover, tone: float) -> None:
    tones += (np.float32(tone) - tones) * share(cover)
