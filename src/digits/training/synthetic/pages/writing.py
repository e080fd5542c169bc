"""Lines of digits as people write them: amounts, dates, runs, rows, columns, cells of a form."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .hands import PENS, Hand, Hands
from .layer import Layer, dot, put_digit
from .sampler import Sampler, polyline

_GAPS = (-0.16, -0.06, 0.0, 0.06, 0.15, 0.35, 0.9)  # of a digit's height
_GAP_SHARES = (0.06, 0.14, 0.17, 0.2, 0.2, 0.15, 0.08)
_COILS = 0.2  # of lines: runs of zeros in them are written in one go


def number_text(sampler: Sampler) -> str:
    """A number as it is written: digits and `.,-/:$ `."""
    kind = sampler.choice(
        (_plain, _amount, _zeros, _date, _phone, _repeated), (0.38, 0.24, 0.1, 0.1, 0.1, 0.08)
    )
    return kind(sampler)


def _some(sampler: Sampler, low: int, high: int) -> str:
    return "".join(str(sampler.integer(0, 10)) for _ in range(sampler.integer(low, high)))


def _plain(sampler: Sampler) -> str:
    return _some(sampler, 1, 9)


def _repeated(sampler: Sampler) -> str:
    return str(sampler.integer(0, 10)) * sampler.integer(2, 8)


def _zeros(sampler: Sampler) -> str:
    return _some(sampler, 1, 3) + "0" * sampler.integer(1, 6)


def _amount(sampler: Sampler) -> str:
    whole = _zeros(sampler) if sampler.chance(0.4) else _some(sampler, 1, 6)
    separator = sampler.choice(".,' ")
    groups = [whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)][::-1]
    text = separator.join(groups) if sampler.chance(0.6) else whole
    if sampler.chance(0.5):
        text += sampler.choice(".,") + sampler.choice((_some(sampler, 2, 3), "00", "-", "--"))
    before = sampler.choice(("", "$", "=", "-"), (0.6, 0.2, 0.1, 0.1))
    return before + text + sampler.choice(("", "-", "=", "."), (0.7, 0.1, 0.1, 0.1))


def _date(sampler: Sampler) -> str:
    separator = sampler.choice("./-:")
    return separator.join(_some(sampler, 1, 3) for _ in range(sampler.integer(2, 4)))


def _phone(sampler: Sampler) -> str:
    separator = sampler.choice(" -/")
    return separator.join(_some(sampler, 2, 5) for _ in range(sampler.integer(2, 4)))


@dataclass
class _Pen:
    """Where a line of writing is, in pixels.

    Attributes:
        height: Of a usual digit.
        slope, bend: How far the line sinks for each pixel, and the curvature of an arc.
    """

    layer: Layer
    hands: Hands
    hand: Hand
    height: float
    start: float
    base: float
    slope: float
    bend: float
    line: int
    x: float = 0.0
    order: int = 0

    def top(self, x: float) -> float:
        """The top of a digit at `x`."""
        off = x - self.start
        return self.base + self.slope * off + self.bend * off * off

    @property
    def thickness(self) -> float:
        return PENS[self.hand.pen] / 88 * self.height


def write_line(
    layer: Layer, hands: Hands, hand: Hand, text: str, place: tuple[float, float, float], line: int
) -> None:
    """Write `text` from `place` (left, top, height of a digit) on; it may run out of the page."""
    draw = hands.sampler
    left, top, height = place
    slope = draw.normal(0, 0.04) if draw.chance(0.8) else draw.normal(0, 0.35)
    bend = draw.normal(0, 0.002) if draw.chance(0.2) else 0.0
    pen = _Pen(layer, hands, hand, height, left, top, slope, bend, line, left)
    gap = draw.choice(_GAPS, _GAP_SHARES)
    unrest = draw.uniform(0.02, 0.06) if gap < 0.3 else draw.uniform(0.03, 0.25)
    size_unrest, joins = draw.uniform(0.02, 0.14), draw.chance(0.25) and gap < 0.2
    align = draw.choice((1.0, 0.5, 0.0), (0.65, 0.25, 0.1))
    small_zero = draw.uniform(0.5, 1) if draw.chance(0.25) else 1.0
    before: tuple[float, float, float, float] | None = None
    coils = draw.chance(_COILS)
    for at, character in enumerate(text):
        if pen.x > layer.ink.shape[1]:
            break
        if coils and text[at : at + 2] == "00" and text[max(0, at - 1) : at] != "0":
            _coil(pen, len(text[at:]) - len(text[at:].lstrip("0")))
        if coils and "00" in text[max(0, at - 1) : at + 2] and character == "0":
            before = None
            continue
        if not character.isdigit():
            _mark(pen, character)
            before = None
            continue
        tall = height * float(np.clip(draw.normal(1, size_unrest), 0.6, 1.4))
        tall *= small_zero if character == "0" else 1
        y = pen.top(pen.x) + (height - tall) * align + draw.normal(0, 0.03) * height
        width = put_digit(layer, hands, hand, int(character), (pen.x, y, tall), (line, pen.order))
        if before is not None and joins and draw.chance(0.6):
            _join(pen, before, (pen.x, y, width, tall))
        before = (pen.x, y, width, tall)
        pen.order += 1
        pen.x += width + height * (gap + draw.normal(0, unrest))


def _coil(pen: _Pen, count: int) -> None:
    """Zeros written in one go, as a coil."""
    draw, height = pen.hands.sampler, pen.height
    high, wide = height * draw.uniform(0.6, 1), height * draw.uniform(0.35, 0.7)
    pitch = wide * draw.uniform(0.75, 1.3)
    start = draw.uniform(-0.6, -0.3) * np.pi  # near the top, where a hand begins
    side = int(np.ceil(height * 2))
    for _ in range(count):
        turns = np.linspace(0, 1.08, 28)
        angles = start - turns * 2 * np.pi
        x = np.cos(angles) * wide / 2 + (turns - 0.5) * pitch + draw.normal(0, 0.02) * wide
        y = np.sin(angles) * high / 2 * draw.uniform(0.9, 1.05)
        canvas = np.zeros((side, side), np.uint8)
        path = np.stack([x, y], axis=1) + side / 2
        polyline(canvas, path, max(pen.thickness, 0.7))
        left = pen.x + wide / 2 - side / 2
        top = pen.top(pen.x) + height / 2 - side / 2
        place = (pen.line, pen.order)
        pen.layer.put(canvas, (left, top, side, side), (0, *place))
        pen.order += 1
        pen.x += pitch
    pen.x += draw.uniform(0.05, 0.3) * height


def _join(
    pen: _Pen, first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> None:
    """A stroke from one digit to the next, near the top or at the foot."""
    draw = pen.hands.sampler
    (x0, y0, w0, h0), (x1, y1, w1, h1) = first, second
    low = draw.chance(0.3)
    start = np.array([x0 + w0 * draw.uniform(0.5, 0.95), y0 + h0 * draw.uniform(0.02, 0.25)])
    end = np.array([x1 + w1 * draw.uniform(0.1, 0.6), y1 + h1 * draw.uniform(0.02, 0.25)])
    if low:
        start[1], end[1] = y0 + h0 * draw.uniform(0.8, 1), y1 + h1 * draw.uniform(0.1, 0.5)
    middle = (start + end) / 2 + [0, draw.normal(0.05, 0.1) * pen.height]
    t = np.linspace(0, 1, 7)[:, None]
    path = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    pen.layer.stroke(path, pen.thickness * draw.uniform(0.6, 1))


def _mark(pen: _Pen, character: str) -> None:
    """A sign between digits; moves the pen on."""
    draw, high, wide = (
        pen.hands.sampler,
        pen.height,
        pen.thickness * pen.hands.sampler.uniform(0.8, 1.4),
    )
    pen.x += high * draw.uniform(0.04, 0.15)
    x, y = pen.x, pen.top(pen.x)
    if character in ".:'":
        for at in {".": (0.97,), ":": (0.4, 0.9), "'": (0.05,)}[character]:
            dot(pen.layer, x + wide / 2, y + high * (at + draw.normal(0, 0.04)), wide * 0.6)
        pen.x += wide
    elif character == ",":
        points = [(x + 0.08 * high, 0.9), (x - 0.08 * high * draw.uniform(0, 1), 1.25)]
        pen.layer.stroke(np.array([(px, y + high * py) for px, py in points]), wide)
        pen.x += wide
    elif character in "-=":
        length = high * draw.uniform(0.25, 1.2 if draw.chance(0.3) else 0.6)
        for shift in (0.5,) if character == "-" else (0.38, 0.62):
            ends = [(x, y + high * shift), (x + length, y + high * (shift + draw.normal(0, 0.05)))]
            pen.layer.stroke(np.array(ends), wide * 0.9)
        pen.x += length
    elif character == "/":
        ends = [
            (x + high * 0.3, y - high * draw.uniform(0, 0.2)),
            (x, y + high * draw.uniform(1, 1.2)),
        ]
        pen.layer.stroke(np.array(ends), wide * 0.9)
        pen.x += high * 0.3
    elif character == "$":
        cover = pen.hands.dollar(pen.hand)
        width = 1.1 * high * cover.shape[1] / cover.shape[0]
        pen.layer.put(cover, (x, y - 0.05 * high, width, 1.1 * high))
        pen.x += width
    else:
        pen.x += high * draw.uniform(0.1, 0.6)
    pen.x += high * draw.uniform(0.04, 0.15)


def write_lines(layer: Layer, hands: Hands, height: float) -> None:
    """A page of lines of numbers, one hand, `height` pixels tall, some of it perhaps cut off."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand = hands.hand()
    pitch = height * draw.uniform(1.2, 2.4)
    y = (
        draw.uniform(-0.3, 0.9) * height
        if draw.chance(0.6)
        else (tall - height) * draw.uniform(0, 1)
    )
    left = draw.choice(  # anywhere, at the edge, or cut by it
        (
            draw.uniform(0, 0.35) * wide,
            draw.uniform(-0.05, 0.4) * height,
            -draw.uniform(0, 2) * height,
        ),
        (0.6, 0.25, 0.15),
    )
    most = draw.choice((1, 2, 3, 12), (0.35, 0.2, 0.15, 0.3))
    line = 0
    while y < tall - 0.4 * height and line < most:
        x = left + draw.normal(0, 0.2) * height
        text = number_text(draw)
        while draw.chance(0.35):
            text += " " * draw.integer(2, 6) + number_text(draw)
        write_line(layer, hands, hand, text, (x, y, height), line)
        y += pitch * draw.uniform(0.9, 1.15)
        line += 1


