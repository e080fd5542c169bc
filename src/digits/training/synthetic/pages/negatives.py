"""What a page shows beside digits, or instead of them: words, signs, scribbles, drawings, codes."""

from __future__ import annotations

import cv2
import numpy as np

from .hands import PENS, Hands
from .layer import Layer
from .sampler import Cover, polyline

Box = tuple[float, float, float, float]

_WRITTEN = 0.4  # of the lines of words are handwriting


def words(layer: Layer, hands: Hands, height: float, lines: int, free: Box | None = None) -> None:
    """Lines of words in type or handwriting, `height` pixels tall; `free` stays clear of them."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand = hands.hand() if draw.chance(_WRITTEN) else None
    y = draw.uniform(-0.5 * height, max(1.0, tall - lines * height * 1.5))
    for _ in range(lines):
        x = draw.uniform(-0.2, 0.5) * wide
        end = x + draw.uniform(0.2, 1.2) * wide
        while x < min(end, wide):
            word = hands.word() if hand is None else hands.written_word(hand)
            high = height * min(1.0, word.shape[0] / 40)
            width = high * word.shape[1] / word.shape[0]
            if free is None or not _overlap((x, y, x + width, y + high), free):
                layer.put(word, (x, y + height - high, width, high))
            x += width + 0.4 * height
        y += height * draw.uniform(1.2, 2)


def signs(layer: Layer, hands: Hands, height: float, count: int, free: Box | None = None) -> None:
    """Handwritten letters and signs, in a row or anywhere."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand = hands.hand()
    row = draw.chance(0.5)
    x, y = draw.uniform(0, 0.4) * wide, draw.uniform(0, 0.8) * tall
    for _ in range(count):
        sign = hands.sign(hand)
        high = height * draw.uniform(0.7, 1.15)
        width = min(high * sign.shape[1] / sign.shape[0], 2 * high)
        if not row:
            x, y = draw.uniform(-0.1, 0.95) * wide, draw.uniform(-0.1, 0.95) * tall
        if free is None or not _overlap((x, y, x + width, y + high), free):
            layer.put(sign, (x, y, width, high))
        x += width + draw.uniform(0, 0.3) * height


def one_sign(layer: Layer, hands: Hands) -> None:
    """A single letter or sign, as large as a single digit would be."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    sign = hands.letter() if draw.chance(0.5) else hands.sign(hands.hand())
    _alone(layer, hands, sign, draw.log_uniform(0.15, 1.0) * min(tall, wide))


def one_word(layer: Layer, hands: Hands) -> None:
    """A single word that fills most of the width."""
    draw = hands.sampler
    word = hands.word() if draw.chance(0.5) else hands.written_word(hands.hand())
    _alone(layer, hands, word, draw.uniform(0.4, 1.05) * layer.ink.shape[1])


def _alone(layer: Layer, hands: Hands, cover: Cover, longer: float) -> None:
    """Put a cover on the page, its longer side so many pixels, in the middle or anywhere."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    scale = longer / max(cover.shape)
    high, width = cover.shape[0] * scale, cover.shape[1] * scale
    across, down = (0.5, 0.5) if draw.chance(0.6) else (draw.uniform(0, 1), draw.uniform(0, 1))
    layer.put(cover, (across * (wide - width), down * (tall - high), width, high))


def _overlap(first: Box, second: Box) -> bool:
    across = min(first[2], second[2]) > max(first[0], second[0])
    return across and min(first[3], second[3]) > max(first[1], second[1])


