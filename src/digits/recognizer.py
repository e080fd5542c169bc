"""Read digits: load a model once, predict many. Never imports TensorFlow."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .data.dataset import Dataset, Images
from .errors import ModelError, PictureError
from .judge import count_digits, no_digit
from .models.file import ModelFile
from .models.find import find_model
from .models.program import Program
from .models.ready import ready
from .models.recipe import FAMILIES
from .parallel import map_chunks
from .pictures import Ink, Look, NoInkError, Picture, decode, look, read_digit

log = logging.getLogger(__name__)

MIN_CONFIDENCE = 0.5
"""Less sure than this, a prediction is None unless another limit is given."""

NOT_A_DIGIT = "no digit"


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture.

    digit: 0..9, or None when there is none; then `reason` says why.
    confidence: how likely it is the likeliest digit, 0..1: the model's probability times the
    judge's that there is a digit at all. 0 when there is no ink.
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
    """What came of one picture file: a prediction, or else an error in one line."""

    path: str
    prediction: Prediction | None
    error: str | None = None


class Recognizer:
    """A model, ready to predict. Threads may share it; they take turns.

    model: the path of a model file (ours, or another `.h5` of Keras, which is compiled when it is
    first seen), or a family (`dense`, `cnn`, `rnn`): then your own `models/FAMILY.h5` where there
    is one, else the shipped model. Raises ModelError.
    """

    def __init__(self, model: str | os.PathLike[str] = "cnn") -> None:
        file = ready(find_model(model))
        if file.family not in FAMILIES:
            raise ModelError(
                f"{file.path} is no recogniser but a {file.family}", "Give another model"
            )
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

    def predict(
        self,
        picture: str | os.PathLike[str] | bytes | Picture,
        ink: Ink = "auto",
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Prediction:
        """Read the digit in a picture: a path, the bytes of a picture file, or a decoded picture.

        ink: `dark` on light ground, `light` on dark, or `auto`. min_confidence: less sure of a
        digit, the answer is None; 0 for an answer in any case.
        Raises PictureError when it cannot be read; a picture without a digit is a prediction of
        None.
        """
        if not isinstance(picture, Picture):
            picture = decode(picture)
        return self.predict_look(look(picture, ink), ink, min_confidence)

    def predict_look(
        self, seen: Look, ink: Ink = "auto", min_confidence: float = MIN_CONFIDENCE
    ) -> Prediction:
        """As `predict`, of what `look` saw in a picture."""
        if not seen.drawn.any():
            return _no_digit("no ink found")
        prediction = self.predict_images(seen.image[None], min_confidence)[0]
        return _explained(prediction, lambda: seen.picture, ink)

    def predict_images(
        self, images: Images, min_confidence: float = MIN_CONFIDENCE
    ) -> list[Prediction]:
        """Predictions for (n, 28, 28) pixel values 0..255, white ink on black."""
        none = no_digit(images)
        return [
            _prediction(row, float(p), min_confidence)
            for row, p in zip(self.probabilities(images), none, strict=True)
        ]

    def read_many(
        self,
        paths: Iterable[str | os.PathLike[str]],
        ink: Ink = "auto",
        stdin: IO[bytes] | None = None,
        workers: int | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Iterator[Answer]:
        """Answers for picture files, in their order, as they come; a bad one ends nothing.

        paths: `-` means `stdin`. min_confidence: as of `predict`. workers: processes that decode;
        as many as processors when None.
        """
        piped: list[bytes] = []

        def source(path: str | os.PathLike[str]) -> str | bytes:
            if path != "-" or stdin is None:
                return os.fspath(path)
            piped.append(stdin.read())
            return piped[-1]

        work = partial(_read_chunk, ink=ink)
        chunks = map_chunks(work, (source(path) for path in paths), workers=workers)
        with closing(chunks):
            for images, readings in chunks:
                rows = iter(self.predict_images(images, min_confidence))
                for path, problem in readings:
                    again = piped.pop(0) if path == "-" and piped else path
                    if problem is None:
                        picture = partial(decode, again, path)
                        yield Answer(path, _explained(next(rows), picture, ink))
                    elif isinstance(problem, NoInkError):
                        yield Answer(path, _no_digit("no ink found"))
                    else:
                        yield Answer(path, None, str(problem))

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


def _prediction(
    probabilities: NDArray[np.float32], none: float, min_confidence: float
) -> Prediction:
    """What the model says of a picture that holds no digit with probability `none`."""
    digit = int(probabilities.argmax())
    confidence = float(probabilities[digit]) * (1 - none)
    if confidence >= min_confidence:
        return Prediction(digit, confidence, probabilities)
    if none > 0.5:
        return Prediction(None, confidence, probabilities, NOT_A_DIGIT)
    second = int(np.argsort(probabilities)[-2])
    return Prediction(None, confidence, probabilities, f"not sure, perhaps {digit} or {second}")


def _explained(prediction: Prediction, picture: Callable[[], Picture], ink: Ink) -> Prediction:
    """With the better reason where what is no digit is several of them."""
    if prediction.reason != NOT_A_DIGIT:
        return prediction
    if count_digits(picture(), ink) < 2:
        return prediction
    return replace(prediction, reason="several digits: use `digits read`")


def _no_digit(reason: str) -> Prediction:
    return Prediction(None, 0.0, np.full(10, 0.1, np.float32), reason)
