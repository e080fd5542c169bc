"""Write `.h5` model files as Keras 1 and 2 did, which can no longer be installed; run models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from digits.models.foreign.hdf5 import extract_unlimited
from digits.models.foreign.rebuild import rebuild

Weights = Mapping[str, Sequence[tuple[str, Any]]]


def write_h5(
    path: Path, config: Any, weights: Weights, version: str = "2.2.4", backend: str = "tensorflow"
) -> Path:
    """Write a model as Keras did: `config` as JSON, and the named arrays of each layer.

    Args:
        path: The file to write.
        config: A string is stored as it is.
        weights: The arrays of each layer, in order.
        version: Of Keras.
        backend: "" leaves it out, as Keras 1 did.
    """
    text = config if isinstance(config, str | bytes) else json.dumps(config)
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = text.encode() if isinstance(text, str) else text
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([n.encode() for n in weights] or [], "S")
        for place in (file, group):
            place.attrs["keras_version"] = version.encode()
            if backend:
                place.attrs["backend"] = backend.encode()
        for layer, arrays in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = np.array([n.encode() for n, _ in arrays] or [], "S")
            for name, array in arrays:
                inner.create_dataset(name, data=array)
    return path


def arrays(rng: np.random.Generator, **shapes: tuple[int, ...]) -> list[tuple[str, Any]]:
    """Small random arrays of these shapes, with their names."""
    return [(name, rng.normal(0, 0.1, shape).astype("f4")) for name, shape in shapes.items()]


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    """The configuration of one layer."""
    return {"class_name": kind, "config": {"name": name, "trainable": True, **config}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a Sequential of Keras 2."""
    return {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def dense_model(hidden: int = 4) -> tuple[dict[str, Any], dict[str, list[tuple[str, Any]]]]:
    """A valid Keras 2 model, 784 → hidden → 10: its configuration and weights."""
    rng = np.random.default_rng(0)
    config = sequential(
        layer("Dense", "one", units=hidden, activation="relu", batch_input_shape=[None, 784]),
        layer("Dense", "two", units=10, activation="softmax"),
    )
    weights = {
        "one": arrays(rng, **{"one/kernel:0": (784, hidden), "one/bias:0": (hidden,)}),
        "two": arrays(rng, **{"two/kernel:0": (hidden, 10), "two/bias:0": (10,)}),
    }
    return config, weights


def softmax(z: Any) -> Any:
    """Probabilities of logits (n, 10)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def relu(x: Any) -> Any:
    """x, or 0 where it is negative."""
    return np.maximum(x, 0)


def rebuilt_answers(path: Path, pixels: Any) -> Any:
    """The probabilities of the model rebuilt from `path` for (n, 28, 28) pixels 0..255.

    Extracted in this process, which is faster and safe: the tests wrote the file themselves.
    """
    _, network, weights = extract_unlimited(path)
    return np.asarray(rebuild(network, weights)(pixels.astype("f4"), training=False))