def scribble(layer: Layer, hands: Hands) -> None:
    """A pen that goes anywhere: loops, zigzags, crossed lines."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    for _ in range(draw.integer(1, 4)):
        count = draw.integer(3, 20)
        size = draw.log_uniform(0.15, 1.2)
        middle = draw.rng.uniform(0, 1, 2)
        points = (middle + draw.rng.normal(0, size / 3, (count, 2))) * [wide, tall]
        if draw.chance(0.4):  # along a line
            points[:, 0] = np.linspace(0, size * wide, count) + draw.uniform(0, 0.5) * wide
        if draw.chance(0.6):
            knots = np.linspace(0, count - 1, count * 6)
            places = np.arange(count)
            points = np.stack([np.interp(knots, places, points[:, i]) for i in (0, 1)], axis=1)
            soft = np.ones(7) / 7
            points = np.stack([np.convolve(points[:, i], soft, "valid") for i in (0, 1)], axis=1)
        pen = draw.choice(PENS) / 88 * draw.uniform(0.15, 0.9) * min(tall, wide)
        polyline(layer.ink, points, pen)


def drawing(layer: Layer, hands: Hands) -> None:
    """Circles, ellipses, polygons, arrows, open or filled."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    for _ in range(draw.integer(1, 6)):
        middle = draw.integer(0, wide), draw.integer(0, tall)
        axes = tuple(max(3, round(draw.log_uniform(0.04, 0.5) * min(tall, wide))) for _ in "xy")
        thick = max(1, round(draw.log_uniform(0.008, 0.06) * min(tall, wide)))
        value = draw.integer(90, 256)
        kind = draw.integer(0, 4)
        if kind == 0:
            # An open ellipse that is tall is a 0; a flat one or a filled one is none.
            flat = (max(axes), max(3, min(axes) // 2)) if draw.chance(0.6) else axes
            thick = -1 if flat is axes else thick
            cv2.ellipse(
                layer.ink, middle, flat, draw.normal(0, 10), 0, 360, value, thick, cv2.LINE_AA
            )
        elif kind == 1:
            corners = np.array(middle) + draw.rng.normal(0, max(axes), (draw.integer(3, 8), 2))
            polyline(layer.ink, np.vstack([corners, corners[:1]]), thick, value)
        elif kind == 2:
            ends = [(draw.integer(0, wide), draw.integer(0, tall)) for _ in "ab"]
            cv2.arrowedLine(layer.ink, ends[0], ends[1], value, thick, cv2.LINE_AA)
        else:
            corner = middle[0] + axes[0], middle[1] + axes[1]
            fill = -1 if draw.chance(0.3) else thick
            cv2.rectangle(layer.ink, middle, corner, value, fill, cv2.LINE_AA)


def barcode(layer: Layer, hands: Hands) -> None:
    """Bars, or the squares of a two-dimensional code."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    high, width = (round(draw.uniform(0.25, 1) * side) for side in (tall, wide))
    top, left = draw.integer(0, tall - high + 1), draw.integer(0, wide - width + 1)
    columns = draw.integer(12, 50)
    rows = 1 if draw.chance(0.5) else columns * high // width + 2
    bits = (draw.rng.random((rows, columns)) < 0.5).astype(np.uint8) * 255
    layer.ink[top : top + high, left : left + width] = cv2.resize(
        bits, (width, high), interpolation=cv2.INTER_NEAREST
    )


def objects(layer: Layer, hands: Hands) -> None:
    """Filled shapes of many tones, as of things and of parts of photographs."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    for _ in range(draw.integer(2, 14)):
        middle = draw.rng.uniform(0, 1, 2) * [wide, tall]
        size = draw.log_uniform(0.05, 0.6) * min(tall, wide)
        count = draw.integer(3, 12)
        angles = np.sort(draw.rng.uniform(0, 2 * np.pi, count))
        far = size * draw.rng.uniform(0.4, 1, count)
        corners = middle + np.stack([np.cos(angles), np.sin(angles)], axis=1) * far[:, None]
        value = draw.integer(0, 256)
        cv2.fillPoly(layer.ink, [np.rint(corners * 16).astype(np.int32)], value, cv2.LINE_AA, 4)
    if draw.chance(0.4):
        layer.ink = np.asarray(cv2.GaussianBlur(layer.ink, (0, 0), draw.uniform(0.5, 5)), np.uint8)


def stamp(layer: Layer, hands: Hands) -> None:
    """A ring, or a frame, with words in it, turned."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    side = 120
    cover = np.zeros((side, side), np.uint8)
    if draw.chance(0.5):
        cv2.circle(cover, (60, 60), 56, 255, draw.integer(1, 5), cv2.LINE_AA)
    else:
        cv2.rectangle(cover, (4, 30), (116, 90), 255, draw.integer(1, 5), cv2.LINE_AA)
    for row in range(draw.integer(1, 3)):
        word = hands.word()
        high = min(22, round(90 * word.shape[0] / word.shape[1]) + 1)
        size = min(96, round(high * word.shape[1] / word.shape[0]) + 1), high
        small = cv2.resize(word, size, interpolation=cv2.INTER_AREA)
        left, top = 60 - size[0] // 2, 38 + 26 * row
        np.maximum(
            cover[top : top + high, left : left + size[0]],
            small,
            out=cover[top : top + high, left : left + size[0]],
        )
    matrix = cv2.getRotationMatrix2D((60, 60), draw.normal(0, 25), 1.0)
    turned = np.asarray(cv2.warpAffine(cover, matrix, (side, side)), np.uint8)
    size_px = draw.uniform(0.3, 1.1) * min(tall, wide)
    corner = draw.uniform(-0.3, 0.9) * wide, draw.uniform(-0.3, 0.9) * tall
    layer.put(turned, (*corner, size_px, size_px))


def marks(layer: Layer, hands: Hands) -> None:
    """Dashes, dots, ticks, short strokes, and other small things."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    for _ in range(draw.integer(2, 20)):
        x, y = draw.uniform(0, 1) * wide, draw.uniform(0, 1) * tall
        size = draw.log_uniform(0.01, 0.15) * min(tall, wide)
        thick = draw.log_uniform(0.1, 0.5) * size + 0.6
        angle = draw.normal(0, 0.25) if draw.chance(0.7) else draw.uniform(0, np.pi)
        if abs(np.sin(angle)) > 0.7:  # an upright stroke is a 1
            angle = 0.0
        step = np.array([np.cos(angle), np.sin(angle)]) * size
        polyline(layer.ink, np.array([[x, y], [x + step[0], y + step[1]]]), thick)


def crossed_out(layer: Layer, hands: Hands) -> None:
    """A number that its writer has struck out: nobody wants it read."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand = hands.hand()
    height = draw.log_uniform(0.12, 0.6) * tall
    left, top = draw.uniform(0, 0.5) * wide, draw.uniform(0, 0.9) * (tall - height)
    pen = PENS[hand.pen] / 88 * height
    x = left
    for _ in range(draw.integer(1, 5)):
        cover = hands.digit(draw.integer(0, 10), hand)
        width = height * cover.shape[1] / cover.shape[0]
        layer.put(cover, (x, top, width, height))
        x += width + draw.uniform(0, 0.2) * height
    count = draw.integer(5, 14)
    points = np.stack([np.linspace(left, x, count), np.full(count, top + 0.5 * height)], axis=1)
    swing = np.where(np.arange(count) % 2, 0.4, -0.4) * draw.uniform(0.4, 1.2)
    points[:, 1] += height * (swing + draw.rng.normal(0, 0.06, count))
    polyline(layer.ink, points, pen * draw.uniform(0.8, 1.5))


KINDS = (scribble, drawing, barcode, marks, objects, stamp, crossed_out)
"""What fills a page without digits."""
