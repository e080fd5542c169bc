"""Generated negative examples for the rejector: images without a digit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...data.arrays import Images
from ...imaging.geometry import bounding_box, to_mnist_geometry
from .glyphs import SYMBOLS
from .handwriting import CANVAS, draw_shape

_LETTERS = "ACDEFHJKLMNPQRTUVWXYadefhijkmnprtuvwxy@#$%&*+=?!<>^~{}[]"
_TYPEFACES = (0, 2, 3, 4, 6, 7)  # of OpenCV's Hershey fonts: plain, bold, serif and script
_ITALIC = 16  # OpenCV's flag
_MIN_PIXELS = 12  # of a drawing, brighter than 100: an emptier one is drawn again


def generate_negatives(digits: Images, count: int, seed: int = 0) -> Images:
    """Generate images with MNIST's geometry that show no single digit.

    Args:
        digits: (n, 28, 28) images, of which pairs and fragments are made.
        count: Number of images.
        seed: Of everything random.

    Returns:
        (count, 28, 28) uint8, white on black.
    """
    rng = np.random.default_rng(seed)
    kinds = (_pair, _fragment, _symbol, _print, _scribble, _mark, _texture)
    shares = np.array([0.15, 0.1, 0.25, 0.2, 0.1, 0.05, 0.15])
    images = np.empty((count, 28, 28), np.uint8)
    for i, kind in enumerate(rng.choice(len(kinds), count, p=shares)):
        drawing = np.zeros((1, 1), np.uint8)
        while np.count_nonzero(drawing > 100) < _MIN_PIXELS:
            drawing = kinds[kind](digits, rng)
        images[i] = to_mnist_geometry(drawing, bounding_box(drawing))
    return images


def _pair(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Two or three digits side by side, often touching."""
    canvas = np.zeros((44, 120), np.uint8)
    left = 0
    for _ in range(2 + (rng.random() < 0.25)):
        digit = digits[rng.integers(len(digits))]
        x, y, width, height = cv2.boundingRect(digit)
        scale = rng.uniform(0.7, 1.15)
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        resized = cv2.resize(digit[y : y + height, x : x + width], size)
        top = int(rng.integers(0, 44 - size[1] + 1)) if rng.random() < 0.2 else 40 - size[1]
        place = canvas[top : top + size[1], left : left + size[0]]
        np.maximum(place, resized, out=place)
        left = max(0, left + size[0] + int(rng.integers(-4, 4)))
    return canvas


def _fragment(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of a digit or of a pair, cut off along a nearly vertical or horizontal line."""
    paired = rng.random() < 0.4
    whole = _pair(digits, rng) if paired else digits[rng.integers(len(digits))]
    if not paired and rng.random() < 0.3:
        whole = np.ascontiguousarray(whole.T)
    if rng.random() < 0.5:
        whole = np.ascontiguousarray(whole[::-1, ::-1])
    x, _, width, _ = cv2.boundingRect(whole)
    rows = np.arange(whole.shape[0])[:, None] - whole.shape[0] / 2
    # More than one digit must remain of a pair.
    share = rng.uniform(0.65, 0.85) if paired else rng.uniform(0.35, 0.6)
    cut = x + width * share + rng.normal(0, 0.15) * rows
    piece = np.where(np.arange(whole.shape[1]) < cut, whole, 0).astype(np.uint8)
    return np.ascontiguousarray(piece[::-1, ::-1]) if rng.random() < 0.5 else piece


def _symbol(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    return draw_shape(SYMBOLS[rng.integers(len(SYMBOLS))], rng)


def _print(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One to five printed letters or signs."""
    length = 1 if rng.random() < 0.7 else int(rng.integers(2, 6))
    text = "".join(rng.choice(list(_LETTERS), length))
    face = int(rng.choice(_TYPEFACES)) | (_ITALIC if rng.random() < 0.3 else 0)
    canvas = np.zeros((130, 90 + 70 * length), np.uint8)
    thickness = int(rng.integers(2, 12))
    cv2.putText(canvas, text, (25, 90), face, 2.5, 255, thickness, cv2.LINE_AA)
    shear = np.array([[1, rng.normal(0, 0.2), 20.0], [rng.normal(0, 0.08), 1, 5.0]])
    return np.asarray(cv2.warpAffine(canvas, shear, (canvas.shape[1] + 60, 150)))


def _scribble(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    points = [(float(x), float(y)) for x, y in rng.random((int(rng.integers(5, 16)), 2))]
    if rng.random() < 0.4:  # with corners
        points = [point for point in points for _ in range(2)]
    return draw_shape((tuple(points),), rng)


def _mark(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A dash, a blot, some dots or an arc."""
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    kind = rng.integers(4)
    x, y = (int(v) for v in rng.integers(40, 90, 2))
    size = int(rng.integers(5, 40))
    if kind == 0:
        dy = int(rng.normal(0, 0.25) * size)
        thickness = int(rng.integers(2, 14))
        cv2.line(canvas, (x - size, y - dy), (x + size, y + dy), 255, thickness, cv2.LINE_AA)
    elif kind == 1:
        axes = (max(3, size // 2), max(3, int(size * rng.uniform(0.3, 0.7))))
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(canvas, (x, y), axes, angle, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    elif kind == 2:
        for _ in range(int(rng.integers(2, 9))):
            center = tuple(int(v) for v in rng.integers(10, 118, 2))
            cv2.circle(canvas, center, int(rng.integers(2, 9)), 255, cv2.FILLED, cv2.LINE_AA)
    else:
        start = float(rng.uniform(0, 360))
        axes = (size + 5, int(size * rng.uniform(0.2, 1)) + 3)
        end = start + float(rng.uniform(40, 200))
        thickness = int(rng.integers(2, 12))
        cv2.ellipse(canvas, (x, y), axes, 0, start, end, 255, thickness, cv2.LINE_AA)
    return canvas


def _texture(digits: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise, coarse or fine, soft or hard, sometimes in stripes."""
    side = int(rng.integers(3, 40))
    field = rng.normal(size=(side, max(2, int(side * rng.uniform(0.4, 1.6)))))
    if rng.random() < 0.3:
        stripes = np.repeat(field[:1], side, axis=0)
        field = stripes + rng.normal(size=field.shape) * rng.random() * 0.3
    modes = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    field = np.asarray(cv2.resize(field, (56, 56), interpolation=modes[rng.integers(3)]), float)
    field = (field - np.quantile(field, rng.uniform(0.3, 0.9))) / field.std()
    return np.asarray(np.clip(field * 10 ** rng.uniform(0.3, 2) * 128, 0, 255), np.uint8)
