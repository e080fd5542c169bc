"""Sentences for results: the only place where a reason code becomes English."""

from __future__ import annotations

from .._io.text import percent
from ..recognition.results import Prediction, Reason


def describe(prediction: Prediction, top_k: int = 1) -> str:
    """A prediction in a few words, as in `7 (97.2%)` or `not sure: 1 or 5`.

    Args:
        prediction: What to describe.
        top_k: If there is a digit, list this many of the most probable ones: `7 (97.2%), 1 (1.1%)`.
    """
    ranked = prediction.ranked()
    match prediction.reason:
        case None:
            return ", ".join(f"{digit} ({percent(p)})" for digit, p in ranked[:top_k])
        case Reason.NO_INK:
            return "no ink found"
        case Reason.NO_DIGIT:
            return "no digit"
        case Reason.SEVERAL:
            return "several digits; use `digits read`"
        case Reason.UNSURE:
            return f"not sure: {ranked[0][0]} or {ranked[1][0]}"


def looks_like(prediction: Prediction) -> str:
    """A prediction that contradicts a label, as in `looks like 1 (97.2%)`."""
    match prediction.reason:
        case Reason.NO_INK:
            return "is blank"
        case Reason.SEVERAL:
            return "looks like several digits"
        case _:
            return f"looks like {describe(prediction)}"
