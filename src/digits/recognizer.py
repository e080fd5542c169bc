"""Read digits: load a model once, predict many. Never imports TensorFlow."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .data.dataset import Dataset, Images
from .errors import PictureError
from .models.file import ModelFile
from .models.find import find_model
from .models.program import Program
from .models.ready import ready
from .parallel import map_chunks
from .pictures import Ink, NoInkError, read_digit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture.

    digit: 0..9, or None when there is none; then `reason` says why.
    confidence: the probability of `digit`, 0..1; 0 when there is none.
    probabilities: (10,) float32; all equal when there is no digit to judge.
    """

    digit: int | None
    confidence: float
    probabilities: NDArray[np.float32]
    reason: str | None = None

    def ranked(self) -> list[tuple[int, float]]:
        """All digits with their probabilities, the likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(int(d), float(self.probabilities[d])) for d in order]


@dataclass(frozen=True)
class Answer:
    """What came of one picture file: a prediction, or an error in one line."""

    path: str
    prediction: Prediction
    error: str | None = None


class Recognizer:
    """A model, ready to predict. Threads may share it; they take turns.

    model: the path of a model file (ours, or another `.h5` of Keras, which is compiled when it is
    first seen), or a family (`dense`, `cnn`, `rnn`): then your own `models/FAMILY.h5` where there
    is one, else the shipped model. Raises ModelError.
    """

    def __init__(self, model: str | os.PathLike[str] = "cnn") -> None:
        file = ready(find_model(model))
        self._set_up(file.program, str(file.path), file)

    @classmethod
    def from_program(cls, program: bytes, name: str) -> Recognizer:
        """A recogniser from a compiled LiteRT program that no file holds (yet)."""
        recognizer = cls.__new__(cls)
        recognizer._set_up(program, name, None)
        return recognizer

    def _set_up(self, program: bytes, name: str, file: ModelFile | None) -> None:
        self.name = file.path.stem if file else name
        self.file = file
        self.path = file.path if file else None
        self._program = Program(program, name)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the model file knows about itself; empty without a file."""
        return self.file.metadata if self.file else {}

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """(n, 10) probabilities for (n, 28, 28) pixel values 0..255, white ink on black."""
        return self._program.probabilities(images)

    def predict(self, picture: str | os.PathLike[str] | bytes, ink: Ink = "auto") -> Prediction:
        """Read the digit in a picture: a path, or the bytes of a picture file.

        ink: `dark` on light ground, `light` on dark, or `auto`. Raises PictureError when it
        cannot be read; a picture without a digit is a prediction of None.
        """
        try:
            image = read_digit(picture, ink)
        except NoInkError:
            return _no_digit("no ink found")
        return self.predict_images(image[None])[0]

    def predict_images(self, images: Images) -> list[Prediction]:
        """Predictions for (n, 28, 28) pixel values 0..255, white ink on black."""
        return [_prediction(row) for row in self.probabilities(images)]

    def read_many(
        self,
        paths: Iterable[str | os.PathLike[str]],
        ink: Ink = "auto",
        stdin: IO[bytes] | None = None,
        workers: int | None = None,
    ) -> Iterator[Answer]:
        """Answers for picture files, in their order, as they come; a bad one ends nothing.

        paths: `-` means `stdin`. workers: processes that decode; as many as processors when None.
        """
        sources = (
            _Stdin(stdin.read()) if path == "-" and stdin else os.fspath(path) for path in paths
        )
        chunks = map_chunks(partial(_read_chunk, ink=ink), sources, workers=workers)
        with closing(chunks):
            for images, readings in chunks:
                rows = iter(self.probabilities(images))
                for path, problem in readings:
                    if problem is None:
                        yield Answer(path, _prediction(next(rows)))
                    elif isinstance(problem, NoInkError):
                        yield Answer(path, _no_digit("no ink found"))
                    else:
                        yield Answer(path, _no_digit("unreadable"), str(problem))

    def warn_if_seen(self, dataset: Dataset) -> int:
        """How many pictures of `dataset` the model learned from; logs a warning if any."""
        if self.file is None:
            return 0
        count = dataset.count_in(self.file.seen_digests())
        if count:
            log.warning(
                "%s learned from %s of the %s pictures of %s, so its score there is flattered",
                self.path, f"{count:,}", f"{len(dataset):,}", dataset.name,
            )  # fmt: skip
        return count


class _Stdin(bytes):
    """The bytes of a picture that came through stdin."""


def _read_chunk(
    sources: Sequence[str | bytes], ink: Ink
) -> tuple[Images, list[tuple[str, PictureError | None]]]:
    """The (n, 28, 28) pictures that could be read, and for each source its path and problem."""
    images, readings = [], []
    for source in sources:
        path = "-" if isinstance(source, bytes) else source
        problem = None
        try:
            images.append(read_digit(source, ink))
        except PictureError as error:
            problem = error
        readings.append((path, problem))
    return np.array(images, np.uint8).reshape(-1, 28, 28), readings


def _prediction(probabilities: NDArray[np.float32]) -> Prediction:
    digit = int(probabilities.argmax())
    return Prediction(digit, float(probabilities[digit]), probabilities)


def _no_digit(reason: str) -> Prediction:
    return Prediction(None, 0.0, np.full(10, 0.1, np.float32), reason)
