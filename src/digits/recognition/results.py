"""Results as data: what was recognized in a picture, or why nothing was."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import PictureError
from ..imaging.decode import Gray
from ..imaging.geometry import Box
from .joint import Rows, line_confidence

_SMALLEST_ROUNDED = 1e-16


def rounded(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Probabilities with the six significant digits that all views of a result show."""
    values = np.asarray(probabilities, np.float64)
    # Below 1e-16 nothing is rounded: 1e22 is the largest power of ten that a float holds exactly.
    powers = np.floor(np.log10(np.clip(values, _SMALLEST_ROUNDED, 1)))
    scale = 10.0 ** (5 - powers)
    return np.where(values >= _SMALLEST_ROUNDED, np.rint(values * scale) / scale, values)


def check_min_confidence(value: float) -> None:
    """Raise ValueError unless `value` is a number; above 1, everything is refused."""
    if not value >= 0:
        raise ValueError(f"min_confidence must be 0 or more, not {value}")


class Reason(StrEnum):
    """Why a prediction has no digit. The values are part of the JSON contract."""

    NO_INK = "no_ink"
    """The picture is blank."""
    NO_DIGIT = "no_digit"
    """What is in the picture is more likely no digit than one."""
    SEVERAL = "several"
    """There are several digits in the picture."""
    UNSURE = "unsure"
    """The most probable digit is less probable than the required confidence."""


@dataclass(frozen=True)
class Prediction:
    """The digit in one picture.

    Attributes:
        digit: 0 to 9, or None if there is none that is probable enough; see `reason`.
        confidence: Probability of the most probable digit, 0 to 1: `max(probabilities)`.
        probabilities: Calibrated probabilities of the ten digits. They sum to 1 - no_digit.
        no_digit: Calibrated probability that there is no digit in the picture, or several.
        reason: Why `digit` is None; None if it is not.
    """

    digit: int | None
    confidence: float
    probabilities: tuple[float, ...] = field(repr=False)
    no_digit: float
    reason: Reason | None = None

    def ranked(self) -> list[tuple[int, float]]:
        """All ten digits with their probabilities, the most probable first."""
        return sorted(enumerate(self.probabilities), key=lambda pair: -pair[1])

    def to_json(self, top_k: int = 1) -> dict[str, Any]:
        """The prediction as JSON values.

        Args:
            top_k: If more than 1, `top` lists the most probable digits.
        """
        record: dict[str, Any] = {
            "digit": self.digit,
            "confidence": self.confidence,
            "probabilities": list(self.probabilities),
        }
        if top_k > 1:
            record["top"] = [
                {"digit": digit, "confidence": p} for digit, p in self.ranked()[:top_k]
            ]
        if self.reason:
            record["reason"] = self.reason.value
        return record


@dataclass(frozen=True)
class ReadDigit:
    """One of the digits in a picture.

    Attributes:
        digit: 0 to 9, or None if no digit is probable enough.
        confidence: Probability of the most probable digit, 0 to 1.
        line: Index of its line of text, from 0.
        box: Left, top, right, bottom in pixels of the upright picture; right and bottom exclusive.
        image: (28, 28) uint8, white on black: the input of the model.
    """

    digit: int | None
    confidence: float
    line: int
    box: Box
    image: Gray = field(compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The digit as JSON values."""
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "line": self.line,
            "box": list(self.box),
        }


@dataclass(frozen=True)
class Reading:
    """All digits in one picture, in reading order."""

    digits: tuple[ReadDigit, ...]

    @property
    def lines(self) -> list[str]:
        """The digits of each line of text; `?` where none is probable enough."""
        count = max((digit.line for digit in self.digits), default=-1) + 1
        lines = [""] * count
        for digit in self.digits:
            lines[digit.line] += "?" if digit.digit is None else str(digit.digit)
        return lines

    @property
    def line_confidences(self) -> list[float]:
        """For each line the probability that its most probable digits are all right."""
        lines: list[list[float]] = [[] for _ in self.lines]
        for digit in self.digits:
            lines[digit.line].append(digit.confidence)
        return [float(rounded(line_confidence(line))) for line in lines]

    @property
    def text(self) -> str:
        """The lines, separated by newlines."""
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, Any]:
        """The reading as JSON values."""
        return {
            "text": self.text,
            "lines": self.lines,
            "line_confidences": self.line_confidences,
            "digits": [digit.to_json() for digit in self.digits],
        }


class _HasJSON(Protocol):
    def to_json(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=_HasJSON)
K = TypeVar("K")


@dataclass(frozen=True)
class Outcome(Generic[R, K]):
    """What became of one of many sources: a result, or the error that prevented it.

    Attributes:
        name: Path of the source, or what it was called.
        result: The prediction or reading; None if there is an error.
        error: Why the picture could not be read; None if there is a result.
        kept: The intermediate picture that the result was made from, if it was asked for.
    """

    name: str
    result: R | None
    error: PictureError | None = None
    kept: K | None = field(default=None, compare=False, repr=False)

    def to_json(self, **options: Any) -> dict[str, Any]:
        """`path` and the result's values, or `path` and `error`.

        Args:
            options: Passed on to the result's `to_json`.
        """
        if self.result is None:
            assert self.error is not None  # noqa: S101
            return {"path": self.name, "error": self.error.message}
        return {"path": self.name, **self.result.to_json(**options)}


def no_prediction(reason: Reason) -> Prediction:
    """The prediction for a picture without any foreground."""
    return Prediction(None, 0.0, (0.0,) * 10, 1.0, reason)


def make_predictions(
    probabilities: Rows, no_digit: Rows, min_confidence: float, several: Rows
) -> list[Prediction]:
    """Combine a model's ten probabilities with the probability that there is no single digit.

    Every prediction of a single digit is accepted or refused here.

    Args:
        probabilities: (n, 10) of the model, given that there is a digit; they sum to 1.
        no_digit: (n,) probability that there is no digit.
        min_confidence: A less probable digit is refused; with 0, none is.
        several: (n,) probability that there is a second digit, if there is one.
    """
    single = (1 - no_digit) * (1 - several)
    joint = rounded(probabilities * single[:, None]).tolist()
    none = rounded(1 - single).tolist()
    digits = probabilities.argmax(axis=1).tolist()
    several_first = (several > no_digit).tolist()
    predictions = []
    for row, digit, p, has_several in zip(joint, digits, none, several_first, strict=True):
        accepted, reason = digit, None
        if not row[digit] >= min_confidence:
            accepted, reason = None, Reason.UNSURE
            if p > 0.5:
                reason = Reason.SEVERAL if has_several else Reason.NO_DIGIT
        predictions.append(Prediction(accepted, row[digit], tuple(row), p, reason))
    return predictions
