"""The model families, in backend-neutral Keras 3.

Every recognizer takes pixel values (n, 28, 28), 0..255, white ink on black, and returns (n, 10)
probabilities. Scaling and reshaping are layers of the model, so a family can be swapped without
touching any caller. Only this package and `training` import Keras.

To add a family, write its builder, add an entry to `TABLE`, and add its presets to
`training/presets.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._keras import import_keras

if TYPE_CHECKING:  # `digits --help` lists the families and does not need NumPy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Family:
    """What distinguishes a family.

    Attributes:
        layers: The builder: takes `keras.layers` and the settings of the architecture, and returns
            the layers between input and output.
        outputs: Number of classes.
        input_shape: Shape of one picture, without the batch axis.
    """

    layers: Callable[..., list[Any]]
    outputs: int = 10
    input_shape: tuple[int, ...] = (28, 28)


def build(family: str, architecture: Mapping[str, Any]) -> Any:
    """Build an untrained model.

    Args:
        family: A name in `TABLE`.
        architecture: The arguments of the family's builder.

    Returns:
        A `keras.Sequential`.
    """
    entry = TABLE[family]
    layers = import_keras().layers
    return import_keras().Sequential(
        [
            layers.Input(entry.input_shape),
            layers.Rescaling(1 / 255),
            *entry.layers(layers, **architecture),
            layers.Dense(entry.outputs, activation="softmax"),
        ],
        name=family,
    )


def dense(
    layers: Any, units: Sequence[int], normalized: bool = False, momentum: float = 0.99
) -> list[Any]:
    """Fully connected layers on the 784 pixels.

    Args:
        layers: `keras.layers`.
        units: Units of each layer.
        normalized: Batch normalization before each activation.
        momentum: Of the moving averages, see `cnn`.
    """
    body = [layers.Flatten()]
    for n in units:
        body += _dense_relu(layers, n, normalized, momentum)
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
    unpadded: int | None = None,
) -> list[Any]:
    """Blocks of convolutions, each followed by 2×2 max pooling; then a dense layer.

    Args:
        layers: `keras.layers`.
        filters: Filters of each block.
        kernel_size: Of all convolutions but the first.
        units: Units of the dense layer.
        activation: Of the dense layer, unless it is normalized.
        dropout: Rates before and after the dense layer.
        convolutions: Convolutions in each block; one by default.
        normalized: Batch normalization between each convolution and its activation. "after
            pooling" moves it behind the pooling where there is one: nearly the same result from a
            quarter of the values (as in cifar10-airbench: half of the training time of such a
            network goes into normalizing large feature maps).
        first_kernel_size: Of the first convolution; `kernel_size` when None.
        fixed_filters: Number of fixed cosine patterns in front of the blocks, see `_cosine_stem`.
        normalized_units: Batch normalization in the dense layer too.
        momentum: Of the moving averages that replace the batch statistics when predicting; a
            short training needs a low one.
        unpadded: Number of convolutions, from the first, without padding: MNIST's margin is empty,
            so what they cut away costs time and says nothing. 5×5 turns 28×28 pixels into 24×24,
            which halve evenly three times. 1 with `first_kernel_size`, else 0, when None.
    """
    body = [layers.Reshape((28, 28, 1))]
    body += _cosine_stem(layers, fixed_filters) if fixed_filters else []
    size = first_kernel_size or kernel_size
    unpadded = int(first_kernel_size is not None) if unpadded is None else unpadded
    for n, count in zip(filters, convolutions or [1] * len(filters), strict=True):
        for number in range(1, count + 1):
            padding = "valid" if unpadded > 0 else "same"
            convolution = layers.Conv2D(n, size, padding=padding, **_linear_or_relu(normalized))
            relu = _normalized_relu(layers, momentum) if normalized else []
            pooling = [layers.MaxPooling2D()] if number == count else []
            rest = [*pooling, *relu] if normalized == "after pooling" else [*relu, *pooling]
            body += [convolution, *rest]
            size, unpadded = kernel_size, unpadded - 1
    before, after = dropout
    body += [layers.Dropout(before)] if before else []
    body.append(layers.Flatten())
    body += _dense_relu(layers, units, normalized_units, momentum, activation)
    body += [layers.Dropout(after)] if after else []
    return body


def _cosine_stem(layers: Any, count: int) -> list[Any]:
    """`count` fixed 5×5 patterns and their negatives, ReLU and pooling, on (28, 28, 1).

    They are not trained: ReLU and pooling of fixed filters need no backward pass, which is most of
    the time of a first layer.
    """
    filters = layers.Conv2D(
        2 * count, 5, activation="relu", use_bias=False, trainable=False, name="fixed_filters"
    )
    filters.build((None, 28, 28, 1))
    filters.set_weights([_cosine_patterns(count)])
    return [filters, layers.MaxPooling2D()]


def _cosine_patterns(count: int) -> NDArray[np.float32]:
    """Cosine patterns and their negatives, (5, 5, 1, 2·count).

    They are the `count` 5×5 patterns of lowest frequency, without the constant one, of the discrete
    cosine transform (type II; Ahmed, Natarajan and Rao, 1974), which are
    close to the principal components of small patches of pictures.
    """
    import numpy as np

    place, frequency = np.arange(5) + 0.5, np.arange(5)
    waves = np.cos(np.pi / 5 * frequency[:, None] * place)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    pairs = sorted(((u, v) for u in range(5) for v in range(5)), key=sum)[1 : count + 1]
    patterns = np.stack([np.outer(waves[u], waves[v]) for u, v in pairs], axis=-1)
    return np.concatenate([patterns, -patterns], axis=-1)[:, :, None].astype(np.float32)


def _dense_relu(
    layers: Any, units: int, normalized: bool, momentum: float, activation: str | None = "relu"
) -> list[Any]:
    if not normalized:
        return [layers.Dense(units, activation=activation)]
    return [layers.Dense(units, use_bias=False), *_normalized_relu(layers, momentum)]


def _normalized_relu(layers: Any, momentum: float) -> list[Any]:
    return [layers.BatchNormalization(momentum=momentum), layers.ReLU()]


def _linear_or_relu(normalized: object) -> dict[str, Any]:
    """Normalization has a bias and is followed by the activation; without it, both are needed."""
    return {"use_bias": False} if normalized else {"activation": "relu"}


def rnn(
    layers: Any,
    units: Sequence[int],
    bidirectional: bool = False,
    summary: int = 0,
    rows: int = 1,
) -> list[Any]:
    """SimpleRNN layers that read the picture row by row.

    Unrolled: slightly faster to train, and free of loops, which LiteRT has no built-in operation
    for.

    Args:
        layers: `keras.layers`.
        units: Units of each layer.
        bidirectional: Each layer reads the rows in both directions, with `units` for each.
        summary: Units of a dense layer on the last layer's outputs of all rows; 0 to use only the
            output of the last row.
        rows: Rows of 28 pixels in each step. With 2, there are half as many steps, which take
            little longer each.
    """
    body: list[Any] = [layers.Reshape((28 // rows, 28 * rows))] if rows > 1 else []
    for number, n in enumerate(units, 1):
        every_row = bool(summary) or number < len(units)
        cells = layers.SimpleRNN(n, return_sequences=every_row, unroll=True)
        body.append(layers.Bidirectional(cells) if bidirectional else cells)
    if summary:
        body += [layers.Flatten(), layers.Dense(summary, activation="relu")]
    return body


REJECTOR = "rejector"
"""The family of the one model that tells digits from other marks: its 11th output is "no digit"."""

TABLE = {
    "dense": Family(dense),
    "cnn": Family(cnn),
    "rnn": Family(rnn),
    REJECTOR: Family(cnn, outputs=11),
}

FAMILIES = tuple(name for name in TABLE if name != REJECTOR)
"""The recognizers."""
