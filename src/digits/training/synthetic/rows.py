"""Rows of touching digits, segmented as the reader does: training examples for the rejector."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...data.arrays import Images, Labels
from ...data.dataset import Dataset
from ...imaging.ruled_lines import INKED
from ...recognition.finder.segment import Candidate, candidates
from ...recognition.finder.text_lines import find_lines

_SCALE = 2.5  # pixels of a row for each pixel of MNIST
_WHOLE, _HALF = (
    0.85,
    0.6,
)  # fractions of a digit's foreground: above it is a digit, below it is none
_MORE = 0.25  # largest foreground of other digits in a candidate, relative to its own digit


def segment_rows(
    digits: Dataset, count: int, no_digit: int, seed: int = 0
) -> tuple[Images, Labels]:
    """Segment random rows of digits into labeled candidates.

    A candidate that shows one digit and little else has that digit's label; one that clearly does
    not has the label `no_digit`; anything in between is left out.

    Args:
        digits: The digits to make rows of.
        count: Number of candidates; half of them are digits.
        no_digit: The label of those without a digit.
        seed: Of everything random.

    Returns:
        Images (count, 28, 28) and labels (count,), uint8.
    """
    rng = np.random.default_rng(seed)
    images: dict[bool, list[NDArray[np.uint8]]] = {True: [], False: []}
    labels: dict[bool, list[int]] = {True: [], False: []}
    half = count // 2
    while min(map(len, images.values())) < half:
        row, owners, truth = _row(digits, rng)
        for line in find_lines(row):
            for candidate in candidates(line):
                label = _label(candidate, owners, truth, no_digit)
                # Overlapping candidates are much alike, and narrow fragments look like a 1.
                narrow = label == no_digit and candidate.width < 0.4 * candidate.height
                if label is None or rng.random() < (0.85 if narrow else 0.5):
                    continue
                if len(images[label != no_digit]) < half:
                    images[label != no_digit].append(candidate.image)
                    labels[label != no_digit].append(label)
    return (
        np.stack(images[True] + images[False]),
        np.array(labels[True] + labels[False], np.uint8),
    )


def _row(
    digits: Dataset, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[int]]:
    """A foreground mask of digits side by side, the digit (from 1) of each pixel, the labels."""
    count = int(rng.integers(2, 6))
    size = _SCALE * rng.uniform(0.8, 1.2)
    tall = int(46 * size)
    row = np.zeros((tall, int(34 * size * count) + tall), np.uint8)
    owners = np.zeros(row.shape, np.uint8)
    truth = []
    left = tall // 2
    gap = rng.normal(-0.5, 2.0)  # MNIST pixels; a person who joins digits joins most of them
    slant = rng.normal(0.1, 0.2)
    for number in range(1, count + 1):
        i = int(rng.integers(len(digits)))
        truth.append(int(digits.labels[i]))
        ink = _slanted(digits.images[i], size * rng.uniform(0.75, 1.1), slant)
        top = int(np.clip(tall - ink.shape[0] - rng.normal(6, 2) * size, 0, tall - ink.shape[0]))
        width = min(ink.shape[1], row.shape[1] - left)
        place = np.s_[top : top + ink.shape[0], left : left + width]
        stronger = ink[:, :width] > row[place]
        row[place] = np.where(stronger, ink[:, :width], row[place])
        owners[place] = np.where(stronger & (ink[:, :width] > INKED), number, owners[place])
        left = max(0, left + ink.shape[1] + round((gap + rng.normal(0, 1.0)) * size))
        if left >= row.shape[1]:
            break
    if rng.random() < 0.5:  # a low-resolution picture after foreground segmentation
        soft = cv2.GaussianBlur(row, (0, 0), float(rng.uniform(1, 3))).astype(np.float32)
        row = np.clip((soft - rng.uniform(20, 90)) * 2.5, 0, 255).astype(np.uint8)
    return row, owners, truth


def _slanted(digit: NDArray[np.uint8], scale: float, slant: float) -> NDArray[np.uint8]:
    """The cropped digit, enlarged and sheared to the right by `slant` pixels for each pixel up."""
    height, width = digit.shape
    moved = np.array([[scale, -slant * scale, slant * scale * height + 4], [0, scale, 0]])
    wide = int(scale * (width + abs(slant) * height)) + 40
    large = cv2.warpAffine(digit, moved, (wide, int(scale * height)), flags=cv2.INTER_CUBIC)
    left, top, width, height = cv2.boundingRect((large > INKED).astype(np.uint8))
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _label(
    candidate: Candidate, owners: NDArray[np.uint8], truth: list[int], no_digit: int
) -> int | None:
    piece = candidate.piece
    place = np.s_[piece.top : piece.bottom, piece.left : piece.right]
    count = len(truth) + 1
    held = np.bincount(owners[place][piece.ink > INKED], minlength=count)[1:].astype(float)
    totals = np.bincount(owners.ravel(), minlength=count)[1:].astype(float)
    best = int(held.argmax())
    own, others = held[best], held.sum() - held[best]
    if own >= _WHOLE * totals[best] and others <= _MORE * own:
        return truth[best]
    if own < _HALF * totals[best] or others > 2 * _MORE * own:
        return no_digit
    return None
