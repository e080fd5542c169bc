"""Three families of digit recognisers, in backend-neutral Keras 3.

Each takes pixel values (n, 28, 28), 0..255, white ink on black, and gives (n, 10) probabilities:
scaling and reshaping are layers of the model, so that a family is swapped without touching a
caller. This room and `training` are the only ones that import Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._keras import import_keras


def build(family: str, architecture: Mapping[str, Any]) -> Any:
    """A new, untrained `keras.Sequential` of `family`; see the builders for `architecture`."""
    layers = import_keras().layers
    builders: dict[str, Callable[..., list[Any]]] = {"dense": dense, "cnn": cnn, "rnn": rnn}
    body = builders[family](layers, **architecture)
    return import_keras().Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            *body,
            layers.Dense(10, activation="softmax"),
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
) -> list[Any]:
    """For each of `filters` a convolution (same, relu) and 2×2 pooling; then a dense layer.

    dropout: the rates before and after the dense layer of `units`.
    """
    body = [layers.Reshape((28, 28, 1))]
    for n in filters:
        body += [
            layers.Conv2D(n, kernel_size, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        ]
    before, after = dropout
    body += [layers.Dropout(before)] if before else []
    body += [layers.Flatten(), layers.Dense(units, activation=activation)]
    body += [layers.Dropout(after)] if after else []
    return body


def rnn(layers: Any, units: Sequence[int]) -> list[Any]:
    """SimpleRNN layers of `units` that read the picture as 28 rows of 28 pixels.

    Unrolled: a little faster to train, and free of loops that LiteRT has no built-in operation for.
    """
    *first, last = units
    return [
        *(layers.SimpleRNN(n, return_sequences=True, unroll=True) for n in first),
        layers.SimpleRNN(last, unroll=True),
    ]
