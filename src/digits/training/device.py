"""The device that a training runs on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..errors import ModelError
from ..models._keras import import_keras

DEVICES = ("auto", "cpu", "gpu")


def on_device(name: str) -> AbstractContextManager[Any]:
    """A context in which Keras computes on a device.

    Args:
        name: `cpu`, `gpu` (the first one), or `auto`: Keras's own choice, a GPU where its backend
            finds one.

    Raises:
        ModelError: There is no such device.
    """
    if name == "auto":
        return nullcontext()
    keras = import_keras()
    if not keras.distribution.list_devices(name):
        raise ModelError(
            f"Keras's backend {keras.backend.backend()} finds no {name}",
            "Leave --device out, or install the backend for it, such as tensorflow[and-cuda]",
        )
    scope: AbstractContextManager[Any] = keras.device(f"{name}:0")
    return scope
