"""The rejector lets digits through; refusing everything else is tested with the recognizer."""

from __future__ import annotations

import numpy as np

from digits import Splits
from digits.recognition.rejector import NO_DIGIT, no_digit, probabilities


def test_probabilities(sample: Splits) -> None:
    test = sample["test"]
    rows = probabilities(test.images)
    assert rows.shape == (len(test), 11)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)
    assert np.mean(rows.argmax(axis=1) == test.labels) >= 0.97
    assert np.mean(rows[:, NO_DIGIT] < 0.5) >= 0.985
    assert probabilities(test.images[:0]).shape == (0, 11)


def test_the_prior_makes_no_digit_less_probable(sample: Splits) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    images = np.concatenate([sample["test"].images[:200], noise])
    calibrated, p = probabilities(images)[:, NO_DIGIT], no_digit(images)
    assert p.shape == (250,)
    assert (p <= calibrated).all()
    assert (p >= 0).all()
    assert np.mean(p[:200] < 0.5) >= 0.985
    assert np.mean(p[200:] > 0.5) >= 0.9
    assert (np.diff(p[np.argsort(calibrated)]) > -1e-6).all(), "the order stays"
