"""What the measuring sets are made with: type, pens, paper, cloth and wood."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # (h, w) or (h, w, 3)
Mask = NDArray[np.float64]  # (h, w), 0 paper .. 1 ink
Sheet = NDArray[np.float64]  # (h, w, 3), 0 .. 255
Rng = np.random.Generator
Points = NDArray[np.float64]  # (n, 2), x and y

FACES = (
    "STIXGeneral STIXGeneralItalic STIXGeneralBol STIXGeneralBolIta "
    "cmr10 cmb10 cmti10 cmmi10 cmss10 cmtt10"
).split()


def rendered(rng: Rng, text: str, face: str) -> Mask:
    """`text` in one of matplotlib's faces, made bolder by up to a fifteenth of its size."""
    folder = beside("matplotlib", "mpl-data/fonts/ttf")
    font = ImageFont.truetype(str(folder / f"{face}.ttf"), 180)
    left, top, right, bottom = font.getbbox(text)
    canvas = Image.new("L", (int(right - left) + 40, int(bottom - top) + 40))
    ImageDraw.Draw(canvas).text((20 - left, 20 - top), text, 255, font)
    tip = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, [int(rng.integers(1, 13))] * 2)
    return cv2.dilate(np.asarray(canvas), tip) / 255


def skeleton(rng: Rng, code: str) -> list[Points]:
    """The strokes of `code`, each (n, 2) of x and y, every point a little off."""
    strokes = []
    for stroke in code.split():
        points = np.array([int(c) for c in stroke.lstrip("~")], float).reshape(-1, 2)
        points += rng.normal(0, 0.22 if np.ptp(points, axis=0).any() else 0.05, points.shape)
        strokes.append(rounded(points) if stroke[0] == "~" else points)
    return strokes


def rounded(points: Points) -> Points:
    """Chaikin's corner cutting, four times: a curve within the polygon, its ends kept."""
    for _ in range(4):
        near, far = points[:-1] * 0.75 + points[1:] * 0.25, points[:-1] * 0.25 + points[1:] * 0.75
        middle = np.stack([near, far], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], middle, points[-1:]])
    return points


def penned(rng: Rng, strokes: Iterable[Points]) -> Mask:
    """Lines through the points, 36 pixels to a unit, with a hand's wobble and pressure."""
    strokes = [s * 36 for s in strokes]
    low = np.min([s.min(0) for s in strokes], 0) - 40
    size = np.max([s.max(0) for s in strokes], 0) - low + 40
    mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
    width, wobble = rng.uniform(6, 32), rng.uniform(0, 2.5)
    for stroke in strokes:
        along = np.r_[0, np.hypot(*np.diff(stroke, axis=0).T).cumsum()]
        t = np.arange(0, along[-1] + 4, 4)
        knots = np.arange(0, along[-1] + 60, 30)
        line = np.c_[np.interp(t, along, stroke[:, 0]), np.interp(t, along, stroke[:, 1])] - low
        line += np.c_[[np.interp(t, knots, rng.normal(0, wobble, len(knots))) for _ in "xy"]].T
        press = np.interp(t, knots, rng.uniform(0.75, 1.25, len(knots))) * width
        ends = line.round().astype(int).tolist()
        for start, end, thick in zip(ends, [*ends[1:], ends[-1]], press, strict=True):
            cv2.line(mask, start, end, 255, max(1, round(thick)), cv2.LINE_AA)
    return mask / 255


