"""What model, rejector and finder say together."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Splits
from digits.recognition.joint import joint, line_confidence
from digits.recognition.rejector import NO_DIGIT, probabilities

UNSEEN = np.full(11, np.nan)


def finder(score: float, label: int = 3) -> list[float]:
    """A finder that takes something for `label` with this score."""
    return [score if i == label else 0.0 for i in range(10)] + [1 - score]


def test_the_prior_makes_no_digit_less_probable(sample: Splits) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    images = np.concatenate([sample["test"].images[:200], noise])
    rows = probabilities(images)
    digits, none = joint(np.full((250, 10), 0.1), rows, np.tile(UNSEEN, (250, 1)))
    assert none.shape == (250,)
    assert np.array_equal(digits, np.full((250, 10), 0.1))
    assert (none <= rows[:, NO_DIGIT] + 1e-6).all()
    assert (none >= 0).all()
    assert np.mean(none[:200] < 0.5) >= 0.985
    assert np.mean(none[200:] > 0.5) >= 0.9
    assert (np.diff(none[np.argsort(rows[:, NO_DIGIT])]) > -1e-6).all(), "the order stays"


def test_finder_and_rejector_both_count() -> None:
    scores = (0.05, 0.5, 0.95)
    model = np.full((3, 10), 0.1)
    seen = np.array([finder(score) for score in scores])
    for sure_of_none in (0.05, 0.95):
        rejector = np.tile([*[(1 - sure_of_none) / 10] * 10, sure_of_none], (3, 1))
        _, none = joint(model, rejector, seen)
        assert (np.diff(none) < 0).all(), "a higher score: less probably none"
    calm, strict = (
        joint(model, np.tile([*[(1 - p) / 10] * 10, p], (3, 1)), seen)[1] for p in (0.05, 0.95)
    )
    assert (strict > calm).all()


def test_the_digits_are_a_weighted_mean_of_model_and_finder() -> None:
    model = np.array([np.eye(10)[4]])
    rejector = np.array([[0.1] * 10 + [0.0]])
    digits, _ = joint(model, rejector, np.array([finder(0.5, 3)]))
    np.testing.assert_allclose(digits[0, [3, 4]], [0.5, 0.5], atol=1e-3)
    assert digits.sum() == pytest.approx(1)


def test_no_rows() -> None:
    digits, none = joint(np.zeros((0, 10)), np.zeros((0, 11)), np.zeros((0, 11)))
    assert digits.shape == (0, 10)
    assert none.shape == (0,)


def test_a_line_is_as_sure_as_its_digits() -> None:
    assert line_confidence([0.99] * 4) > line_confidence([0.99] * 8) > line_confidence([0.9] * 8)
    assert line_confidence([0.99, 0.5]) < line_confidence([0.99, 0.6]) < 1
    assert 0 < line_confidence([0.0] * 20) < 0.01
