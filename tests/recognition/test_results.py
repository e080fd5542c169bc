"""Predictions, readings and outcomes as values."""

from __future__ import annotations

import pytest

from digits import Outcome, PictureError, Prediction, Reading, Reason
from digits.recognition.results import check_min_confidence, make_prediction

SEVEN = [0.0] * 7 + [0.9, 0.1, 0.0]


def test_a_refused_digit_keeps_its_rank() -> None:
    """However improbable a digit is, rounding makes no other one the most probable."""
    for no_digit in (0.2, 1 - 1e-8, 1.0):
        prediction = make_prediction(SEVEN, no_digit, min_confidence=0)
        assert prediction.digit == 7
        assert prediction.confidence == max(prediction.probabilities)
    assert [digit for digit, _ in make_prediction(SEVEN, 1 - 1e-8, 0).ranked()[:2]] == [7, 8]


def test_reasons() -> None:
    assert make_prediction(SEVEN, 0.2, 0.5).reason is None
    assert make_prediction(SEVEN, 0.2, 0.9).reason is Reason.UNSURE
    assert make_prediction(SEVEN, 0.8, 0.5).reason is Reason.NO_DIGIT
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
