"""Fine-tune the last layers of a model on the outputs of the others, which are computed once."""

from __future__ import annotations

import math
import time
from typing import Any, Self

import numpy as np

from ..data.dataset import Dataset, joined
from ..errors import ModelError
from ..models._keras import import_keras
from .augment import variations
from .callback import Callback
from .data import TrainingData
from .examples import ArrayExamples
from .recipe import Recipe

VARIATIONS = 5_000
"""Images that are made of one's own pictures by augmentation, or one of each if they are more. Of
30 pictures, 2,000 learn less of a hand, and 10,000 no more."""

MAX_FEATURES = 2_048
"""Of one image: 60,000 images then take half a gigabyte."""

_CHUNK = 4_096  # images at a time, so that progress shows

_STEP_MICROSECONDS = 10.0  # for each image, of training two dense layers on two CPU cores


def split_model(model: Any, layers: int) -> tuple[Any, Any]:
    """Split a model in front of its last layers.

    Args:
        model: A Keras model whose last layers follow each other.
        layers: Number of layers with trainable weights in the head; fewer, but at least one, where
            there would be more than `MAX_FEATURES`. Normalization does not count: in the head it is
            frozen, since a few pictures would shift its statistics.

    Returns:
        The body, from the model's inputs to features, and the head, from features to the model's
        outputs: two Keras models that share its weights.

    Raises:
        ModelError: There is no such layer, or it follows more than one.
    """
    keras = import_keras()
    head: list[Any] = []
    found: list[Any] = []
    trained = 0
    for layer in reversed(model.layers):
        if isinstance(layer, keras.layers.InputLayer) or not _precedes(layer, found):
            break
        found.insert(0, layer)
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        if layer.trainable_weights and not normalizes:
            if trained and math.prod(layer.input.shape[1:]) > MAX_FEATURES:
                break
            head, trained = list(found), trained + 1
        if trained == layers:
            break
    if not head:
        raise ModelError(
            "the last layers of this model cannot be trained alone", "Train all, with --preset"
        )
    features = head[0].input
    body = keras.Model(model.inputs, features)
    return body, keras.Sequential([keras.Input(features.shape[1:]), *head])


def _precedes(layer: Any, following: list[Any]) -> bool:
    """Whether `layer` has one input, and the first of `following` takes its output."""
    single = isinstance(layer.input, import_keras().KerasTensor)
    return single and (not following or following[0].input is layer.output)


class HeadTraining:
    """The head of a model, and features to fit it to; a context manager.

    Args:
        model: The Keras model.
        recipe: Has `trained_layers`; its `augment` makes variations of one's own pictures.
        data: MNIST's digits in it are not augmented.
        seed: Of the variations.
        callback: Follows the preparation.

    Attributes:
        head: A Keras model that shares the weights of the last layers.
        train: The features of the training images.
        validation: The same of the validation images.

    Raises:
        ModelError: See `split_model`.
    """

    def __init__(
        self, model: Any, recipe: Recipe, data: TrainingData, seed: int, callback: Callback
    ) -> None:
        self._body, self.head = split_model(model, recipe.trained_layers or 1)
        self._callback = callback
        images = _varied(data.train, recipe, seed)
        if data.replay:
            images = joined([images, data.replay], "all")
        validation = data.validation
        self._total = len(images) + (len(validation) if validation else 0)
        self._done = 0
        callback.on_train_begin(model, recipe, len(images), self._estimated_seconds(images, recipe))
        self.train = self._features(images)
        self.validation = self._features(validation) if validation else None

    def __enter__(self) -> Self:
        self._normalizing = [
            layer
            for layer in self.head.layers
            if isinstance(layer, import_keras().layers.BatchNormalization) and layer.trainable
        ]
        for layer in self._normalizing:
            layer.trainable = False
        return self

    def __exit__(self, *_: object) -> None:
        for layer in self._normalizing:
            layer.trainable = True

    def _estimated_seconds(self, images: Dataset, recipe: Recipe) -> float:
        """Measured on some images, the second time: the first compiles."""
        some = images.images[:_CHUNK]
        self._body.predict(some[:256], batch_size=256, verbose=0)
        started = time.perf_counter()
        self._body.predict(some, batch_size=256, verbose=0)
        each = (time.perf_counter() - started) / len(some)
        return each * self._total + recipe.epochs * len(images) * _STEP_MICROSECONDS * 1e-6

    def _features(self, data: Dataset) -> ArrayExamples:
        parts = []
        for start in range(0, len(data), _CHUNK):
            part = data.images[start : start + _CHUNK]
            parts.append(self._body.predict(part, batch_size=256, verbose=0))
            self._done += len(part)
            self._callback.on_prepare(self._done / self._total)
        return ArrayExamples(np.concatenate(parts), data.labels)


def _varied(own: Dataset, recipe: Recipe, seed: int) -> Dataset:
    """One's own pictures, as they are and augmented."""
    if not recipe.augment:
        return own
    times = max(1, VARIATIONS // len(own))
    images = np.concatenate(
        [variations(own.images, recipe.augment, seed + i) for i in range(times)]
    )
    return joined([own, Dataset(images, np.tile(own.labels, times))], own.name)
