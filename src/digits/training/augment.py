"""Random variations of the training pictures, made inside the training step.

Backend-neutral: a Keras layer in front of the model while it trains, and no part of what is saved.
"""

from __future__ import annotations

from typing import Any

from ..models._keras import import_keras
from ..models.presets import Affine


def augmented(model: Any, affine: Affine, seed: int) -> Any:
    """A model that trains `model` on randomly turned, zoomed and shifted pictures.

    It shares the weights of `model`; outside training it gives the same answers.
    """
    keras = import_keras()
    return keras.Sequential([keras.Input((28, 28)), _affine_layer(affine, seed), model])


def _affine_layer(affine: Affine, seed: int) -> Any:
    keras = import_keras()

    class RandomAffine(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """One bilinear resampling for all three, where Keras' own layers would take one each."""

        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(seed)

        def call(self, pixels: Any, training: bool = False) -> Any:
            if not training:
                return pixels
            matrices = _random_matrices(keras.ops.shape(pixels)[0], affine, self.seeds)
            return keras.ops.image.affine_transform(
                pixels[..., None], matrices, fill_mode="constant", data_format="channels_last"
            )[..., 0]

    return RandomAffine()


def _random_matrices(count: Any, affine: Affine, seeds: Any) -> Any:
    """(count, 8) transforms from output to input pixels, as `keras.ops.image` takes them.

    A point p of the output is looked up at Z·R·(p - c) + c + shift, with c the centre.
    """
    keras = import_keras()
    ops = keras.ops
    centre = (28 - 1) / 2

    def uniform(reach: float) -> Any:
        return keras.random.uniform((count,), -reach, reach, seed=seeds)

    angle = uniform(affine.rotation * 3.141592653589793 / 180)
    zoom_x, zoom_y = 1 + uniform(affine.zoom), 1 + uniform(affine.zoom)
    cos, sin = ops.cos(angle), ops.sin(angle)
    a0, a1 = zoom_x * cos, -zoom_x * sin
    b0, b1 = zoom_y * sin, zoom_y * cos
    a2 = centre * (1 - a0 - a1) + uniform(affine.shift * 28)
    b2 = centre * (1 - b0 - b1) + uniform(affine.shift * 28)
    zero = ops.zeros_like(angle)
    return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)
