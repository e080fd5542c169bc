"""Convert a model file that another program wrote to one of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ..._io.child import main
from .. import child
from .. import file as model_file
from ..compile import TIMEOUT, compile_model
from ..metadata import ModelMetadata
from .load import read_network
from .rebuild import family_of, rebuild


def convert(source: Path, target: Path) -> None:
    """Write the model in the `.h5` at `source` to `target` as a model file of ours.

    A damaged or hostile file is refused within 10 s; compiling takes about 5 s. That is done in a
    child process, unless Keras is loaded already, so that predicting need not load TensorFlow.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
        OutputError: `target` cannot be written.
    """
    if "keras" in sys.modules:
        _convert(source, target)
    else:
        child.run(__name__, source, target, TIMEOUT, "the model cannot be compiled")


def _convert(source: Path, target: Path) -> None:
    network, weights, inputs = read_network(source)
    model = rebuild(network, weights)
    compiled = compile_model(model)
    metadata = ModelMetadata(
        family=family_of(network), preset="foreign", converted_from=source.name, inputs=inputs
    )
    model_file.write(target, model, metadata, compiled, np.empty(0, np.uint64), backup=False)


if __name__ == "__main__":
    sys.exit(main(_convert))
