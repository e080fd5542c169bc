"""Light on a page, and the camera that takes it."""

from __future__ import annotations

import cv2
import numpy as np

from .sampler import Cover, Field, Sampler, along, blurred, grid, share

Shape = tuple[int, int]


def lit(draw: Sampler, tones: Field) -> Field:
    """A slope of light, dark corners, shadows and glare, each in some pictures."""
    shape = tones.shape[0], tones.shape[1]
    if draw.trouble(0.3):
        side = along(shape, draw.uniform(0, 2 * np.pi)) / max(shape) + 0.5
        light = 1 - np.float32(draw.uniform(0.1, 0.75)) * np.clip(side, 0, 1)
        tones = np.asarray(tones * light, np.float32)
    if draw.trouble(0.25):
        tones = np.asarray(tones * _vignette(draw, shape), np.float32)
    for _ in range(draw.choice((1, 2, 3), (0.7, 0.2, 0.1)) if draw.trouble(0.4) else 0):
        light = 1 - np.float32(draw.uniform(0.12, 0.78)) * _shadow(draw, shape)
        tones = np.asarray(tones * light, np.float32)
    if draw.trouble(0.12):
        y, x = grid(shape)
        wide, high = (draw.uniform(0.05, 0.4) * max(shape) for _ in "xy")
        across = (x - draw.uniform(0, shape[1])) / np.float32(wide)
        down = (y - draw.uniform(0, shape[0])) / np.float32(high)
        far = np.asarray(across**2 + down**2, np.float32)
        spot = np.exp(-(far ** np.float32(draw.uniform(0.7, 2)))) * draw.uniform(0.3, 0.97)
        tones = np.asarray(tones + (draw.uniform(190, 275) - tones) * spot, np.float32)
    return np.asarray(tones, np.float32)


def _vignette(draw: Sampler, shape: Shape) -> Field:
    y, x = grid(shape)
    across = (x / shape[1] - 0.5 - draw.normal(0, 0.08)) ** 2
    down = (y / shape[0] - 0.5 - draw.normal(0, 0.08)) ** 2
    far = np.clip((across + down) / draw.uniform(0.2, 0.7), 0, 1) ** draw.uniform(0.6, 2)
    return np.asarray(1 - np.float32(draw.uniform(0.2, 0.97)) * far, np.float32)


def _shadow(draw: Sampler, shape: Shape) -> Field:
    """The share of light that something takes away, with a hard or soft edge."""
    if draw.chance(0.6):
        edge = draw.uniform(-0.4, 0.4) * max(shape)
        shade = (along(shape, draw.uniform(0, 2 * np.pi)) > edge).astype(np.float32)
    else:
        count = draw.integer(3, 7)
        corners = draw.rng.uniform(-0.3, 1.3, (count, 2)) * [shape[1], shape[0]]
        shade = np.zeros(shape, np.float32)
        cv2.fillPoly(shade, [corners.astype(np.int32)], 1.0)
    soft = draw.uniform(0.2, 1.2) if draw.chance(0.5) else draw.uniform(1, 0.12 * max(shape))
    return blurred(shade, soft)


def finger(draw: Sampler, shape: Shape) -> tuple[Field, Field]:
    """A thumb or two that look in from the side: the share that they cover, and their tone."""
    cover = np.zeros(shape, np.uint8)
    middle = np.array([shape[1] / 2, shape[0] / 2])
    for _ in range(draw.integer(1, 3)):
        angle = draw.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)])
        tip, end = (
            middle + direction * draw.uniform(0.3, 0.6) * max(shape),
            middle + direction * 400,
        )
        points = [tuple(int(v) for v in point) for point in (tip, end)]
        thick = round(draw.uniform(0.1, 0.45) * min(shape))
        cv2.line(cover, points[0], points[1], 255, max(3, thick), cv2.LINE_AA)
    soft = blurred(share(cover), draw.uniform(0.4, 1.5))
    skin = draw.uniform(50, 220) * (0.6 + 0.4 * blurred(soft, draw.uniform(2, 7)))
    return soft, np.asarray(skin + 2 * draw.noise(shape, 4), np.float32)


def photographed(draw: Sampler, tones: Field, contrast: float) -> Cover:
    """Moire, blur, shake, noise, exposure and JPEG, each in some pictures; uint8.

    Args:
        draw: Random draws.
        tones: The scene, about 0 to 255.
        contrast: Of the ink; noise is never much stronger.
    """
    shape = tones.shape[0], tones.shape[1]
    if draw.trouble(0.08):  # a screen
        for _ in range(draw.integer(1, 3)):
            bent = along(shape, draw.uniform(0, np.pi)) + draw.noise(shape, 32) * draw.uniform(0, 3)
            wave = np.sin(bent * np.float32(2 * np.pi / draw.log_uniform(2.2, 25)))
            tones = tones * (1 + np.float32(draw.uniform(0.03, 0.25)) * wave)
    if draw.trouble(0.4):
        tones = blurred(tones, draw.log_uniform(0.3, 1.8))
    if draw.trouble(0.08):
        size = draw.integer(3, 8)
        line = np.zeros((size, size), np.float32)
        ends = [(draw.integer(0, size), draw.integer(0, size)) for _ in "ab"]
        cv2.line(line, ends[0], ends[1], 1.0)
        tones = np.asarray(cv2.filter2D(tones, -1, line / line.sum()), np.float32)
    if draw.chance(0.55):
        sigma = min(draw.log_uniform(0.5, 28), 0.4 * contrast) * draw.severity
        grain = draw.choice((1, 1, 1, 2))
        tones = tones + draw.noise(shape, grain) * np.float32(sigma)
    if draw.trouble(0.04):
        salt = draw.rng.random(shape, dtype=np.float32)
        part = draw.uniform(0.002, 0.05)
        tones = tones.copy()
        tones[salt < part] = 0
        tones[salt > 1 - part] = 255
    if draw.trouble(0.3):
        tones = np.float32(draw.uniform(0, 60)) + tones * np.float32(draw.uniform(0.25, 1))
    if draw.chance(0.15):
        curve = (np.arange(256) / 255) ** draw.log_uniform(0.6, 1.7) * 255
        table = np.rint(curve).astype(np.uint8)
        tones = np.asarray(table[np.clip(tones, 0, 255).astype(np.uint8)], np.float32)
    picture = np.clip(tones, 0, 255).astype(np.uint8)
    if draw.trouble(0.35):
        quality = [cv2.IMWRITE_JPEG_QUALITY, round(draw.log_uniform(12, 92))]
        coded = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return picture


def low_resolution(draw: Sampler, tones: Field) -> Field:
    """As enlarged from fewer pixels, smoothly or in squares."""
    shape = tones.shape[0], tones.shape[1]
    scale = draw.uniform(0.25, 0.8)
    size = max(12, round(shape[1] * scale)), max(12, round(shape[0] * scale))
    small = cv2.resize(tones, size, interpolation=cv2.INTER_AREA)
    way = draw.choice((cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST), (0.5, 0.2, 0.3))
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=way), np.float32)
