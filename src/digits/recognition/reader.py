"""Read all digits in a picture. Never imports TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError
from ..imaging.decode import Picture, Source, check_legible, decode
from ..imaging.foreground import Ink, check_ink
from .bulk import Sources, failure, map_pictures, received
from .finder import FoundDigit, find_digits, lines_of
from .joint import joint
from .recognizer import MIN_CONFIDENCE, Recognizer
from .rejector import probabilities
from .results import Outcome, ReadDigit, Reading, check_min_confidence, rounded

Read = Outcome[Reading, Picture]

_MOST_NO_DIGIT = 0.5  # probability: what is more probably no digit is left out


class Reader:
    """Reads lines of digits: a finder says where digits are, a model which ones.

    Args:
        model: As of a `Recognizer`.

    Raises:
        ModelError: The model cannot be found or used.
    """

    def __init__(self, model: str | os.PathLike[str] = "cnn") -> None:
        self.recognizer = Recognizer(model)

    def __repr__(self) -> str:
        return f"Reader({str(self.recognizer.path)!r})"

    @overload
    def read(self, source: Source, ink: Ink = ..., min_confidence: float = ...) -> Reading: ...
    @overload
    def read(
        self, source: Sources, ink: Ink = ..., min_confidence: float = ...
    ) -> list[Reading]: ...
    def read(
        self,
        source: Source | Sources,
        ink: Ink = "auto",
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Reading | list[Reading]:
        """Read all digits in a picture, or in each of a list of pictures.

        Args:
            source: Anything that `decode` takes, or a list of such.
            ink: `dark` on light ground, `light` on dark, or `auto`.
            min_confidence: A less probable digit is None in the reading, and `?` in its lines. What
                is more probably no digit is left out in any case.

        Returns:
            A reading, which is empty if there are no digits; for a list, a list of readings.

        Raises:
            PictureError: A picture cannot be decoded.
        """
        check_ink(ink)
        check_min_confidence(min_confidence)
        if isinstance(source, list | tuple):
            return [self.read(one, ink, min_confidence) for one in source]
        picture = decode(source)
        check_legible(picture)
        return self._reading(find_digits(picture, ink), min_confidence)

    def read_many(
        self,
        sources: Iterable[Source],
        ink: Ink = "auto",
        min_confidence: float = MIN_CONFIDENCE,
        *,
        keep: bool = False,
        workers: int | None = None,
    ) -> Iterator[Read]:
        """Read all digits in each of many pictures; one that cannot be decoded stops nothing.

        Args:
            sources: Read only as fast as they are processed, so there may be any number.
            ink: See `read`.
            min_confidence: See `read`.
            keep: Also return each decoded picture.
            workers: Number of processes; one per processor if None.

        Returns:
            Outcomes in the order of the sources, as they become known.
        """
        return map_pictures(
            _read_chunk, self, sources, workers, ink=ink, min_confidence=min_confidence, keep=keep
        )

    def _reading(self, found: Sequence[FoundDigit], min_confidence: float) -> Reading:
        """What is more probably a digit than none, in lines: every reading is made here."""
        if not found:
            return Reading(())
        images = np.stack([one.image for one in found])
        finder = np.stack([one.probabilities for one in found])
        digits, none = joint(self.recognizer.probabilities(images), probabilities(images), finder)
        kept = np.flatnonzero(none <= _MOST_NO_DIGIT).tolist()
        rows = digits * (1 - none[:, None])
        return Reading(
            tuple(
                _read_digit(found[i], rows[i], number, min_confidence)
                for number, line in enumerate(lines_of([found[i].box for i in kept]))
                for i in (kept[index] for index in line)
            )
        )


def _read_digit(
    found: FoundDigit, row: NDArray[np.floating], line: int, min_confidence: float
) -> ReadDigit:
    digit = int(row.argmax())
    confidence = float(rounded(row[digit]))
    accepted = digit if confidence >= min_confidence else None
    return ReadDigit(accepted, confidence, line, found.box, found.image)


def _read_chunk(
    reader: Reader,
    sources: Sequence[Source | PictureError],
    ink: Ink,
    min_confidence: float,
    keep: bool,
) -> list[Read]:
    outcomes: list[Read] = []
    for source in sources:
        try:
            picture = decode(received(source))
            reading = reader.read(picture, ink, min_confidence)
            outcomes.append(Outcome(picture.name, reading, kept=picture if keep else None))
        except PictureError as error:
            outcomes.append(failure(error))
    return outcomes
