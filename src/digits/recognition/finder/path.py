"""The digits of a line: the best path through its candidates.

The line was cut wherever two digits may touch. The rejector gives the probability that a candidate
is each digit, or none; the path from the left end of the line to the right that is most probable
wins (LeCun, Bottou, Bengio and Haffner, 1998, part V).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..rejector import NO_DIGIT
from .segment import Candidate

# Heights and widths in heights of a digit in the line, as in `Candidate`.
_SHORT = 0.55  # a shorter digit is improbable,
_SHORT_ONE = 0.75  # and so is a shorter 1, for a comma looks like it
_WIDE = 1.2  # and a wider digit
_MAX_SKIPPED = 0.35  # what is taller is rarely no digit
_MIN_PROBABILITY = 1e-6  # below, the logarithm says no more


def best_path(candidates: Sequence[Candidate], probabilities: NDArray[np.float32]) -> list[int]:
    """Find the digits among the candidates of a line, by dynamic programming.

    Args:
        candidates: In order of `first`.
        probabilities: (n, 11), of the ten digits and of no digit.

    Returns:
        The indices of the candidates that are digits, from left to right. They share no part.
    """
    if not candidates:
        return []
    scores = [_scores(c, row) for c, row in zip(candidates, probabilities, strict=True)]
    end = max(c.last for c in candidates)
    total = np.full(end + 1, -np.inf)
    total[0] = 0
    through = np.zeros(end + 1, int)
    for i, c in enumerate(candidates):
        value = total[c.first] + (c.last - c.first) * max(scores[i])
        if value > total[c.last]:
            total[c.last], through[c.last] = value, i
    path = []
    place = end
    while place > 0:
        i = int(through[place])
        digit, none = scores[i]
        if digit >= none:
            path.append(i)
        place = candidates[i].first
    return path[::-1]


def _scores(c: Candidate, probabilities: NDArray[np.float32]) -> tuple[float, float]:
    """Logarithms of the probability of a digit, and of none, with a penalty for unusual sizes."""
    logs = np.log(np.maximum(probabilities, _MIN_PROBABILITY))
    best = int(logs[:NO_DIGIT].argmax())
    digit = float(logs[best])
    digit -= 12 * max(0.0, (_SHORT_ONE if best == 1 else _SHORT) - c.height)
    digit -= 3 * max(0.0, c.width - _WIDE)
    none = float(logs[NO_DIGIT]) - 0.3 - 8 * max(0.0, c.height - _MAX_SKIPPED)
    return digit, none
