"""Build a checked network from today's Keras layers, and set its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._keras import import_keras
from ..file import is_ours, parse, read_bytes
from .architecture import Network
from .hdf5 import Weights, extract
from .recurrent import GATES


def load_model(path: Path) -> Any:
    """Rebuild the Keras model in an `.h5` of ours or of others; nothing in it is deserialized.

    Returns:
        A `keras.Model` from pixel values (n, 28, 28), 0..255, to (n, 10) probabilities, whatever
        inputs and outputs the file's own model has.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
    """
    content = read_bytes(path)
    if is_ours(content):
        parse(content, path)  # for its checksum
    return rebuild(*extract(path))


def rebuild(network: Network, weights: Weights) -> Any:
    """The Keras model of `network` with these weights, between adapters to our model contract."""
    keras = import_keras()
    start = tensor = keras.Input((28, 28))
    if network.scaled:
        tensor = keras.layers.Rescaling(1 / 255)(tensor)
    if network.input != (28, 28):
        tensor = keras.layers.Reshape(network.input)(tensor)
    tensors = {network.layers[0].inputs[0]: tensor}
    for layer, arrays in zip(network.layers, weights, strict=True):
        inputs = [tensors[name] for name in layer.inputs]
        tensor = inputs if len(inputs) > 1 else inputs[0]
        for kind, arguments in layer.spec.layers:
            made = _make(keras.layers, kind, arguments)
            tensor = made(tensor)
            if made.weights:
                made.set_weights([_converted(a, layer.spec.conversion) for a in arrays])
        tensors[layer.name] = tensor
    if network.logits:
        tensor = keras.layers.Softmax()(tensor)
    return keras.Model(start, tensor)


def _make(layers: Any, kind: str, arguments: dict[str, Any]) -> Any:
    if kind == "Bidirectional":
        inner = _make(layers, *arguments["layer"])
        return layers.Bidirectional(inner, merge_mode=arguments["merge_mode"])
    return getattr(layers, kind)(**arguments)


def _converted(array: NDArray[np.float32], conversion: str) -> NDArray[np.float32]:
    """A stored array as today's layer expects it; see `LayerSpec.conversion`."""
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
    if kinds & {"SimpleRNN", "LSTM", "GRU", "Bidirectional"}:
        return "rnn"
    return "cnn" if any("Conv2D" in kind for kind in kinds) else "dense"
