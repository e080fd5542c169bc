"""What a model, the rejector, and the finder together say of the image of a digit, and of a line.

Each sees something else: the finder the picture around the digit, the rejector and the model its
28×28. The constants are fitted on generated pages by `tools/fit_joint.py`. Never imports
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .rejector import NO_DIGIT, PRIOR

Rows = NDArray[np.floating]

# The digits are a linear opinion pool (Stone, 1961) with this weight of the model.
_OF_MODEL = 0.5

# Logistic regression of "there is no digit" on the log odds that the finder and the rejector give
# it, with the prior of the rejector.
_OF_FINDER, _OF_REJECTOR, _BIAS = 1.76, 0.34, -0.05

# Logistic regression of "all of the line is right" on the logarithm of the product of its digits'
# probabilities: digits may also be missed, or be none.
_LINE_SLOPE, _LINE_BIAS = 1.39, 1.47

_LEAST = 1e-4  # of a probability, so that its odds are finite


def joint(
    model: Rows, rejector: Rows, finder: Rows
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The probabilities of the ten digits, given that there is one, and that there is none.

    Args:
        model: (n, 10) of a recognizer.
        rejector: (n, 11) of the rejector.
        finder: (n, 11) of the finder; NaN for images that it has not seen.

    Returns:
        (n, 10) and (n,).
    """
    digits, rejector = np.array(model, np.float64), np.asarray(rejector, np.float64)
    finder = np.asarray(finder, np.float64)
    seen = ~np.isnan(finder[:, NO_DIGIT])
    none = _rejected(rejector)
    ten = finder[seen, :NO_DIGIT] + _LEAST
    ten /= ten.sum(axis=1, keepdims=True)
    digits[seen] = _OF_MODEL * digits[seen] + (1 - _OF_MODEL) * ten
    odds = _OF_FINDER * log_odds(finder[seen, NO_DIGIT])
    odds += _OF_REJECTOR * log_odds(rejector[seen, NO_DIGIT]) + _BIAS
    none[seen] = _logistic(odds)
    return digits, none


def line_confidence(confidences: Sequence[float]) -> float:
    """The probability that the most probable digits of a line are all right, and none is missed.

    Args:
        confidences: Of the digits of the line.
    """
    product = float(np.log(np.maximum(confidences, _LEAST)).sum())
    return float(_logistic(np.array(_LINE_SLOPE * product + _LINE_BIAS)))


def log_odds(probability: Rows) -> NDArray[np.float64]:
    """The logarithm of p / (1 - p), finite for all p."""
    clipped = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)


def _rejected(rejector: Rows) -> NDArray[np.float64]:
    """The rejector's word alone.

    It is calibrated where every second picture holds no digit. People mostly show digits, so its
    odds are multiplied by those of the prior (Bayes' theorem).
    """
    odds = PRIOR / (1 - PRIOR)
    none, some = odds * rejector[:, NO_DIGIT], rejector[:, :NO_DIGIT].sum(axis=1)
    return np.asarray(none / (none + some), np.float64)


def _logistic(odds: Rows) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)
