"""How good answers are: scores from true labels and the probabilities a model gave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .data.dataset import Dataset, Images, Labels, checked_labels
from .errors import DataError, ModelError

Probabilities = NDArray[np.floating[Any]]

_CLIP = 1e-7  # keras.config.epsilon(): our losses equal those that Keras prints
_Z95 = 1.959963984540054  # the normal quantile that leaves 2.5 % on each side


class Predictor(Protocol):
    """What `evaluate` asks of a recogniser."""

    @property
    def name(self) -> str:
        """What to call the model in results."""

    @property
    def path(self) -> Path | None:
        """The model file, if there is one."""

    def probabilities(self, images: Images, /) -> NDArray[np.float32]:
        """(n, 10) float32 probabilities for (n, 28, 28) uint8 pictures."""


@dataclass(frozen=True)
class DigitScore:
    """How one digit fared; a figure is None where it would be nought over nought.

    precision: the share of the answers `digit` that are right; None when never answered.
    recall: the share of the pictures of `digit` that are read right; None when there are none.
    f1: harmonic mean of both, 2·right / (support + answers); None when there are neither.
    support: pictures of this digit.
    """

    digit: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, eq=False)
class Score:
    """The score of one model on one data set.

    name: the data set's name.
    loss: mean categorical cross-entropy in nats, as Keras computes it.
    confusion: (10, 10) int64 counts, rows the true digit, columns the answer.
    """

    name: str
    loss: float
    confusion: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Pictures scored."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """Pictures read right."""
        return int(self.confusion.trace())

    @property
    def incorrect(self) -> int:
        """Pictures read wrong."""
        return self.n - self.correct

    @property
    def accuracy(self) -> float:
        """The share read right, 0..1."""
        return self.correct / self.n

    @property
    def accuracy_ci95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the accuracy (see `wilson`)."""
        return wilson(self.correct, self.n)

    @cached_property
    def per_digit(self) -> tuple[DigitScore, ...]:
        """Precision, recall, F1 and support of the digits 0 to 9, in that order."""
        right = self.confusion.diagonal()
        answers, support = self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return tuple(
            DigitScore(
                digit,
                precision=_ratio(right[digit], answers[digit]),
                recall=_ratio(right[digit], support[digit]),
                f1=_ratio(2 * right[digit], support[digit] + answers[digit]),
                support=int(support[digit]),
            )
            for digit in range(10)
        )

    def to_json(self) -> dict[str, Any]:
        """The score as plain Python values; a figure that does not exist is None, never NaN."""
        return {
            "name": self.name,
            "n": self.n,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.accuracy_ci95),
            "correct": self.correct,
            "incorrect": self.incorrect,
            "per_digit": {
                str(d.digit): {
                    "precision": d.precision,
                    "recall": d.recall,
                    "f1": d.f1,
                    "support": d.support,
                }
                for d in self.per_digit
            },
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of one model.

    model: its name.
    path: its file, if there is one.
    scores: one for each data set, in the order given.
    joint: the score over all pictures of all sets together; None when there is one set.
    probabilities: (n, 10) float32 for each data set, in the same order.
    """

    model: str
    path: Path | None
    scores: tuple[Score, ...]
    joint: Score | None
    probabilities: tuple[NDArray[np.float32], ...]

    def to_json(self) -> dict[str, Any]:
        """`{"model", "data": [...], "joint"}` in plain Python values."""
        return {
            "model": str(self.path or self.model),
            "data": [score.to_json() for score in self.scores],
            "joint": self.joint.to_json() if self.joint else None,
        }


def evaluate(recognizer: Predictor, datasets: Sequence[Dataset]) -> Evaluation:
    """Score `recognizer` on each data set and, when there are several, on all of them joint.

    Raises DataError when no data set is given, ModelError when the model's answers are no
    probabilities.
    """
    if not datasets:
        raise DataError("there is nothing to score on", "Give at least one data set")
    answers = tuple(recognizer.probabilities(data.images) for data in datasets)
    scores = tuple(
        score(data.name, data.labels, given) for data, given in zip(datasets, answers, strict=True)
    )
    joint = None
    if len(datasets) > 1:
        labels = np.concatenate([data.labels for data in datasets])
        joint = score("joint", labels, np.concatenate(answers))
    return Evaluation(recognizer.name, recognizer.path, scores, joint, answers)


def score(name: str, labels: Labels, probabilities: Probabilities) -> Score:
    """Score (n, 10) `probabilities` against (n,) `labels`; the answer is the likeliest digit.

    The loss follows Keras: each row is made to sum to one, then clipped to 1e-7..1-1e-7.
    Raises DataError without pictures, ModelError when the probabilities do not fit.
    """
    labels = checked_labels(labels, name)
    probabilities = _checked_probabilities(probabilities, len(labels))
    if not len(labels):
        raise DataError(f"{name} holds no pictures", "Give at least one")
    total = np.maximum(probabilities.sum(axis=1), np.finfo(np.float32).tiny)
    of_truth = probabilities[np.arange(len(labels)), labels] / total
    loss = -np.log(np.clip(of_truth, _CLIP, 1 - _CLIP)).mean()
    pairs = labels * np.int64(10) + probabilities.argmax(axis=1)
    return Score(name, float(loss), np.bincount(pairs, minlength=100).reshape(10, 10))


def misread(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Indices of the wrong answers, worst first: the surer of the wrong digit, the worse."""
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    return wrong[np.argsort(-confidence[wrong], kind="stable")]


def per_cent(probability: float) -> str:
    """A probability as per cent with one decimal; never rounded up to a certainty."""
    return "> 99.9 %" if probability > 0.9995 else f"{100 * probability:.1f} %"


def wilson(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval (low, high) of a share of `correct` in `n` > 0.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927) 209-212; recommended for shares near 0 or 1, where the usual
    ± 1.96 standard errors fails, by Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    """
    share, z2 = correct / n, _Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if correct == 0 else centre - half  # exact at the ends, where rounding is not
    high = 1.0 if correct == n else centre + half
    return low, high


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _checked_probabilities(probabilities: Probabilities, n: int) -> NDArray[np.float64]:
    array = np.asarray(probabilities, np.float64)
    if array.shape != (n, 10):
        raise ModelError(
            f"the model's answers to {n:,} pictures have shape {array.shape}",
            "Use a model that gives ten probabilities for each picture",
        )
    if not np.isfinite(array).all() or (array < 0).any():
        raise ModelError(
            "the model's answers are no probabilities (NaN, infinite or below 0)",
            "Train the model again, perhaps with a lower learning rate",
        )
    return array
