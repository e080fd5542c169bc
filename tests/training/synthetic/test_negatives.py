"""Generated images without a digit."""

from __future__ import annotations

import numpy as np

from digits import Splits
from digits.imaging.geometry import has_mnist_geometry
from digits.recognition.rejector import NO_DIGIT, probabilities
from digits.training.synthetic.negatives import generate_negatives


def test_negatives(sample: Splits) -> None:
    digits = sample["train"].images
    made = generate_negatives(digits, 600, seed=1)
    assert (made.shape, made.dtype) == ((600, 28, 28), np.uint8)
    assert (made.max(axis=(1, 2)) > 200).all(), "a blank image"
    assert (np.count_nonzero(made > 64, axis=(1, 2)) >= 10).all(), "a nearly blank image"
    assert np.mean([has_mnist_geometry(image) for image in made]) > 0.95
    assert not {image.tobytes() for image in made} & {digit.tobytes() for digit in digits}
    assert len(np.unique(made, axis=0)) > 590  # all different
    assert (made == generate_negatives(digits, 600, seed=1)).all()
    assert (made != generate_negatives(digits, 600, seed=2)).any()
    assert generate_negatives(digits, 0).shape == (0, 28, 28)


def test_the_rejector_rejects_most_of_them(sample: Splits) -> None:
    """Their label is right: hardly any of them shows a digit by chance."""
    made = generate_negatives(sample["test"].images, 600, seed=7)
    assert (probabilities(made).argmax(axis=1) == NO_DIGIT).mean() > 0.85
