"""What writing stands on: paper, its print, its stains, and the table that it lies on."""

from __future__ import annotations

import cv2
import numpy as np

from .sampler import Field, Sampler, along, blurred, grid, share

Shape = tuple[int, int]
Box = tuple[float, float, float, float]


def paper(draw: Sampler, shape: Shape, tone: float) -> Field:
    """Blank paper of a tone from 0 to 255, with grain and cloudiness."""
    ground = np.full(shape, tone, np.float32)
    if draw.chance(0.6):
        ground += draw.noise(shape, 1) * np.float32(draw.log_uniform(0.3, 4))
    if draw.chance(0.5):
        grain = draw.choice((2, 4, 8))
        ground += draw.noise(shape, grain) * np.float32(draw.log_uniform(0.3, 5))
    if draw.chance(0.4):
        ground += draw.noise(shape, 32) * np.float32(draw.log_uniform(1, 15))
    return ground


def printed(draw: Sampler, shape: Shape, height: float) -> Field | None:
    """The print on the paper, 0 to 1, or None: rules, squares, dots, waves, weave, a margin.

    Args:
        draw: Random draws.
        shape: Of the page.
        height: Of a digit in pixels, which the distances follow.
    """
    kind = draw.choice(
        (None, _rules, _squares, _dots, _guilloche, _weave, _rings, _long_lines),
        (0.42, 0.17, 0.11, 0.03, 0.08, 0.05, 0.05, 0.09),
    )
    return None if kind is None else kind(draw, shape, height)


def _stripes(draw: Sampler, shape: Shape, step: float, angle: float) -> Field:
    far = np.abs((along(shape, angle) + draw.uniform(0, step)) % np.float32(step) - step / 2)
    wide = max(0.3, draw.log_uniform(0.012, 0.08) * step)
    return np.asarray(np.clip(wide + 0.5 - far, 0, 1), np.float32)


def _turn(draw: Sampler) -> float:
    return draw.normal(0, 0.04) if draw.chance(0.85) else draw.uniform(-0.6, 0.6)


def _rules(draw: Sampler, shape: Shape, height: float) -> Field:
    step = height * draw.log_uniform(0.4, 2.5)
    cover = _stripes(draw, shape, max(step, 5), np.pi / 2 + _turn(draw))
    if draw.chance(0.2):  # a margin
        far = np.abs(along(shape, _turn(draw)) - draw.uniform(-0.5, 0.5) * shape[1])
        cover = np.maximum(cover, np.clip(draw.uniform(0.5, 1.2) - far, 0, 1))
    return cover


def _squares(draw: Sampler, shape: Shape, height: float) -> Field:
    step, turn = max(height * draw.log_uniform(0.2, 1.5), 4), _turn(draw)
    first = _stripes(draw, shape, step, turn)
    return np.maximum(first, _stripes(draw, shape, step, turn + np.pi / 2))


def _dots(draw: Sampler, shape: Shape, height: float) -> Field:
    step, turn = max(height * draw.log_uniform(0.2, 1.2), 5), _turn(draw)
    wide = draw.uniform(0.5, 0.15 * step + 0.5)
    far = [
        np.abs((along(shape, turn + angle) + draw.uniform(0, step)) % step - step / 2)
        for angle in (0.0, np.pi / 2)
    ]
    return np.asarray(np.clip(wide + 0.5 - np.hypot(*far), 0, 1), np.float32)


def _guilloche(draw: Sampler, shape: Shape, height: float) -> Field:
    """Families of wavy lines, as on cheques."""
    cover = np.zeros(shape, np.float32)
    for _ in range(draw.integer(1, 4)):
        angle = draw.uniform(0, np.pi)
        period = draw.uniform(0.12, 0.6) * height + 3
        wave = np.sin(along(shape, angle + np.pi / 2) / draw.uniform(0.1, 0.8) / height)
        phase = along(shape, angle) + draw.uniform(0.02, 0.4) * height * wave
        edge = draw.uniform(0.5, 0.9)
        lines = np.clip((np.cos(phase * np.float32(2 * np.pi / period)) - edge) / (1 - edge), 0, 1)
        np.maximum(cover, lines * np.float32(draw.uniform(0.5, 1)), out=cover)
    return cover


