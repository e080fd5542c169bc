"""The result of a training, and where it is saved."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._io.files import check_writable, write_text
from ..errors import ModelError, OutputError
from ..evaluation.metrics import Score
from ..models import file as model_file
from ..models.find import OWN, find_model
from ..models.metadata import Epoch, ModelMetadata, ScoreInfo
from ..models.trust import load_trusted, trust
from . import checkpoint
from .recipe import Recipe

MAX_FORGOTTEN = 0.001
"""Accuracy on MNIST that learning one's own handwriting may cost: ten of its test pictures."""

_RUN = "-run"  # how a run folder's name ends


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained and tested model, not saved yet.

    Attributes:
        model: The `keras.Model`: pixels (n, 28, 28) to probabilities (n, 10).
        recipe: What it was trained by, overrides included.
        scores: The score on each test set.
        metadata: What its file will say about it.
        compiled: The compiled LiteRT model.
        training_digests: Digests (see `Dataset.digests`) of the images that it learned from.
        mixed: Whether MNIST was mixed into fine-tuning; its score is then the last.
    """

    model: Any
    recipe: Recipe
    scores: tuple[Score, ...]
    metadata: ModelMetadata
    compiled: bytes
    training_digests: NDArray[np.uint64]
    mixed: bool = False

    def __repr__(self) -> str:
        scores = ", ".join(f"{score.name}: {score.accuracy:.2%}" for score in self.scores)
        return f"<Trained {self.recipe.family} {self.recipe.preset}, {scores}>"

    @property
    def history(self) -> tuple[Epoch, ...]:
        """One record for each epoch."""
        return self.metadata.history

    @property
    def started_from(self) -> str:
        """Path of the model that fine-tuning started from; empty if there is none."""
        return self.metadata.started_from.path if self.metadata.started_from else ""

    @property
    def before(self) -> tuple[ScoreInfo, ...]:
        """The scores of the model that fine-tuning started from; empty if there is none."""
        started_from = self.metadata.started_from
        return (started_from and started_from.test) or ()

    @property
    def is_better(self) -> bool:
        """Whether fine-tuning paid, by the test sets; True if there was no model to start from.

        It did if there are fewer errors on one's own pictures, or as many and a lower loss, and if
        MNIST's, where they were mixed in, lose at most `MAX_FORGOTTEN`.
        """
        if not self.before:
            return True
        before, after = list(self.before), list(self.metadata.test)
        if self.mixed:
            mnist = after.pop()
            forgotten = mnist.incorrect - before.pop().incorrect
            if forgotten > MAX_FORGOTTEN * mnist.n:
                return False
        return _total(after) < _total(before)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to `path`, and its history and settings into the run folder beside it.

        An earlier model at `path` is kept as PATH.bak, unless it is this one: a training that was
        killed just after it was saved is resumed to save it again.

        Returns:
            The run folder.

        Raises:
            OutputError: Something cannot be written.
        """
        path = Path(path)
        model_file.write(
            path,
            self.model,
            self.metadata,
            self.compiled,
            self.training_digests,
            backup=not self._is_saved_at(path),
        )
        trust(path)
        folder = run_folder(path)
        write_text(folder / "history.csv", history_csv(self.history))
        write_text(folder / "settings.json", json.dumps(self.metadata.to_json(), indent=2) + "\n")
        return folder

    def _is_saved_at(self, path: Path) -> bool:
        """Whether the file at `path` is of the same training; the seconds of epochs tell."""
        try:
            return model_file.read(path).metadata.history == self.history
        except ModelError:
            return False

    def save_or_rescue(self, path: str | os.PathLike[str]) -> Path:
        """As `save`, but when that fails, save to a new temporary folder before raising.

        Raises:
            OutputError: `path` cannot be written; the remedy says where the model is.
        """
        try:
            return self.save(path)
        except OutputError as error:
            rescue = Path(tempfile.mkdtemp(prefix="digits-"), Path(path).name)
            self.save(rescue)
            remedy = f"The model was saved as {rescue} instead"
            raise OutputError(error.problem, remedy, error.path) from error


def _total(scores: Iterable[ScoreInfo]) -> tuple[int, float]:
    """Errors and the sum of the losses."""
    known = list(scores)
    return sum(s.incorrect for s in known), sum(s.n * s.loss for s in known)


def check_output(
    path: str | os.PathLike[str] | None,
    family: str | None = None,
    start: str | os.PathLike[str] | None = None,
) -> Path:
    """Check, before a long training, that its model can be saved.

    Args:
        path: The model file to write; None for `models/FAMILY.h5`.
        family: The family of the model; None for that of `start`, or cnn.
        start: The model that fine-tuning starts from.

    Returns:
        The path to save to.

    Raises:
        OutputError: It does not end in .h5, or cannot be written.
    """
    if path is None:
        known = family or (load_trusted(find_model(start)).family if start else "cnn")
        path = Path("models", f"{known}.h5")
    path = Path(path)
    if path.suffix != ".h5":
        raise OutputError(
            f"a model file cannot end in {path.suffix or 'nothing'}",
            "Give a name that ends in .h5",
            path,
        )
    check_writable(path)
    check_writable(run_folder(path) / "history.csv")
    return path


def resumed_output(path: str | os.PathLike[str] | None, family: str | None = None) -> Path:
    """The model file of the training that is to be resumed.

    Args:
        path: The model file; None for `models/FAMILY.h5`.
        family: The family of the model; None for the last training in `models`.

    Raises:
        ModelError: There is no training to resume.
        OutputError: The file cannot be written.
    """
    if path is None and family is None:
        found = OWN.glob(f"*{_RUN}/{checkpoint.NAME}")
        last = max(found, key=lambda file: file.stat().st_mtime, default=None)
        path = last and last.parent.with_name(f"{last.parent.name.removesuffix(_RUN)}.h5")
    return check_output(path, family)


def run_folder(path: str | os.PathLike[str]) -> Path:
    """The folder beside a model file that describes its training: `cnn.h5` → `cnn-run`."""
    return Path(path).with_name(f"{Path(path).stem}{_RUN}")


def checkpoint_of(path: str | os.PathLike[str]) -> Path:
    """The checkpoint of the training of the model file at `path`, in its run folder."""
    return run_folder(path) / checkpoint.NAME


def history_csv(history: Iterable[Epoch]) -> str:
    """The history as CSV with a header; values that were not measured are empty."""
    names = [field.name for field in fields(Epoch) if field.name != "points"]
    rows = [
        ["" if (value := getattr(epoch, name)) is None else str(value) for name in names]
        for epoch in history
    ]
    return "".join(",".join(row) + "\n" for row in [names, *rows])
