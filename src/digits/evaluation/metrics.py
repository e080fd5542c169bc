"""Metrics from true labels and predicted probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.arrays import as_labels
from ..errors import DataError, ModelError

Probabilities = NDArray[np.floating[Any]]

_EPSILON = 1e-7  # keras.config.epsilon(): our losses equal those that Keras prints
_Z95 = 1.959963984540054  # quantile of the normal distribution that leaves 2.5 % on each side


@dataclass(frozen=True)
class DigitScore:
    """The scores of one digit. A ratio whose denominator is 0 is None.

    Attributes:
        digit: 0 to 9.
        precision: Correct predictions of the digit / all predictions of it.
        recall: Correct predictions of the digit / images of it.
        f1: Harmonic mean of precision and recall: 2·correct / (images + predictions).
        support: Number of images of the digit.
    """

    digit: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int

    def to_json(self) -> dict[str, Any]:
        """All but `digit` as JSON values."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.support,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """The metrics of one model on one data set.

    Attributes:
        name: Name of the data set.
        loss: Mean categorical cross-entropy in nats, as Keras computes it.
        confusion: (10, 10) int64 counts; rows are true digits, columns predicted ones.
    """

    name: str
    loss: float
    confusion: NDArray[np.int64]

    def __repr__(self) -> str:
        return (
            f"Score({self.name!r}, n={self.n}, accuracy={self.accuracy:.4f}, loss={self.loss:.4f})"
        )

    @property
    def n(self) -> int:
        """Number of images."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """Number of correct predictions."""
        return int(self.confusion.trace())

    @property
    def incorrect(self) -> int:
        """Number of incorrect predictions."""
        return self.n - self.correct

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0 to 1."""
        return self.correct / self.n

    @property
    def accuracy_ci95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the accuracy; see `wilson`."""
        return wilson(self.correct, self.n)

    @cached_property
    def per_digit(self) -> tuple[DigitScore, ...]:
        """The scores of the digits 0 to 9, in that order."""
        correct = self.confusion.diagonal()
        predicted, support = self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return tuple(
            DigitScore(
                digit,
                precision=_ratio(correct[digit], predicted[digit]),
                recall=_ratio(correct[digit], support[digit]),
                f1=_ratio(2 * correct[digit], support[digit] + predicted[digit]),
                support=int(support[digit]),
            )
            for digit in range(10)
        )

    def to_json(self) -> dict[str, Any]:
        """The score as JSON values; an undefined ratio is None, never NaN."""
        return {
            "name": self.name,
            "n": self.n,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.accuracy_ci95),
            "correct": self.correct,
            "incorrect": self.incorrect,
            "per_digit": {str(score.digit): score.to_json() for score in self.per_digit},
            "confusion": self.confusion.tolist(),
        }


def score(name: str, labels: ArrayLike, probabilities: Probabilities) -> Score:
    """Compute the metrics of predicted probabilities; the most probable digit is the prediction.

    The loss follows Keras: each row is divided by its sum, then clipped to 1e-7..1-1e-7.

    Args:
        name: Name of the data set.
        labels: (n,) digits 0..9.
        probabilities: (n, 10).

    Raises:
        DataError: If there are no labels.
        ModelError: If `probabilities` has another shape, or a value is negative or not finite.
    """
    labels = as_labels(labels, f"the labels of {name}")
    if not len(labels):
        raise DataError(f"{name} contains no images", "Give at least one")
    probabilities = _checked_probabilities(probabilities, len(labels))
    total = np.maximum(probabilities.sum(axis=1), np.finfo(np.float32).tiny)
    of_label = probabilities[np.arange(len(labels)), labels] / total
    loss = -np.log(np.clip(of_label, _EPSILON, 1 - _EPSILON)).mean()
    cells = labels * np.int64(10) + probabilities.argmax(axis=1)
    return Score(name, float(loss), np.bincount(cells, minlength=100).reshape(10, 10))


def misread(labels: NDArray[Any], probabilities: Probabilities) -> NDArray[np.int64]:
    """Indices of the incorrect predictions, the most confident first.

    Args:
        labels: (n,) digits 0..9.
        probabilities: (n, 10).
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-confidence[wrong], kind="stable")]


def wilson(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval (low, high) of a share of `correct` in `n` > 0.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927) 209-212; recommended for shares near 0 or 1, where the usual
    ± 1.96 standard errors fails, by Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    """
    share, z2 = correct / n, _Z95**2
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if correct == 0 else center - half  # exact at the ends, where rounding is not
    high = 1.0 if correct == n else center + half
    return low, high


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _checked_probabilities(probabilities: Probabilities, n: int) -> NDArray[np.float64]:
    array = np.asarray(probabilities, np.float64)
    if array.shape != (n, 10):
        raise ModelError(
            f"the output of the model for {n:,} images has the shape {array.shape}",
            "Use a model with ten outputs per image",
        )
    if not np.isfinite(array).all() or (array < 0).any():
        raise ModelError(
            "the output of the model is not probabilities (NaN, infinite or negative)",
            "Train the model again, perhaps with a lower learning rate",
        )
    return array
