"""Three families of digit recognisers, in backend-neutral Keras 3.

Each takes pixel values (n, 28, 28), 0..255, white ink on black, and gives (n, 10) probabilities:
scaling and reshaping are layers of the model, so that a family is swapped without touching a
caller. This room and `training` are the only ones that import Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._keras import import_keras
from .recipe import OUTPUTS


def build(family: str, architecture: Mapping[str, Any]) -> Any:
    """A new, untrained `keras.Sequential` of `family`; see the builders for `architecture`."""
    layers = import_keras().layers
    builders: dict[str, Callable[..., list[Any]]] = {
        "dense": dense, "cnn": cnn, "rnn": rnn, "judge": cnn
    }  # fmt: skip
    body = builders[family](layers, **architecture)
    model = import_keras().Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            *body,
            layers.Dense(OUTPUTS[family], activation="softmax"),
        ],
        name=family,
    )
    for layer in body:
        if layer.name == _FIXED:
            layer.set_weights([_cosine_patterns(layer.filters // 2)])
    return model


def dense(
    layers: Any, units: Sequence[int], normalized: bool = False, momentum: float = 0.99
) -> list[Any]:
    """Fully connected layers of `units` with relu on the 784 pixels.

    normalized: batch normalization before each relu; momentum: of its averages, see `cnn`.
    """
    body = [layers.Flatten()]
    for n in units:
        body += (
            _dense_relu(layers, n, momentum) if normalized else [layers.Dense(n, activation="relu")]
        )
    return body


def cnn(
    layers: Any,
    filters: Sequence[int],
    kernel_size: int,
    units: int,
    activation: str | None = "relu",
    dropout: Sequence[float] = (0.0, 0.0),
    convolutions: Sequence[int] | None = None,
    normalized: bool | Literal["after pooling"] = False,
    first_kernel_size: int | None = None,
    fixed_filters: int = 0,
    normalized_units: bool = False,
    momentum: float = 0.99,
) -> list[Any]:
    """For each of `filters` a convolution (same, relu) and 2×2 pooling; then a dense layer.

    fixed_filters: before all these, so many 5×5 patterns and their negatives, which are not
    learned: relu and pooling of them need no way back, which is most of the time of a first layer.
    convolutions: how many in a row before each pooling; one when not given.
    first_kernel_size: the first convolution has this one, and no padding: of 28×28 pixels 5×5 make
    24×24, which halve evenly three times, where 28×28 with their empty margin cost a third more.
    normalized: batch normalization between each convolution and its relu; "after pooling" where one
    follows, which says nearly the same of a quarter of the values (as in cifar10-airbench: half of
    the training time of such a network goes into normalizing large maps).
    normalized_units: the dense layer too. momentum: of the averages that stand for the batch when
    training is over: low where it has few steps.
    dropout: the rates before and after the dense layer of `units`.
    """
    body = [layers.Reshape((28, 28, 1))]
    if fixed_filters:
        options = {"use_bias": False, "trainable": False, "activation": "relu", "name": _FIXED}
        body += [layers.Conv2D(2 * fixed_filters, 5, **options), layers.MaxPooling2D()]
    size, padding = (first_kernel_size, "valid") if first_kernel_size else (kernel_size, "same")
    for n, count in zip(filters, convolutions or [1] * len(filters), strict=True):
        for number in range(1, count + 1):
            options = {"use_bias": False} if normalized else {"activation": "relu"}
            relu = _normalized_relu(layers, momentum) if normalized else []
            pooling = [layers.MaxPooling2D()] if number == count else []
            rest = [*pooling, *relu] if normalized == "after pooling" else [*relu, *pooling]
            body += [layers.Conv2D(n, size, padding=padding, **options), *rest]
            size, padding = kernel_size, "same"
    before, after = dropout
    body += [layers.Dropout(before)] if before else []
    body.append(layers.Flatten())
    if normalized_units:
        body += _dense_relu(layers, units, momentum)
    else:
        body.append(layers.Dense(units, activation=activation))
    body += [layers.Dropout(after)] if after else []
    return body


_FIXED = "fixed_filters"


def _cosine_patterns(count: int) -> NDArray[np.float32]:
    """(5, 5, 1, 2·count): the `count` 5×5 patterns of lowest frequency, without the flat one, of
    the discrete cosine transform (type II; Ahmed, Natarajan and Rao, 1974), and their negatives.

    They are close to what a principal component analysis of the pieces of pictures finds.
    """
    place, frequency = np.arange(5) + 0.5, np.arange(5)
    waves = np.cos(np.pi / 5 * frequency[:, None] * place)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    pairs = sorted(((u, v) for u in range(5) for v in range(5)), key=sum)[1 : count + 1]
    patterns = np.stack([np.outer(waves[u], waves[v]) for u, v in pairs], axis=-1)
    return np.concatenate([patterns, -patterns], axis=-1)[:, :, None].astype(np.float32)


def _dense_relu(layers: Any, units: int, momentum: float) -> list[Any]:
    return [layers.Dense(units, use_bias=False), *_normalized_relu(layers, momentum)]


def _normalized_relu(layers: Any, momentum: float) -> list[Any]:
    return [layers.BatchNormalization(momentum=momentum), layers.ReLU()]


def rnn(
    layers: Any,
    units: Sequence[int],
    bidirectional: bool = False,
    summary: int = 0,
) -> list[Any]:
    """SimpleRNN layers of `units` that read the picture as 28 rows of 28 pixels.

    bidirectional: each layer reads the rows downwards and upwards, with `units` for each way.
    summary: a dense layer of so many units looks at what the last layer says of all rows; without
    it, only what it says at the end counts.
    Unrolled: a little faster to train, and free of loops that LiteRT has no built-in operation for.
    """
    body: list[Any] = []
    for number, n in enumerate(units, 1):
        every_row = bool(summary) or number < len(units)
        cells = layers.SimpleRNN(n, return_sequences=every_row, unroll=True)
        body.append(layers.Bidirectional(cells) if bidirectional else cells)
    if summary:
        body += [layers.Flatten(), layers.Dense(summary, activation="relu")]
    return body
