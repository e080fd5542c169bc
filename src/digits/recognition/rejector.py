"""The rejector: one shipped model for all recognizers that also knows what is no digit.

The ten probabilities of a recognizer always sum to one, also for a letter or a blot. The rejector
has an eleventh. Never imports TensorFlow.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from ..data.arrays import Images
from ..models.compiled import CompiledModel
from ..models.families import REJECTOR, TABLE
from ..models.find import shipped_folder
from ..models.trust import load_trusted

NO_DIGIT = 10
"""Index of "no digit" among the rejector's probabilities."""

PRIOR = 0.3
"""The share of pictures without a digit among those that people show."""


@functools.cache
def _model() -> CompiledModel:
    file = load_trusted(shipped_folder() / f"{REJECTOR}.h5")
    return CompiledModel(file.compiled, REJECTOR, TABLE[REJECTOR].outputs)


def probabilities(images: Images) -> NDArray[np.float32]:
    """(n, 11) probabilities, of the ten digits and of no digit, for (n, 28, 28) pixel values.

    Raises:
        ModelError: If the shipped model is missing or damaged.
    """
    return _model().probabilities(images)
