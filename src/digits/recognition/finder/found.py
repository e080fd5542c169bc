"""What a finder finds: the pixels of the one digit, or one digit of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray
from ...imaging.geometry import Box

UNSEEN = np.full(11, np.nan, np.float32)
"""The probabilities of an image that the finder has not seen: `joint` then goes without it."""


@dataclass(frozen=True, eq=False)
class Foreground:
    """The pixels of the one digit in a picture.

    Attributes:
        mask: (height, width) uint8, 0 background to 255 foreground; perhaps of another size than
            the picture.
        box: The bounding box of the foreground in `mask`; four zeros without any.
        probabilities: (11,) float32: what the net takes it for, ten digits and no digit. They are
            scores, not calibrated yet.
        several: Score, 0 to 1, of a second digit of about the same size.
        blank: Whether there is nothing at all in the picture.
    """

    mask: Gray
    box: Box
    probabilities: NDArray[np.float32]
    several: float
    blank: bool


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """One digit of several in a picture.

    Attributes:
        image: (28, 28) uint8 in MNIST's geometry, white on black.
        box: Its place in the upright picture, in pixels.
        probabilities: (11,) float32, as of `Foreground`.
    """

    image: Gray
    box: Box
    probabilities: NDArray[np.float32]
