"""Rebuild the Keras model in any model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..file import is_ours, parse, read_bytes
from .architecture import Network
from .hdf5 import Weights, extract
from .inputs import find_input, with_input
from .rebuild import rebuild


def load_model(path: Path, inputs: Mapping[str, float] | None = None) -> Any:
    """Rebuild the Keras model in a model file of ours or of others; nothing is deserialized.

    Args:
        path: The model file.
        inputs: What `find_input` found before, which then need not be tried again.

    Returns:
        A `keras.Model` from pixel values (n, 28, 28), 0..255, to (n, 10) probabilities, whatever
        inputs and outputs the file's own model has.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
    """
    network, weights, _ = read_network(path, inputs)
    return rebuild(network, weights)


def read_network(
    path: Path, inputs: Mapping[str, float] | None = None
) -> tuple[Network, Weights, Mapping[str, float] | None]:
    """The network in a model file with the input that it takes, and its weights.

    Args:
        path: The model file.
        inputs: See `load_model`.

    Returns:
        Also what `find_input` found; None for a file of ours, which takes 0..255.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
    """
    content = read_bytes(path)
    if is_ours(content):
        parse(content, path)  # for its checksum, before anything else
        network, weights = extract(path)
        return replace(network, scaled=False), weights, None  # whatever its first layer
    network, weights = extract(path)  # first: a damaged file must not wait for TensorFlow
    if inputs:
        return with_input(network, next(iter(inputs))), weights, inputs
    network, found = find_input(network, weights)
    return network, weights, found
