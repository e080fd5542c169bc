"""Make the pictures of the README: `python tools/example_pictures.py`.

Photos without copyright: generated handwriting on generated paper, with shadow and noise. Then the
drawings that `predict --show` and `read --show` make of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.training.synthetic.glyphs import DIGITS
from digits.training.synthetic.handwriting import draw_shape

DOCS = Path(__file__).parents[1] / "docs"


def photo(lines: list[str], squared: bool, seed: int) -> NDArray[np.uint8]:
    """Blue ink on paper under a lamp: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    high, wide = 60 + 150 * len(lines), 80 + 110 * max(map(len, lines))
    ink = np.zeros((high, wide), np.float32)
    for row, line in enumerate(lines):
        for column, digit in enumerate(line):
            shapes = DIGITS[int(digit)]
            sign = draw_shape(shapes[rng.integers(len(shapes))], rng, thickness=6)
            top = 40 + 150 * row + int(rng.normal(0, 6)) + 2 * column
            left = 20 + 110 * column
            place = ink[top : top + 128, left : left + 128]
            np.maximum(place, sign[: place.shape[0], : place.shape[1]] / 255, out=place)
    y, x = np.mgrid[:high, :wide]
    light = 0.95 - 0.35 * x / wide + 0.1 * y / high
    light[x + 0.4 * y > 0.85 * wide] *= 0.75  # a shadow
    light = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 7)
    paper = np.ones((high, wide, 3), np.float32) * [242, 238, 225]
    if squared:
        paper[(x % 55 < 2) | (y % 55 < 2)] = [170, 195, 215]
    pen = np.array([35, 50, 140], np.float32)
    scene = (paper + (pen - paper) * cv2.GaussianBlur(ink, (0, 0), 0.8)[..., None]) * light[
        ..., None
    ]
    return np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)


def main() -> None:
    Image.fromarray(photo(["7"], squared=True, seed=3)).save(DOCS / "seven.jpg", quality=80)
    lines = ["20491", "3578", "60"]
    Image.fromarray(photo(lines, squared=True, seed=5)).save(DOCS / "numbers.jpg", quality=80)
    digits = [sys.executable, "-m", "digits"]
    for command in (
        ["predict", "seven.jpg", "-m", "cnn", "--show", "steps.png", "--overwrite"],
        ["read", "numbers.jpg", "-m", "cnn", "--show", "read.jpg", "--overwrite"],
    ):
        subprocess.run([*digits, *command], cwd=DOCS, check=True)


if __name__ == "__main__":
    main()
