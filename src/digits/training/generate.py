"""Pictures that a program draws: digits in ways that MNIST does not know, and what is no digit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset, Images
from ..pictures.normalize import fit, ink_box
from .glyphs import DIGITS, OTHERS, Shape

_CANVAS = 128  # pixels; the ink is about 80 wide and tall
_WOBBLE = 0.055  # standard deviation of each point, as a share of the digit


def written_digits(count: int, seed: int = 0) -> Dataset:
    """`count` generated digits in MNIST's geometry, as many of each, every way of writing alike."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 28, 28), np.uint8)
    for i, label in enumerate(labels):
        shapes = DIGITS[int(label)]
        drawn = written(shapes[rng.integers(len(shapes))], rng)
        images[i] = fit(drawn, ink_box(drawn))
    return Dataset(images, labels, f"{count} generated")


def written(
    shape: Shape, rng: np.random.Generator, thickness: int | None = None
) -> NDArray[np.uint8]:
    """One writing of `shape`: an ink map (128, 128) uint8, with a random hand and pen.

    thickness: of the pen, in pixels; by chance when None.
    """
    width = 80 * rng.uniform(0.45, 1.0)
    slant = rng.normal(0.12, 0.27)
    turn = rng.normal(0, 0.08)
    place = np.array([[width, -80 * slant], [0.0, 80.0]])
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ place
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    thickness = thickness or int(np.clip(rng.gamma(6, 1.8), 4, 22))
    crowding = np.exp(
        rng.normal(0, 0.2, 2)
    )  # some hands write the upper half large, some the lower
    for stroke in shape:
        points = np.sign(stroke) * np.abs(stroke) ** crowding
        points = points + rng.normal(0, _WOBBLE, (len(stroke), 2))
        corner = [i for i in range(1, len(stroke)) if stroke[i] == stroke[i - 1]]
        points[corner] = points[[i - 1 for i in corner]]  # a corner stays one
        path = _smooth(points - 0.5) @ turned.T + _CANVAS / 2
        cv2.polylines(
            canvas, [np.rint(path * 16).astype(np.int32)], False, 255, thickness, cv2.LINE_AA, 4
        )
    return canvas


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners cut three times (Chaikin, 1974); the ends stay."""
    for _ in range(3):
        first, second = points[:-1], points[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points


def not_digits(digits: Images, count: int, seed: int = 0) -> Images:
    """`count` pictures (count, 28, 28) in MNIST's geometry that are no digit, of many kinds.

    digits: (n, 28, 28), from which pairs and pieces are made.
    """
    rng = np.random.default_rng(seed)
    kinds = (_pair, _piece, _sign, _type, _scribble, _mark, _texture)
    shares = np.array([0.15, 0.1, 0.25, 0.2, 0.1, 0.05, 0.15])
    images = np.empty((count, 28, 28), np.uint8)
    for i, kind in enumerate(rng.choice(len(kinds), count, p=shares)):
        drawn = np.zeros((1, 1), np.uint8)
        while np.count_nonzero(drawn > 100) < 12:
            drawn = kinds[kind](digits, rng)
        images[i] = fit(drawn, ink_box(drawn))
    return images


def _pair(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Two digits or three, side by side, that often touch."""
    canvas = np.zeros((44, 120), np.uint8)
    left = 0
    for _ in range(2 + (rng.random() < 0.25)):
        digit = digits[rng.integers(len(digits))]
        x, y, width, height = cv2.boundingRect(digit)
        scale = rng.uniform(0.7, 1.15)
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        ink = cv2.resize(digit[y : y + height, x : x + width], size)
        top = int(rng.integers(0, 44 - size[1] + 1)) if rng.random() < 0.2 else 40 - size[1]
        place = canvas[top : top + size[1], left : left + size[0]]
        np.maximum(place, ink, out=place)
        left = max(0, left + size[0] + int(rng.integers(-4, 4)))
    return canvas


