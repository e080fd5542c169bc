"""Predictions in words."""

from __future__ import annotations

import pytest

from digits import Prediction, Reason
from digits.reports.wording import describe

PROBABILITIES = (0.0, 0.3, 0.05, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0)


def test_a_digit_has_its_probability():
    probabilities = (0.0,) * 7 + (0.972, 0.02, 0.0001)
    seven = Prediction(7, 0.972, probabilities, 0.0079)
    assert describe(seven) == "7 (97.2%)"
    assert describe(seven, top_k=3) == "7 (97.2%), 8 (2.0%), 9 (<0.1%)"


def test_certainty_is_never_claimed():
    assert describe(Prediction(0, 0.99996, (0.99996,) + (0.0,) * 9, 0.0)) == "0 (>99.9%)"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.NO_INK, "no ink found"),
        (Reason.NO_DIGIT, "no digit"),
        (Reason.SEVERAL, "several digits; use `digits read`"),
        (Reason.UNSURE, "not sure: 5 or 1"),
    ],
)
def test_every_reason_has_its_words(reason, words):
    prediction = Prediction(None, 0.4, PROBABILITIES, 0.25, reason)
    assert describe(prediction) == describe(prediction, top_k=3) == words
