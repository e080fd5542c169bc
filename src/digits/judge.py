"""The judge: whether there is a digit, and where digits are. Never imports TensorFlow.

The ten probabilities of a recogniser always sum to one, also for a letter or a blot. The judge has
an eleventh: that it is no digit. It is one shipped model for all recognisers.

It also finds the digits in a line of writing. The line is cut wherever two digits may touch; every
bundle of neighbouring parts is a candidate, and the judge says how much each looks like a digit, or
like none. The best path from the left end to the right, found by dynamic programming, wins. So the
classical readers of cheques work (LeCun, Bottou, Bengio and Haffner, 1998, part V).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .data.dataset import Images
from .models.find import shipped_folder
from .models.program import Program
from .models.ready import ready
from .models.recipe import JUDGE, OUTPUTS
from .pictures import Ink, Picture
from .pictures.ink import flatten, ink_map, resized
from .pictures.layout import Line, find_lines
from .pictures.segment import Candidate, candidates

NO_DIGIT = 10
"""The place of "no digit" among the judge's probabilities."""

Digits = list[tuple[Candidate, NDArray[np.float32]]]
"""Candidates that are digits, each with the judge's (11,) probabilities."""

_MOST = 1200  # pixels of the longer side: a page of digits is still legible
_LEAST = 120  # of the shorter side: rules and strokes are told apart
_PRIOR = 0.3  # of all pictures that are shown, so many hold no digit
_CROWDED = 100  # pieces of ink
_CLEAR = 0.8  # of the judge's probability: such a digit counts


@functools.cache
def _program() -> Program:
    return Program(ready(shipped_folder() / f"{JUDGE}.h5").program, JUDGE, OUTPUTS[JUDGE])


def opinions(images: Images) -> NDArray[np.float32]:
    """(n, 11) probabilities, of the ten digits and of no digit, for (n, 28, 28) pixel values.

    Raises ModelError when the shipped model is missing or damaged.
    """
    return _program().probabilities(images)


def no_digit(images: Images) -> NDArray[np.float32]:
    """(n,) probabilities that there is no digit in (n, 28, 28) pixel values.

    The judge is calibrated where every second picture holds none; people mostly show digits.
    """
    odds = _PRIOR / (1 - _PRIOR)
    none = opinions(images)[:, NO_DIGIT].astype(np.float64)
    return np.asarray(none * odds / (none * odds + (1 - none)), np.float32)


def count_digits(picture: Picture, ink: Ink = "auto") -> int:
    """How many digits clearly stand in a picture; 0 also for one that is crowded with ink."""
    lines, _ = _lines(picture, ink)
    if sum(len(line.pieces) for line in lines) > _CROWDED:
        return 0
    views = [view for line in lines for _, view in find_digits(candidates(line))]
    return sum(bool(view[:NO_DIGIT].max() > _CLEAR) for view in views)


def lines_of_digits(picture: Picture, ink: Ink) -> Iterator[tuple[Digits, tuple[int, int]]]:
    """The digits of each line that has any, from top to bottom, and the shape of the ink map."""
    lines, shape = _lines(picture, ink)
    for line in lines:
        if digits := find_digits(candidates(line)):
            yield digits, shape


def _lines(picture: Picture, ink: Ink) -> tuple[list[Line], tuple[int, int]]:
    """The lines of writing in a picture, and the shape of its ink map."""
    tones, ink = flatten(picture, ink)
    drawn = ink_map(resized(tones, _MOST, _LEAST), ink)
    return find_lines(drawn), drawn.shape


def find_digits(all_: Sequence[Candidate]) -> Digits:
    """Those of a line's candidates that are its digits, from left to right, with the judge's view.

    The view is (11,) probabilities, of the ten digits and of no digit.
    """
    if not all_:
        return []
    views = opinions(np.stack([c.image for c in all_]))
    weights = np.array([_weights(c, view) for c, view in zip(all_, views, strict=True)])
    end = max(c.last for c in all_)
    score = np.full(end + 1, -np.inf)
    score[0] = 0
    through = np.zeros(end + 1, int)
    for i, c in enumerate(all_):  # these come in order of `first`
        value = score[c.first] + (c.last - c.first) * weights[i].max()
        if value > score[c.last]:
            score[c.last], through[c.last] = value, i
    path = []
    place = end
    while place > 0:
        i = through[place]
        if weights[i][0] >= weights[i][1]:
            path.append((all_[i], views[i]))
        place = all_[i].first
    return path[::-1]


_SHORT, _SHORT_ONE, _WIDE = 0.55, 0.75, 1.2  # heights and widths, in heights of the line
_MOST_SKIPPED = 0.35


def _weights(c: Candidate, view: NDArray[np.float32]) -> tuple[float, float]:
    """Logarithms of how likely a candidate is a digit, and none, its size in the line considered.

    What is short may be a comma, though it looks like a 1; what is tall is rarely nothing.
    """
    logs = np.log(np.maximum(view, 1e-6))
    best = int(logs[:NO_DIGIT].argmax())
    digit = float(logs[best])
    digit -= 12 * max(0.0, (_SHORT_ONE if best == 1 else _SHORT) - c.height)
    digit -= 3 * max(0.0, c.width - _WIDE)
    none = float(logs[NO_DIGIT]) - 0.3 - 8 * max(0.0, c.height - _MOST_SKIPPED)
    return digit, none
