"""Predictions, readings and outcomes as values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits import Outcome, PictureError, Prediction, Reading, Reason
from digits.recognition.results import check_min_confidence, make_predictions, rounded

SEVEN = np.array([[0.0] * 7 + [0.9, 0.1, 0.0]])


def make_prediction(no_digit: float, min_confidence: float, several: float = 0.0) -> Prediction:
    (one,) = make_predictions(SEVEN, np.array([no_digit]), min_confidence, np.array([several]))
    return one


@given(st.floats(0, 1))
def test_probabilities_have_six_significant_digits(value: float) -> None:
    if value >= 1e-16:
        # A value between two, as 0.1234565 seems to be, may go either way.
        assert float(rounded(value)) == pytest.approx(float(f"{value:.6g}"), rel=1.1e-5)
        assert float(f"{rounded(value):.6g}") == float(rounded(value))
    else:
        assert float(rounded(value)) == value


def test_a_refused_digit_keeps_its_rank() -> None:
    """However improbable a digit is, rounding makes no other one the most probable."""
    for no_digit in (0.2, 1 - 1e-8, 1.0):
        prediction = make_prediction(no_digit, min_confidence=0)
        assert prediction.digit == 7
        assert prediction.confidence == max(prediction.probabilities)
    assert [digit for digit, _ in make_prediction(1 - 1e-8, 0).ranked()[:2]] == [7, 8]


def test_reasons() -> None:
    assert make_prediction(0.2, 0.5).reason is None
    assert make_prediction(0.2, 0.9).reason is Reason.UNSURE
    assert make_prediction(0.8, 0.5).reason is Reason.NO_DIGIT
    assert make_prediction(0.1, 0.5, several=0.8).reason is Reason.SEVERAL


def test_many_are_made_as_each_alone() -> None:
    rows = np.random.default_rng(0).dirichlet([0.2] * 10, 50)
    none, several = np.random.default_rng(1).random((2, 50))
    together = make_predictions(rows, none, 0.5, several)
    for i, prediction in enumerate(together):
        (alone,) = make_predictions(rows[i : i + 1], none[i : i + 1], 0.5, several[i : i + 1])
        assert alone == prediction
        assert prediction.confidence == max(prediction.probabilities)


def test_what_is_no_number_is_no_confidence() -> None:
    with pytest.raises(ValueError, match="nan"):
        check_min_confidence(float("nan"))


def test_records() -> None:
    prediction = Prediction(7, 0.75, (0.0,) * 7 + (0.75, 0.05, 0.0), 0.2)
    record = {"digit": 7, "confidence": 0.75, "probabilities": [0.0] * 7 + [0.75, 0.05, 0.0]}
    assert prediction.to_json() == record
    top = [{"digit": 7, "confidence": 0.75}, {"digit": 8, "confidence": 0.05}]
    assert prediction.to_json(top_k=2) == {**record, "top": top}
    outcome: Outcome[Prediction, None] = Outcome("a.png", prediction)
    assert outcome.to_json(top_k=2) == {"path": "a.png", **record, "top": top}
    error = PictureError("the file is empty", "Save or copy it again", "b.png")
    failed: Outcome[Reading, None] = Outcome("b.png", None, error)
    assert failed.to_json() == {
        "path": "b.png", "error": "the file is empty. Save or copy it again.",
    }  # fmt: skip
