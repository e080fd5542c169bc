"""How a caller follows a training."""

from __future__ import annotations

from typing import Any

from ..models.metadata import Epoch
from .recipe import Recipe


class Callback:
    """Follows a training; override what you need."""

    def on_train_begin(self, model: Any, recipe: Recipe, images: int, seconds: float) -> None:
        """The model is built and about to be fitted to so many images.

        `seconds` is an estimate of how long it takes, 0 if that is not known.
        """

    def on_prepare(self, fraction: float) -> None:
        """This fraction (0..1) of what comes before the first epoch is done."""

    def on_progress(self, epoch: int, fraction: float) -> None:
        """This fraction (0..1) of `epoch` (from 1) is done."""

    def on_epoch_end(self, epoch: Epoch) -> None:
        """An epoch has ended, and is in the checkpoint if there is one."""

    def on_checkpoint(self, epochs: int) -> None:
        """A checkpoint is written, with so many whole epochs."""

    def on_train_end(self) -> None:
        """Fitting has ended; compiling and testing follow, for seconds."""
