"""Risky or heavy work on a model file, in a process of its own (see `_io.child`)."""

from __future__ import annotations

from pathlib import Path

from .._io import child
from ..errors import ModelError

REMEDY = "Get the file again, or save the model again"

_ENVIRONMENT = {
    "HDF5_PLUGIN_PRELOAD": "::",  # no filter plugins
    "KERAS_BACKEND": "tensorflow",  # the only one that compiles to LiteRT
}


def run(module: str, source: Path, target: Path, timeout: float, problem: str) -> None:
    """Run `python -m module source target`, see `_io.child.run`.

    Raises:
        ModelError: The child's own, or one with `problem` if it crashed or was killed.
    """
    failure = ModelError(problem, REMEDY, source)
    child.run(module, source, target, timeout=timeout, failure=failure, environment=_ENVIRONMENT)
