"""Three families of digit recognisers, in backend-neutral Keras 3.

Each takes pixel values (n, 28, 28), 0..255, white ink on black, and gives (n, 10) probabilities:
scaling and reshaping are layers of the model, so that a family is swapped without touching a
caller. This room and `training` are the only ones that import Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._keras import import_keras
from .presets import OUTPUTS


def build(family: str, architecture: Mapping[str, Any]) -> Any:
    """A new, untrained `keras.Sequential` of `family`; see the builders for `architecture`."""
    layers = import_keras().layers
    builders: dict[str, Callable[..., list[Any]]] = {
        "dense": dense, "cnn": cnn, "rnn": rnn, "judge": cnn
    }  # fmt: skip
    body = builders[family](layers, **architecture)
    return import_keras().Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            *body,
            layers.Dense(OUTPUTS[family], activation="softmax"),
        ],
        name=family,
    )


def dense(layers: Any, units: Sequence[int]) -> list[Any]:
    """Fully connected layers of `units` with relu on the 784 pixels."""
    return [layers.Flatten(), *(layers.Dense(n, activation="relu") for n in units)]


def cnn(
    layers: Any,
    filters: Sequence[int],
    kernel_size: int,
    units: int,
    activation: str | None = "relu",
    dropout: Sequence[float] = (0.0, 0.0),
    convolutions: Sequence[int] | None = None,
    normalized: bool = False,
) -> list[Any]:
    """For each of `filters` a convolution (same, relu) and 2×2 pooling; then a dense layer.

    convolutions: how many in a row before each pooling; one when not given.
    normalized: batch normalization between each convolution and its relu.
    dropout: the rates before and after the dense layer of `units`.
    """
    body = [layers.Reshape((28, 28, 1))]
    for n, count in zip(filters, convolutions or [1] * len(filters), strict=True):
        for _ in range(count):
            body += _convolution(layers, n, kernel_size, normalized)
        body.append(layers.MaxPooling2D())
    before, after = dropout
    body += [layers.Dropout(before)] if before else []
    body += [layers.Flatten(), layers.Dense(units, activation=activation)]
    body += [layers.Dropout(after)] if after else []
    return body


def _convolution(layers: Any, filters: int, kernel_size: int, normalized: bool) -> list[Any]:
    if not normalized:
        return [layers.Conv2D(filters, kernel_size, padding="same", activation="relu")]
    return [
        layers.Conv2D(filters, kernel_size, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]


def rnn(layers: Any, units: Sequence[int]) -> list[Any]:
    """SimpleRNN layers of `units` that read the picture as 28 rows of 28 pixels.

    Unrolled: a little faster to train, and free of loops that LiteRT has no built-in operation for.
    """
    *first, last = units
    return [
        *(layers.SimpleRNN(n, return_sequences=True, unroll=True) for n in first),
        layers.SimpleRNN(last, unroll=True),
    ]
