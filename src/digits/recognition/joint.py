"""What a model, the rejector, and the finder together say of the image of a digit.

Each sees something else: the finder the picture around the digit, the rejector and the model its
28×28. Never imports TensorFlow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rejector import NO_DIGIT, PRIOR

Rows = NDArray[np.floating]

# Logistic regression of "there is a digit" on the log odds of the finder's score and of the
# rejector, on generated pictures (730 of digits, 500 of none), with the prior of the rejector.
_OF_FINDER, _OF_REJECTOR, _BIAS = 0.75, 0.24, 0.57
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
    digits, rejector = np.asarray(model, np.float64), np.asarray(rejector, np.float64)
    finder = np.asarray(finder, np.float64)
    seen = ~np.isnan(finder[:, NO_DIGIT])
    none = _rejected(rejector)
    ten = finder[seen, :NO_DIGIT] + _LEAST
    digits = digits.copy()
    digits[seen] = (digits[seen] + ten / ten.sum(axis=1, keepdims=True)) / 2
    odds = _OF_FINDER * _log_odds(finder[seen, NO_DIGIT])
    odds += _OF_REJECTOR * _log_odds(rejector[seen, NO_DIGIT]) - _BIAS
    none[seen] = 1 / (1 + np.exp(-odds))
    return digits, none


def _rejected(rejector: Rows) -> NDArray[np.float64]:
    """The rejector's word alone.

    It is calibrated where every second picture holds no digit. People mostly show digits, so its
    odds are multiplied by those of the prior (Bayes' theorem).
    """
    odds = PRIOR / (1 - PRIOR)
    none, some = odds * rejector[:, NO_DIGIT], rejector[:, :NO_DIGIT].sum(axis=1)
    return np.asarray(none / (none + some), np.float64)


def _log_odds(probability: Rows) -> NDArray[np.float64]:
    clipped = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)
