"""The rejector lets digits through; refusing everything else is tested with the recognizer."""

from __future__ import annotations

import numpy as np

from digits import Splits
from digits.recognition.rejector import NO_DIGIT, probabilities


def test_probabilities(sample: Splits) -> None:
    test = sample["test"]
    rows = probabilities(test.images)
    assert rows.shape == (len(test), 11)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)
    assert np.mean(rows.argmax(axis=1) == test.labels) >= 0.97
    assert np.mean(rows[:, NO_DIGIT] < 0.5) >= 0.985
    assert probabilities(test.images[:0]).shape == (0, 11)
