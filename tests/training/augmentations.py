"""Augmented images, as a model sees them while it trains."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.models._keras import import_keras
from digits.training.augment import augmented
from digits.training.recipe import Augment


def only(**values: float) -> Augment:
    """Nothing but these fields."""
    return Augment(**{**{f.name: 0.0 for f in fields(Augment)}, **values})


def augmented_identity(augment: Augment, seed: int = 0) -> Any:
    """A model whose output is what it would see while it trains."""
    keras = import_keras()
    identity = keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()])
    return augmented(identity, augment, seed)


def augment_images(
    augment: Augment, images: NDArray[np.generic], seed: int = 0
) -> NDArray[np.float32]:
    """The augmented images (n, 28, 28)."""
    output = augmented_identity(augment, seed)(images, training=True)
    return np.asarray(import_keras().ops.convert_to_numpy(output))