def _weave(draw: Sampler, shape: Shape, height: float) -> Field:
    y, x = grid(shape)
    periods = (draw.uniform(2.2, 9) for _ in "xy")
    waves = [np.sin(v * np.float32(2 * np.pi / p)) for v, p in zip((x, y), periods, strict=True)]
    both = waves[0] * waves[1] if draw.chance(0.5) else (waves[0] + waves[1]) / 2
    return np.asarray(0.25 + 0.25 * (np.sign(both) if draw.chance(0.3) else both), np.float32)


def _rings(draw: Sampler, shape: Shape, height: float) -> Field:
    y, x = grid(shape)
    middle = draw.uniform(-0.3, 1.3) * shape[1], draw.uniform(-0.3, 1.3) * shape[0]
    far = np.hypot((x - middle[0]) * draw.uniform(0.4, 1), y - middle[1])
    far += draw.noise(shape, 32) * np.float32(draw.uniform(0, 6))
    edge = draw.uniform(0.3, 0.9)
    period = draw.uniform(0.12, 0.7) * height + 3
    return np.asarray(
        np.clip((np.cos(far * (6.28 / period)) - edge) / (1 - edge), 0, 1), np.float32
    )


def _long_lines(draw: Sampler, shape: Shape, height: float) -> Field:
    """A few long straight lines: of a table, a box, a fold, an underline."""
    cover = np.zeros(shape, np.uint8)
    for _ in range(draw.integer(1, 5)):
        thick = max(1, round(draw.log_uniform(0.01, 0.08) * height))
        value = draw.integer(80, 256)
        at, drop = draw.uniform(0, 1), draw.normal(0, 0.03)
        if draw.chance(0.6):
            ends = (-5, round(at * shape[0])), (shape[1] + 5, round((at + drop) * shape[0]))
        else:
            ends = (round(at * shape[1]), -5), (round((at + drop) * shape[1]), shape[0] + 5)
        cv2.line(cover, *ends, value, thick, cv2.LINE_AA)
    return share(cover)


