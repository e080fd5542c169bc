"""What a model sees of pictures while it trains, for the tests of random variation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from digits.models._keras import import_keras
from digits.models.recipe import Augment
from digits.training.augment import augmented


def only(**values: float) -> Augment:
    """Nothing but these fields."""
    return Augment(**{**{f.name: 0.0 for f in fields(Augment)}, **values})


def varied(augment: Augment, images: NDArray[np.generic], seed: int = 0) -> NDArray[np.float32]:
    """What a model sees of `images` while it trains."""
    keras = import_keras()
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()])
    seen = augmented(model, augment, seed)(images, training=True)
    return np.asarray(keras.ops.convert_to_numpy(seen))
