"""The checkpoint of a training: a model that can be used, and all that is needed to go on.

It is a model file (see `models.file`) of the best epoch so far, with one more section: the state of
fitting. So there is one file, which is whole or not there: what `digits train` was doing, and a
model that `digits predict --model` takes as it is.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import file as model_file
from ..models.file import ModelFile
from ..models.metadata import ModelMetadata, Point
from .fit import FitState
from .recipe import Recipe

NAME = "checkpoint.h5"
"""Name of the file in a run folder."""


@dataclass(frozen=True)
class Checkpoint:
    """A training that was interrupted, or that ended and may go on.

    Attributes:
        file: The model file; its metadata says how the model is trained, and on what.
        options: What `training.run.train` was called with; `data` is None if it had no name.
        state: Where fitting stood.
    """

    file: ModelFile
    options: Mapping[str, Any]
    state: FitState

    @property
    def path(self) -> Path:
        """Where the checkpoint is."""
        return self.file.path

    @property
    def recipe(self) -> Recipe:
        """How the model is trained."""
        return Recipe.from_settings(self.file.metadata.settings or {})

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to fit."""
        return self.state.stopped or len(self.state.history) >= self.recipe.epochs


def write(
    path: str | os.PathLike[str],
    model: Any,
    fitted: Any,
    metadata: ModelMetadata,
    digests: NDArray[np.uint64],
    options: Mapping[str, Any],
    state: FitState,
    *,
    backup: bool = False,
) -> None:
    """Write a checkpoint atomically.

    Args:
        path: Where to write it.
        model: The Keras model in training.
        fitted: The part of it that `state` is of, or `model` itself. Its weights are the same
            afterwards.
        metadata: How it is made, as far as is known.
        digests: Digests of the training pictures, see `Dataset.digests`.
        options: See `Checkpoint`; plain JSON values.
        state: Where fitting stands.
        backup: Keep an earlier file at `path` beside it as one `.bak`.

    Raises:
        OutputError: It cannot be written.
    """
    weights = fitted.get_weights()
    fitted.set_weights(state.best_weights)
    try:
        model_file.write(
            path,
            model,
            metadata,
            compiled=b"",
            digests=digests,
            training_state=_packed(state, options),
            backup=backup,
        )
    finally:
        fitted.set_weights(weights)


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """Read and check a checkpoint.

    Raises:
        ModelError: There is none, or it is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise ModelError("there is no training to resume", "Leave --resume out to begin one", path)
    content = model_file.read_bytes(path)
    file = model_file.parse(content, path)
    packed = model_file.training_state(content)
    if packed is None:
        raise ModelError("the file is a model, not a checkpoint", "Give a checkpoint", path)
    try:
        options, state = _unpacked(packed, file.metadata)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError("the checkpoint is damaged", "Train again", path) from error
    return Checkpoint(file, options, state)


def _packed(state: FitState, options: Mapping[str, Any]) -> bytes:
    """An uncompressed `.npz`, with what is not an array as JSON."""
    known = {
        "step": state.step,
        "seconds": state.seconds,
        "stopped": state.stopped,
        "points": [asdict(point) for point in state.points],
    }
    text = json.dumps({"options": dict(options), **known})
    arrays: dict[str, Any] = {f"variable{i}": v for i, v in enumerate(state.variables)}
    arrays |= {f"best{i}": v for i, v in enumerate(state.best_weights)}
    buffer = io.BytesIO()
    np.savez(buffer, known=np.frombuffer(text.encode(), np.uint8), **arrays)
    return buffer.getvalue()


def _unpacked(packed: bytes, metadata: ModelMetadata) -> tuple[Mapping[str, Any], FitState]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        known = json.loads(arrays["known"].tobytes())
        count = {kind: sum(n.startswith(kind) for n in arrays) for kind in ("variable", "best")}
        state = FitState(
            history=metadata.history,
            step=int(known["step"]),
            seconds=float(known["seconds"]),
            points=[Point(**point) for point in known["points"]],
            stopped=bool(known["stopped"]),
            variables=[arrays[f"variable{i}"] for i in range(count["variable"])],
            best_weights=[arrays[f"best{i}"] for i in range(count["best"])],
        )
    return dict(known["options"]), state