def on_something(rng: Rng, mask: Mask) -> Picture | Sheet:
    """The ink of `mask`, slanted and blurred, on a screen, paper or a board, or as MNIST has it."""
    slant, turn = rng.uniform(-0.25, 0.25), rng.normal(0, 0.06)
    matrix = np.array([[np.cos(turn), slant - np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    around = np.pad(mask, max(mask.shape) // 3)
    middle = np.array(around.shape[::-1]) / 2
    affine = np.c_[matrix, middle - matrix @ middle]
    around = cv2.warpAffine(around, affine, around.shape[::-1])
    left, top, width, height = cv2.boundingRect((around > 0.2).astype(np.uint8))
    ink = around[top : top + height, left : left + width]
    look = rng.choice(["mnist", "screen", "screen", "paper", "paper", "paper", "board"])
    size = 20 if look == "mnist" else np.exp(rng.uniform(np.log(22), np.log(280)))
    scale = size / max(height, width if look == "mnist" else width / 3)
    fit = [max(1, round(side * scale)) for side in (width, height)]
    ink = cv2.resize(ink, fit, interpolation=cv2.INTER_AREA)
    if look == "mnist":
        down, right = (28 - fit[1]) // 2, (28 - fit[0]) // 2
        ink = np.pad(ink, ((down, 28 - fit[1] - down), (right, 28 - fit[0] - right)))
        return (ink * 255).astype(np.uint8)
    ink = np.pad(ink, (3 + size * rng.uniform(0.1, 0.7, (2, 2))).astype(int))
    ink = cv2.GaussianBlur(ink, (0, 0), 0.3 + rng.uniform(0, 0.02) * size)[..., None]
    if look == "screen":
        back, front = (255, 0) if rng.random() < 0.5 else (0, 255)
        return back + ink * (np.array([front] * 3) - back)
    back = paper(rng, *ink.shape[:2], dark=look == "board")
    pens = [(25, 25, 30), (20, 40, 130), (160, 25, 30), (15, 90, 45), (90, 90, 95)]
    pen = np.array((240, 240, 230) if look == "board" else pens[rng.integers(len(pens))])
    ink = ink * rng.normal(rng.uniform(0.7, 1), rng.uniform(0, 0.15), ink.shape).clip(0, 1)
    return back + ink * (pen - back)


def paper(rng: Rng, height: int, width: int, dark: bool = False, ruled: float = 0.3) -> Sheet:
    """Empty paper or board with its grain and light; with the chance `ruled`, lines or squares."""
    tone = rng.uniform(20, 80) if dark else rng.uniform(175, 250)
    sheet = np.full((height, width, 3), tone) - rng.uniform(0, 18, 3)
    y, x = np.mgrid[:height, :width] / max(height, width)
    if rng.random() < ruled:
        pitch, turn = rng.uniform(0.06, 0.3) + 5 / max(height, width), rng.normal(0, 0.04)
        thin = max(1.2 / max(height, width), 0.06 * pitch)
        lines = (y + turn * x) % pitch < thin
        if rng.random() < 0.5:
            lines |= (x - turn * y) % pitch < thin
        sheet += lines[..., None] * rng.uniform(-90, -25, 3) * (-1 if dark else 1)
    for soft in (1, rng.uniform(0.01, 0.5)):  # the lamp from one side, then a shadow
        angle = rng.uniform(0, 2 * np.pi)
        across = (x - rng.random()) * np.cos(angle) + (y - rng.random()) * np.sin(angle)
        sheet *= 1 - rng.uniform(0, 0.4) / (1 + np.exp(-across / soft * 4))[..., None]
    return sheet + rng.normal(0, rng.uniform(0, 7), (height, width, 1))


def cloth(rng: Rng, height: int, width: int) -> Sheet:
    """A weave: each thread of its own shade, going over some and under `step` others."""
    pitch, step = int(rng.integers(3, 14)), int(rng.integers(2, 5))
    y, x = np.mgrid[:height, :width]
    colors = rng.uniform(50, 220, 3) + rng.normal(0, 25, (2, 3))
    warp, weft = (rng.normal(1, 0.08, max(height, width)) for _ in "xy")
    over = ((x // pitch + y // pitch) % step == 0)[..., None]
    round_x, round_y = (1 - 1.2 * ((v % pitch + 0.5) / pitch - 0.5) ** 2 for v in (x, y))
    up = (warp[x // pitch] * round_x)[..., None] * colors[0]
    return np.where(over, up, (weft[y // pitch] * round_y)[..., None] * colors[1])


def wood(rng: Rng, height: int, width: int) -> Sheet:
    """Planks' grain: the year rings of a bent trunk, cut far from its heart, and fibres."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    bend = cv2.resize(rng.normal(0, 0.05, (5, 1)), (1, height), interpolation=cv2.INTER_CUBIC)
    from_heart = np.hypot(x + bend + rng.uniform(0, 1), (y - rng.random()) * rng.uniform(0.1, 0.5))
    rings = np.cumsum(rng.gamma(3, rng.uniform(0.01, 0.03), 200))
    age = np.interp(from_heart, rings, np.arange(200)) % 1
    fibres = cv2.blur(rng.normal(0, 30, (height, width)), (1, 41))
    light = 1 - rng.uniform(0.15, 0.5) * age**2
    return light[..., None] * (rng.uniform(110, 220) * np.array([1, 0.75, 0.5])) + fibres[..., None]


def beside(package: str, path: str) -> Path:
    """A file that an installed package carries, without importing the package."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"Error: {package} is missing. Install digits with its dependencies.")
    return Path(found.origin).parent / path