def boxed(draw: Sampler, shape: Shape, box: Box) -> Field:
    """A printed box, or a pen's ring, around `box` (left, top, right, bottom): 0 to 1."""
    cover = np.zeros(shape, np.uint8)
    size = max(box[2] - box[0], box[3] - box[1])
    gaps = [draw.log_uniform(0.06, 0.6) * size + 2 for _ in range(4)]
    left, top = round(box[0] - gaps[0]), round(box[1] - gaps[1])
    right, bottom = round(box[2] + gaps[2]), round(box[3] + gaps[3])
    thick = max(1, round(draw.log_uniform(0.015, 0.1) * size))
    value = draw.integer(100, 256)
    if draw.chance(0.12):
        middle = ((left + right) // 2, (top + bottom) // 2)
        axes = (max(3, round((right - left) * 0.6)), max(3, round((bottom - top) * 0.6)))
        cv2.ellipse(cover, middle, axes, draw.normal(0, 8), 0, 360, value, thick, cv2.LINE_AA)
    else:
        cv2.rectangle(cover, (left, top), (right, bottom), value, thick, cv2.LINE_AA)
        if draw.chance(0.3):  # further cells beside it
            step = right - left
            for side in (-1, 1):
                x = left + side * step
                cv2.rectangle(cover, (x, top), (x + step, bottom), value, thick, cv2.LINE_AA)
    return share(cover)


def stained(draw: Sampler, ground: Field, depth: float) -> Field:
    """A blot, a ring of a cup, a fold, or print that shines through."""
    shape = ground.shape[0], ground.shape[1]
    kind = draw.integer(0, 4)
    if kind == 0:
        y, x = grid(shape)
        radius = draw.uniform(0.03, 0.35) * min(shape)
        far = np.hypot(x - draw.uniform(0, shape[1]), y - draw.uniform(0, shape[0]))
        far += draw.noise(shape, 8) * np.float32(draw.uniform(0, 4))
        spot = np.clip((radius - far) / draw.uniform(0.7, 4), 0, 1)
        if draw.chance(0.5):
            spot *= np.clip((far - radius * draw.uniform(0.7, 0.95)) / 2, 0, 1)
        return np.asarray(ground - spot * np.float32(draw.uniform(0.1, 0.6) * depth), np.float32)
    if kind < 3:
        off = along(shape, draw.uniform(0, np.pi)) - draw.uniform(-0.4, 0.4) * min(shape)
        fold = np.exp(-np.abs(off) / draw.log_uniform(0.4, 4)) * draw.uniform(-0.5, 0.5) * depth
        step = draw.uniform(-18, 18) * (off > 0)
        return np.asarray(ground + fold + step, np.float32)
    specks = (draw.noise(shape, draw.choice((1, 2))) > draw.uniform(2.3, 3.2)).astype(np.float32)
    return np.asarray(ground - specks * np.float32(draw.uniform(0.2, 1) * depth), np.float32)


def table(draw: Sampler, shape: Shape) -> Field:
    """What lies around a sheet: wood, cloth, plain, with things on it."""
    tone = draw.uniform(0, 255)
    ground = paper(draw, shape, tone)
    kind = draw.integer(0, 5)
    if kind == 0:  # wood
        knots = draw.noise((max(4, shape[0] // 2), max(4, shape[1] // draw.integer(8, 24))), 2)
        size = (shape[1], shape[0])
        grain = cv2.resize(np.ascontiguousarray(knots), size, interpolation=cv2.INTER_CUBIC)
        ground += grain * np.float32(draw.uniform(3, 22))
    elif kind == 1:  # cloth
        angle, depth = draw.uniform(0, 1.5), draw.uniform(3, 22)
        waves = [
            np.sin(along(shape, angle + turn) * np.float32(2 * np.pi / draw.log_uniform(2.5, 24)))
            for turn in (0, np.pi / 2)
        ]
        both = np.sign(waves[0]) + np.sign(waves[1]) if draw.chance(0.4) else waves[0] * waves[1]
        ground += both * np.float32(depth)
    elif kind == 2:  # stone
        ground += draw.noise(shape, draw.choice((2, 4, 8, 16))) * np.float32(draw.uniform(5, 40))
    for _ in range(draw.integer(0, 4) if draw.chance(0.4) else 0):
        ends = [(draw.integer(0, shape[1]), draw.integer(0, shape[0])) for _ in "ab"]
        thick = max(1, round(draw.log_uniform(0.005, 0.3) * min(shape)))
        cv2.line(ground, ends[0], ends[1], draw.uniform(0, 255), thick, cv2.LINE_AA)
    return ground


def sheet(draw: Sampler, shape: Shape, box: Box) -> Field:
    """The share of each pixel that a sheet covers which holds `box`, with a margin."""
    height, width = shape
    size = 0.1 * max(box[2] - box[0], box[3] - box[1]) + 3
    reach = [draw.uniform(0, 1.15) ** 1.3 for _ in range(4)]
    left, top = box[0] - size - reach[0] * box[0], box[1] - size - reach[1] * box[1]
    right = box[2] + size + reach[2] * (width - box[2])
    bottom = box[3] + size + reach[3] * (height - box[3])
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners += draw.rng.normal(0, 0.015 * min(shape), (4, 2))
    turn = draw.normal(0, 0.05)
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = (corners - middle) @ rotation + middle
    cover = np.zeros(shape, np.uint8)
    cv2.fillPoly(cover, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return share(cover)


def on_table(draw: Sampler, ground: Field, cover: Field) -> Field:
    """The page where `cover` is 1, a table around it, perhaps with the shadow of the sheet."""
    shape = ground.shape[0], ground.shape[1]
    around = table(draw, shape)
    if draw.chance(0.3):
        around *= 1 - np.float32(draw.uniform(0.1, 0.6)) * blurred(cover, draw.uniform(0.5, 5))
    return np.asarray(ground * cover + around * (1 - cover), np.float32)
