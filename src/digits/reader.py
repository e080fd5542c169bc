"""Read several digits in a picture. Never imports TensorFlow."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from .judge import NO_DIGIT, lines_of_digits
from .pictures import Grey, Ink, Picture, decode
from .pictures.segment import Candidate
from .recognizer import Recognizer

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class ReadDigit:
    """One digit that was read.

    digit: 0..9, or None when it is not sure. confidence: 0..1. line: the number of its line, from
    0. box: left, top, right, bottom (the last two past the ink) in pixels of the upright picture.
    image: (28, 28) uint8, white ink on black, what the model saw.
    """

    digit: int | None
    confidence: float
    line: int
    box: Box
    image: Grey = field(compare=False, repr=False)


@dataclass(frozen=True)
class Reading:
    """All digits in a picture, in reading order."""

    digits: list[ReadDigit]

    @property
    def lines(self) -> list[str]:
        """The digits of each line; `?` for one that is not sure."""
        count = max((d.line for d in self.digits), default=-1) + 1
        return ["".join(_sign(d) for d in self.digits if d.line == i) for i in range(count)]

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(self.lines)


class Reader:
    """Reads lines of digits; the judge finds them, the model says which they are.

    model: as of a `Recognizer`. Raises ModelError.
    """

    def __init__(self, model: str | os.PathLike[str] = "cnn") -> None:
        self.recognizer = Recognizer(model)

    def read(
        self,
        picture: str | os.PathLike[str] | bytes | Picture,
        ink: Ink = "auto",
        min_confidence: float = 0.0,
    ) -> Reading:
        """All digits in a picture: a path, the bytes of a picture file, or a decoded picture.

        ink: `dark` on light ground, `light` on dark, or `auto`. min_confidence: a digit that is
        less sure is None. Raises PictureError; a picture without digits gives an empty reading.
        """
        if not isinstance(picture, Picture):
            picture = decode(picture)
        high, wide = picture.grey.shape
        found: list[ReadDigit] = []
        for number, (digits, shape) in enumerate(lines_of_digits(picture, ink)):
            scale = wide / shape[1], high / shape[0]
            answers = self.recognizer.probabilities(np.stack([c.image for c, _ in digits]))
            for (candidate, opinion), answer in zip(digits, answers, strict=True):
                both = (answer * (1 - opinion[NO_DIGIT]) + opinion[:NO_DIGIT]) / 2
                best = int(both.argmax())
                sure = float(both[best])
                digit = best if sure >= min_confidence else None
                box = _box(candidate, scale)
                found.append(ReadDigit(digit, sure, number, box, candidate.image))
        return Reading(found)


def _box(candidate: Candidate, scale: tuple[float, float]) -> Box:
    piece = candidate.piece
    x, y = scale
    return (
        int(piece.left * x), int(piece.top * y),
        int(np.ceil(piece.right * x)), int(np.ceil(piece.bottom * y)),
    )  # fmt: skip


def _sign(digit: ReadDigit) -> str:
    return "?" if digit.digit is None else str(digit.digit)
