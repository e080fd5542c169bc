"""Build a checked network from today's Keras layers, and set its weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._keras import import_keras
from .architecture import RECURRENT, Network
from .hdf5 import Weights
from .recurrent import GATES
from .settings import Shape


def rebuild(network: Network, weights: Weights) -> Any:
    """The Keras model of `network` with these weights, between adapters to our model contract."""
    keras = import_keras()
    start = tensor = keras.Input((28, 28))
    tensor = _adapted(keras, network, tensor)
    tensors = {network.layers[0].inputs[0]: tensor}
    for layer, arrays in zip(network.layers, weights, strict=True):
        inputs = [tensors[name] for name in layer.inputs]
        tensor = inputs if len(inputs) > 1 else inputs[0]
        for kind, arguments in layer.spec.layers:
            made = _make(keras.layers, kind, arguments)
            tensor = made(tensor)
            if made.weights:
                converted = [_converted(a, layer.spec.conversion) for a in arrays]
                made.set_weights(converted[: len(made.weights)])  # no count of examples
        tensors[layer.name] = tensor
    if network.logits:
        tensor = keras.layers.Softmax()(tensor)
    return keras.Model(start, tensor)


def _adapted(keras: Any, network: Network, tensor: Any) -> Any:
    """Pixel values (n, 28, 28), 0..255, white ink on black, as the input of the network."""
    side, channels = _side_and_channels(network.input)
    if side == 32:
        tensor = keras.layers.Reshape((28, 28, 1))(tensor)
        tensor = keras.layers.ZeroPadding2D(2)(tensor)
    high = 1.0 if network.scaled else 255.0
    if network.inverted:
        tensor = keras.layers.Rescaling(-high / 255, high)(tensor)
    elif network.scaled:
        tensor = keras.layers.Rescaling(1 / 255)(tensor)
    if channels == 3:
        tensor = keras.layers.Reshape((side, side, 1))(tensor)
        tensor = keras.layers.Concatenate()([tensor] * 3)
        if network.input[0] == 3:
            tensor = keras.layers.Permute((3, 1, 2))(tensor)
    elif tuple(tensor.shape[1:]) != network.input:
        tensor = keras.layers.Reshape(network.input)(tensor)
    return tensor


def _side_and_channels(shape: Shape) -> tuple[int, int]:
    """Pixels of a side, and the number of channels, of one of `INPUTS`."""
    if len(shape) == 1:
        return math.isqrt(shape[0]), 1
    if len(shape) == 2:
        return shape[0], 1
    return (shape[0], shape[2]) if shape[0] > 3 else (shape[1], shape[0])


def _make(layers: Any, kind: str, arguments: dict[str, Any]) -> Any:
    if kind == "Bidirectional":
        inner = _make(layers, *arguments["layer"])
        return layers.Bidirectional(inner, merge_mode=arguments["merge_mode"])
    return getattr(layers, kind)(**arguments)


def _converted(array: NDArray[np.float32], conversion: str) -> NDArray[np.float32]:
    """A stored array as today's layer expects it; see `LayerSpec.conversion`."""
    if conversion == "flat":
        return array.reshape(-1)
    if "th kernel" in conversion and array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
    if "mirrored" in conversion and array.ndim == 4:
        array = array[::-1, ::-1]
    if conversion in GATES:
        scaled, count = GATES[conversion]
        gates = np.split(array, count, axis=-1)
        array = np.concatenate(
            [gate * np.float32(1.2 if i in scaled else 1) for i, gate in enumerate(gates)], -1
        )
    return array


def family_of(network: Network) -> str:
    """The family that a network resembles most."""
    kinds = {kind for layer in network.layers for kind, _ in layer.spec.layers}
    if kinds & RECURRENT:
        return "rnn"
    return "cnn" if any("Conv2D" in kind for kind in kinds) else "dense"
