"""Where a training computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..errors import ModelError
from ..models._keras import import_keras

DEVICES = ("auto", "cpu", "gpu")


def on_device(name: str) -> AbstractContextManager[Any]:
    """What Keras does within the block happens on the `cpu` or the first `gpu`.

    `auto` leaves it to Keras, which takes a GPU where its backend sees one. Raises ModelError when
    there is none.
    """
    if name == "auto":
        return nullcontext()
    keras = import_keras()
    if not keras.distribution.list_devices(name):
        raise ModelError(
            f"Keras' backend {keras.backend.backend()} sees no {name} here",
            "Leave --device out, or install the backend for it, such as tensorflow[and-cuda]",
        )
    scope: AbstractContextManager[Any] = keras.device(f"{name}:0")
    return scope