def write_rows(layer: Layer, hands: Hands, height: float) -> None:
    """Digits apart from each other in rows and columns, perhaps each in a cell of a form."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand = hands.hand()
    step_x, step_y = height * draw.uniform(1.05, 2.6), height * draw.uniform(1.15, 2.8)
    start_x, start_y = draw.uniform(-0.3, 0.6) * step_x, draw.uniform(-0.3, 0.6) * step_y
    column = draw.chance(0.15)
    columns = 1 if column else max(1, int((wide - start_x) / step_x))
    if column:
        start_x = draw.uniform(0.05, 0.8) * wide
    rows = min(max(1, int((tall - start_y) / step_y)), draw.choice((1, 2, 30), (0.3, 0.25, 0.45)))
    unrest = draw.uniform(0.01, 0.1) * height
    same = draw.chance(0.3)
    if draw.chance(0.4):
        _cells(layer, draw, (start_x, start_y, step_x, step_y), (columns, rows))
    fill = draw.choice((1.0, 0.9, 0.5), (0.6, 0.25, 0.15))
    for row in range(rows):
        label, order = draw.integer(0, 10), 0
        for column_number in range(columns):
            label = label if same else draw.integer(0, 10)
            if not draw.chance(fill):
                continue
            size = height * float(np.clip(draw.normal(1, 0.07), 0.8, 1.1))
            x = (
                start_x
                + column_number * step_x
                + (step_x - 0.6 * size) / 2
                + draw.normal(0, unrest)
            )
            y = start_y + row * step_y + (step_y - size) / 2 + draw.normal(0, unrest)
            put_digit(layer, hands, hand, label, (x, y, size), (row, order))
            order += 1


def _cells(
    layer: Layer,
    draw: Sampler,
    at: tuple[float, float, float, float],
    counts: tuple[int, int],
) -> None:
    """The printed cells of a form: left, top, width, height of the first, and how many."""
    x, y, wide, high = at
    value, thick = draw.integer(80, 256), draw.choice((1, 2, 3), (0.6, 0.3, 0.1))
    apart = draw.uniform(0.03, 0.12) * wide if draw.chance(0.3) else 0.0
    for row in range(counts[1]):
        for column in range(counts[0]):
            left, top = round(x + column * wide + apart), round(y + row * high + apart)
            right, bottom = (
                round(x + (column + 1) * wide - apart),
                round(y + (row + 1) * high - apart),
            )
            cv2.rectangle(layer.ink, (left, top), (right, bottom), value, thick, cv2.LINE_AA)


def write_single(layer: Layer, hands: Hands, share: float) -> None:
    """One digit whose longer side is `share` of the page, anywhere, perhaps with a neighbor."""
    draw, (tall, wide) = hands.sampler, layer.ink.shape
    hand, label = hands.hand(), draw.integer(0, 10)
    height = share * min(tall, wide)
    cover = hands.digit(label, hand)
    ratio = min(cover.shape[1] / cover.shape[0] * hand.width, 1.6)
    width = height * ratio
    if width > height:
        width, height = height, height / ratio
    middle = draw.chance(0.6) or share > 0.9
    x = (wide - width) / 2 if middle else draw.uniform(0.02, 0.98) * (wide - width)
    y = (tall - height) / 2 if middle else draw.uniform(0.02, 0.98) * (tall - height)
    x, y = x + draw.normal(0, 0.03) * wide, y + draw.normal(0, 0.03) * tall
    layer.put(cover, (x, y, width, height), (label, 0, 0))
    if draw.chance(0.12):  # a neighbor of which a part looks in from the edge
        label = draw.integer(0, 10)
        across = draw.chance(0.7)
        far = draw.uniform(0.15, 0.9) * height * (0.6 if across else 1)
        before = draw.chance(0.5)
        at = -far if before else (wide if across else tall) - 0.3 * height
        left, top = (at, y) if across else (x, at)
        put_digit(layer, hands, hand, label, (left, top, height), (0 if across else 1, 1))