def _piece(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of a digit, cut off along a nearly upright or level line, perhaps with a neighbour."""
    paired = rng.random() < 0.4
    whole = _pair(digits, rng) if paired else digits[rng.integers(len(digits))]
    if not paired and rng.random() < 0.3:
        whole = np.ascontiguousarray(whole.T)
    if rng.random() < 0.5:
        whole = np.ascontiguousarray(whole[::-1, ::-1])
    x, _, width, _ = cv2.boundingRect(whole)
    rows = np.arange(whole.shape[0])[:, None] - whole.shape[0] / 2
    # Of a pair more is left than one digit.
    share = rng.uniform(0.65, 0.85) if paired else rng.uniform(0.35, 0.6)
    cut = x + width * share + rng.normal(0, 0.15) * rows
    piece = np.where(np.arange(whole.shape[1]) < cut, whole, 0).astype(np.uint8)
    return np.ascontiguousarray(piece[::-1, ::-1]) if rng.random() < 0.5 else piece


def _sign(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    return written(OTHERS[rng.integers(len(OTHERS))], rng)


_LETTERS = "ACDEFHJKLMNPQRTUVWXYadefhijkmnprtuvwxy@#$%&*+=?!<>^~{}[]"
_TYPEFACES = (0, 2, 3, 4, 6, 7)  # of OpenCV's Hershey fonts: those with thin, bold, serif, script


def _type(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One letter or a few, in type."""
    length = 1 if rng.random() < 0.7 else int(rng.integers(2, 6))
    text = "".join(rng.choice(list(_LETTERS), length))
    face = int(rng.choice(_TYPEFACES)) | (16 if rng.random() < 0.3 else 0)
    canvas = np.zeros((130, 90 + 70 * length), np.uint8)
    thickness = int(rng.integers(2, 12))
    cv2.putText(canvas, text, (25, 90), face, 2.5, 255, thickness, cv2.LINE_AA)
    shear = np.array([[1, rng.normal(0, 0.2), 20.0], [rng.normal(0, 0.08), 1, 5.0]])
    return np.asarray(cv2.warpAffine(canvas, shear, (canvas.shape[1] + 60, 150)))


def _scribble(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    points = [(float(x), float(y)) for x, y in rng.random((int(rng.integers(5, 16)), 2))]
    if rng.random() < 0.4:  # corners
        points = [point for point in points for _ in range(2)]
    return written((tuple(points),), rng)


def _mark(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A dash, a blot, a dot pair, a bow."""
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    kind = rng.integers(4)
    x, y = (int(v) for v in rng.integers(40, 90, 2))
    wide = int(rng.integers(5, 40))
    if kind == 0:
        drop = int(rng.normal(0, 0.25) * wide)
        cv2.line(
            canvas, (x - wide, y - drop), (x + wide, y + drop), 255, int(rng.integers(2, 14)), 16
        )
    elif kind == 1:
        axes = (max(3, wide // 2), max(3, int(wide * rng.uniform(0.3, 0.7))))
        cv2.ellipse(canvas, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, 16)
    elif kind == 2:
        for _ in range(int(rng.integers(2, 9))):
            centre = tuple(int(v) for v in rng.integers(10, 118, 2))
            cv2.circle(canvas, centre, int(rng.integers(2, 9)), 255, -1, 16)
    else:
        start = float(rng.uniform(0, 360))
        axes = (wide + 5, int(wide * rng.uniform(0.2, 1)) + 3)
        reach = float(rng.uniform(40, 200))
        cv2.ellipse(
            canvas, (x, y), axes, 0, start, start + reach, 255, int(rng.integers(2, 12)), 16
        )
    return canvas


def _texture(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of any grain, soft or hard, perhaps mirrored, hatched or faded."""
    side = int(rng.integers(3, 40))
    field = rng.normal(size=(side, max(2, int(side * rng.uniform(0.4, 1.6)))))
    if rng.random() < 0.3:
        field = (
            np.repeat(field[:1], side, axis=0) + rng.normal(size=field.shape) * rng.random() * 0.3
        )
    ways = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    field = np.asarray(cv2.resize(field, (56, 56), interpolation=ways[rng.integers(3)]), float)
    field = (field - np.quantile(field, rng.uniform(0.3, 0.9))) / field.std()
    return np.asarray(np.clip(field * 10 ** rng.uniform(0.3, 2) * 128, 0, 255), np.uint8)
