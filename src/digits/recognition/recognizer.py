"""Recognize single digits: load a model once, predict many. Never imports TensorFlow."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..data.arrays import Images, as_images
from ..data.dataset import Dataset
from ..errors import ModelError, PictureError
from ..imaging.decode import Source
from ..imaging.foreground import Ink
from ..models.compiled import CompiledModel
from ..models.families import FAMILIES
from ..models.file import ModelFile
from ..models.find import find_model
from ..models.metadata import ModelMetadata
from ..models.trust import load_trusted
from . import rejector
from .bulk import Sources, failure, map_pictures, received
from .finder import UNSEEN, Foreground
from .joint import joint
from .preprocess import Preprocessed, preprocess
from .results import (
    Outcome,
    Prediction,
    Reason,
    check_min_confidence,
    make_predictions,
    no_prediction,
)

log = logging.getLogger(__name__)

MIN_CONFIDENCE = 0.5
"""Default probability below which a digit is refused."""

Predicted = Outcome[Prediction, Preprocessed]


class Recognizer:
    """A model that recognizes single digits. Threads may share it; they take turns.

    Args:
        model: Path of a model file (ours or another Keras `.h5`, which is compiled the first time),
            or a family (`dense`, `cnn`, `rnn`): your own `models/FAMILY.h5` if there is one, else
            the shipped model.

    Attributes:
        name: Name of the model: the stem of its file.
        path: Its file; None if it was made by `from_compiled`.
        file: The content of that file; None likewise.

    Raises:
        ModelError: The model cannot be found or used.
    """

    def __init__(self, model: str | os.PathLike[str] = "cnn") -> None:
        file = load_trusted(find_model(model))
        if file.family not in FAMILIES:
            raise ModelError(
                f"this is a {file.family}, not a recognizer", "Give another model", file.path
            )
        self._set_up(file.compiled, file.path.stem, file)

    @classmethod
    def from_compiled(cls, compiled: bytes, name: str) -> Recognizer:
        """A recognizer from a compiled model that is not in a file (yet)."""
        recognizer = cls.__new__(cls)
        recognizer._set_up(compiled, name, None)
        return recognizer

    def _set_up(self, compiled: bytes, name: str, file: ModelFile | None) -> None:
        self.name = name
        self.file = file
        self.path: Path | None = file.path if file else None
        self._compiled = CompiledModel(compiled, str(self.path or name))

    def __repr__(self) -> str:
        return f"Recognizer({str(self.path or self.name)!r})"

    @property
    def metadata(self) -> ModelMetadata | None:
        """What the model file says about itself; None without a file."""
        return self.file.metadata if self.file else None

    def probabilities(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """The model's probabilities, given that each image is a digit.

        Args:
            images: (n, 28, 28), (n, 28, 28, 1), (n, 784) or one (28, 28); white on black, 0..255
                or floats 0..1.

        Returns:
            (n, 10) float32.
        """
        return self._compiled.probabilities(as_images(images, "images"))

    @overload
    def predict(
        self, source: Source | Preprocessed, ink: Ink = ..., min_confidence: float = ...
    ) -> Prediction: ...
    @overload
    def predict(
        self, source: Sources, ink: Ink = ..., min_confidence: float = ...
    ) -> list[Prediction]: ...
    def predict(
        self,
        source: Source | Preprocessed | Sources,
        ink: Ink = "auto",
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Prediction | list[Prediction]:
        """Recognize the digit in a picture, or in each of a list of pictures.

        Args:
            source: Anything that `preprocess` takes, or a list of such.
            ink: `dark` on light ground, `light` on dark, or `auto`.
            min_confidence: A less probable digit is refused. With 0, there is an answer whenever
                anything in the picture resembles a digit.

        Returns:
            A prediction, whose digit is None if there is none; for a list, a list of predictions.

        Raises:
            PictureError: A picture cannot be decoded.
        """
        if isinstance(source, list | tuple):
            return self._predict([preprocess(one, ink) for one in source], min_confidence)
        return self._predict([preprocess(source, ink)], min_confidence)[0]

    def predict_many(
        self,
        sources: Iterable[Source],
        ink: Ink = "auto",
        min_confidence: float = MIN_CONFIDENCE,
        *,
        keep: bool = False,
        workers: int | None = None,
    ) -> Iterator[Predicted]:
        """Recognize the digit in each of many pictures; one that cannot be read stops nothing.

        Args:
            sources: Read only as fast as they are processed, so there may be any number.
            ink: See `predict`.
            min_confidence: See `predict`.
            keep: Also return what `preprocess` made of each picture.
            workers: Number of processes; one per processor if None.

        Returns:
            Outcomes in the order of the sources, as they become known.
        """
        return map_pictures(
            _predict_chunk, self, sources, workers,
            ink=ink, min_confidence=min_confidence, keep=keep,
        )  # fmt: skip

    def predict_images(
        self, images: NDArray[Any], min_confidence: float = MIN_CONFIDENCE
    ) -> list[Prediction]:
        """Predict images that are in MNIST's geometry already.

        Args:
            images: As of `probabilities`.
            min_confidence: See `predict`.
        """
        images = as_images(images, "images")
        return self._combine(images, [None] * len(images), min_confidence)

    def _predict(
        self, preprocessed: Sequence[Preprocessed], min_confidence: float
    ) -> list[Prediction]:
        """The predictions for preprocessed pictures."""
        images: Images = np.array([one.image for one in preprocessed], np.uint8)
        found = [one.found for one in preprocessed]
        return self._combine(images.reshape(-1, 28, 28), found, min_confidence)

    def _combine(
        self, images: Images, found: Sequence[Foreground | None], min_confidence: float
    ) -> list[Prediction]:
        """The predictions for images and what the finder saw: every prediction is made here."""
        check_min_confidence(min_confidence)
        predictions = [
            no_prediction(Reason.NO_INK if one is None or one.blank else Reason.NO_DIGIT)
            for one in found
        ]
        inked = np.flatnonzero(images.any(axis=(1, 2))).tolist()
        if not inked:
            return predictions
        digits, none = joint(
            self._compiled.probabilities(images[inked]),
            rejector.probabilities(images[inked]),
            np.stack([UNSEEN if (one := found[i]) is None else one.probabilities for i in inked]),
        )
        several = np.array([0.0 if (one := found[i]) is None else one.several for i in inked])
        made = make_predictions(digits, none, min_confidence, several)
        for i, prediction in zip(inked, made, strict=True):
            predictions[i] = prediction
        return predictions

    def count_training_overlap(self, dataset: Dataset) -> int:
        """Count the pictures of `dataset` that the model was trained on; log a warning if any."""
        if self.file is None:
            return 0
        count = dataset.count_in(self.file.training_digests())
        if count:
            log.warning(
                "%s was trained on %s of the %s pictures of %s, so its score there is too high",
                self.path, f"{count:,}", f"{len(dataset):,}", dataset.name,
            )  # fmt: skip
        return count


def _predict_chunk(
    recognizer: Recognizer,
    sources: Sequence[Source | PictureError],
    ink: Ink,
    min_confidence: float,
    keep: bool,
) -> list[Predicted]:
    stages: list[Preprocessed | PictureError] = []
    for source in sources:
        try:
            stages.append(preprocess(received(source), ink))
        except PictureError as error:
            stages.append(error)
    readable = [one for one in stages if isinstance(one, Preprocessed)]
    predictions = iter(recognizer._predict(readable, min_confidence))
    return [
        failure(one)
        if isinstance(one, PictureError)
        else Outcome(one.picture.name, next(predictions), kept=one if keep else None)
        for one in stages
    ]
