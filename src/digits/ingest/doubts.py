"""Pictures whose label the shipped recognizer doubts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..data.dataset import Dataset
from ..imaging.decode import decode
from ..imaging.foreground import Ink
from ..imaging.pages import Page
from ..models.find import shipped_folder
from ..recognition import rejector
from ..recognition.recognizer import Recognizer
from ..recognition.results import Prediction, Reason

MIN_CONFIDENCE = 0.9
"""Confidence from which on another digit than the label is a doubt.

On MNIST's 10,000 test images, 98 % of wrong labels would be doubted, and 0.3 % of the given ones
are (11 images as another digit, 22 as no digit).
"""


class Doubt(NamedTuple):
    """A picture that is recognized as something other than its label."""

    path: str
    label: int
    prediction: Prediction


def find_doubts(
    dataset: Dataset,
    pictures: Sequence[str | Page],
    ink: Ink = "auto",
    transpose: bool = False,
    workers: int | None = None,
) -> tuple[Doubt, ...]:
    """Find the pictures that are recognized as no digit, as several, or clearly as another digit.

    The shipped model judges: your own may have been trained on the same wrong labels.

    Args:
        dataset: The pictures as preprocessed.
        pictures: Where each comes from: the path or page of a file.
        ink: See `preprocess`.
        transpose: See `ingest`.
        workers: Number of processes; one per processor if None.
    """
    # The rejector's own guess at the digit takes half the time of a recognizer's, which then sees
    # only the hundredth of the pictures where that guess is not the label.
    guesses = rejector.probabilities(dataset.images).argmax(axis=1)
    suspects = np.flatnonzero(guesses != dataset.labels).tolist()
    sources = (decode(pictures[i]).transposed() if transpose else pictures[i] for i in suspects)
    outcomes = Recognizer(shipped_folder() / "cnn.h5").predict_many(sources, ink, workers=workers)
    labels = dataset.labels.tolist()
    return tuple(
        Doubt(outcome.name, labels[i], outcome.result)
        for i, outcome in zip(suspects, outcomes, strict=True)
        if outcome.result and _is_doubtful(outcome.result, labels[i])
    )


def _is_doubtful(prediction: Prediction, label: int) -> bool:
    if prediction.digit is None:
        return prediction.reason is not Reason.UNSURE
    return prediction.digit != label and prediction.confidence >= MIN_CONFIDENCE
