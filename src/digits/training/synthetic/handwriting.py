"""Generated handwriting: digits in writing styles that MNIST does not have."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...imaging.geometry import bounding_box, to_mnist_geometry
from .glyphs import DIGITS, Shape

CANVAS = 128  # pixels along each side; a drawing is about 80 wide and high
_JITTER = 0.055  # standard deviation of each control point, as a fraction of the digit's size


def generate_digits(count: int, seed: int = 0) -> Dataset:
    """Generate digits with MNIST's geometry: equally many of each, all writing styles as often.

    Args:
        count: Number of images.
        seed: Of everything random.
    """
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 28, 28), np.uint8)
    for i, label in enumerate(labels):
        shapes = DIGITS[int(label)]
        drawing = draw_shape(shapes[rng.integers(len(shapes))], rng)
        images[i] = to_mnist_geometry(drawing, bounding_box(drawing))
    return Dataset(images, labels, f"{count} generated")


def draw_shape(
    shape: Shape, rng: np.random.Generator, thickness: int | None = None
) -> NDArray[np.uint8]:
    """Draw a shape as a random person with a random pen would.

    Args:
        shape: Strokes, see `glyphs`.
        rng: Source of proportions, slant, rotation, jitter and stroke width.
        thickness: Stroke width in pixels; random when None.

    Returns:
        (128, 128) uint8, white on black.
    """
    width = 80 * rng.uniform(0.45, 1.0)
    slant = rng.normal(0.12, 0.27)
    angle = rng.normal(0, 0.08)
    scale = np.array([[width, -80 * slant], [0.0, 80.0]])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ scale
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    thickness = thickness or int(np.clip(rng.gamma(6, 1.8), 4, 22))
    proportions = np.exp(rng.normal(0, 0.2, 2))  # a larger upper or lower half, left or right half
    for stroke in shape:
        points = np.sign(stroke) * np.abs(stroke) ** proportions
        points = points + rng.normal(0, _JITTER, (len(stroke), 2))
        corners = [i for i in range(1, len(stroke)) if stroke[i] == stroke[i - 1]]
        points[corners] = points[[i - 1 for i in corners]]  # both points of a corner move alike
        path = _smooth(points - 0.5) @ matrix.T + CANVAS / 2
        fixed_point = np.rint(path * 16).astype(np.int32)  # 4 fractional bits
        cv2.polylines(canvas, [fixed_point], False, 255, thickness, cv2.LINE_AA, 4)
    return canvas


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three rounds of corner cutting (Chaikin, 1974); the end points stay."""
    for _ in range(3):
        first, second = points[:-1], points[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
