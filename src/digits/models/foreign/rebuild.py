"""Build a checked network anew with our own code, and set its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._keras import import_keras
from .architecture import Network
from .hdf5 import Weights, extract
from .recurrent import GATES


def load_model(path: Path) -> Any:
    """The Keras model in an `.h5` of ours or of others, rebuilt: nothing of it is deserialised.

    It takes pixel values (n, 28, 28), 0..255, and gives (n, 10) probabilities, whatever the file's
    own customs. Raises ModelError.
    """
    return rebuild(*extract(path))


def rebuild(network: Network, weights: Weights) -> Any:
    """The Keras model of `network` with these weights, between adapters to our contract."""
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
        for kind, settings in layer.parts:
            made = _make(keras.layers, kind, settings)
            tensor = made(tensor)
            if made.weights:
                made.set_weights([_converted(a, layer.conversion) for a in arrays])
        tensors[layer.name] = tensor
    if network.logits:
        tensor = keras.layers.Softmax()(tensor)
    return keras.Model(start, tensor)


def _make(layers: Any, kind: str, settings: dict[str, Any]) -> Any:
    if kind == "Bidirectional":
        inner_kind, inner = settings["layer"]
        return layers.Bidirectional(
            _make(layers, inner_kind, inner), merge_mode=settings["merge_mode"]
        )
    return getattr(layers, kind)(**settings)


def _converted(array: NDArray[np.float32], conversion: str) -> NDArray[np.float32]:
    """A stored array as today's layer wants it; see the layers' functions for the names."""
    if "th kernel" in conversion and array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
    if "mirrored" in conversion and array.ndim == 4:
        array = array[::-1, ::-1]
    if conversion in GATES:
        which, count = GATES[conversion]
        gates = np.split(array, count, axis=-1)
        array = np.concatenate(
            [g * np.float32(1.2 if i in which else 1) for i, g in enumerate(gates)], -1
        )
    return array


def family_of(network: Network) -> str:
    """The family that a network is most like."""
    kinds = {kind for layer in network.layers for kind, _ in layer.parts}
    if kinds & {"SimpleRNN", "LSTM", "GRU", "Bidirectional"}:
        return "rnn"
    return "cnn" if any("Conv2D" in kind for kind in kinds) else "dense"
