"""Rebuild the Keras model in any model file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..file import is_ours, parse, read_bytes
from .hdf5 import extract
from .inputs import find_input
from .rebuild import rebuild


def load_model(path: Path) -> Any:
    """Rebuild the Keras model in a model file of ours or of others; nothing is deserialized.

    Returns:
        A `keras.Model` from pixel values (n, 28, 28), 0..255, to (n, 10) probabilities, whatever
        inputs and outputs the file's own model has.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
    """
    content = read_bytes(path)
    network, weights = extract(path)
    if not is_ours(content):
        return rebuild(find_input(network, weights)[0], weights)
    parse(content, path)  # for its checksum
    return rebuild(replace(network, scaled=False), weights)  # whatever its first layer
