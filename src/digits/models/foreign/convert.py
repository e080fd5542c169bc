"""A child process that makes a model file of ours out of what another program wrote."""

from __future__ import annotations

import datetime
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .. import file as model_file
from ..compile import compile_program
from . import child
from .hdf5 import extract
from .rebuild import family_of, rebuild

SECONDS = 300


def convert(source: Path, target: Path) -> None:
    """Write the model in the `.h5` at `source` to `target` as a model file of ours.

    Works in a child process, so that the caller need not load TensorFlow. Damaged and foreign files
    end within 10 s; compiling takes about 5 s. Raises ModelError.
    """
    child.run(__name__, source, target, SECONDS, "cannot be compiled")


def _convert(source: Path, target: Path) -> None:
    network, weights = extract(source)  # first: a bad file must not wait for TensorFlow
    model = rebuild(network, weights)
    metadata: dict[str, Any] = {
        "family": family_of(network),
        "preset": "foreign",
        "settings": None,
        "seed": None,
        "data": [],
        "test": [],
        "history": [],
        "interrupted": False,
        "seconds": 0.0,
        "converted_from": source.name,
        "versions": {name: version(name) for name in ("digits", "keras", "tensorflow")},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    program = compile_program(model)
    model_file.write(target, model, metadata, program, np.empty(0, np.uint64), backup=False)


if __name__ == "__main__":
    sys.exit(child.answer(_convert))
