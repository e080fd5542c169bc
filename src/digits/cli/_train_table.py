"""What a terminal shows while a model learns: a summary, a line an epoch, a bar for this epoch."""

from __future__ import annotations

import signal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..models.recipe import Recipe
from ..training.fit import Epoch, Examples, Observer

_HEADER = "epoch    loss  accuracy  val loss  val acc.      rate  seconds"


class Silent(Observer):
    """Shows nothing, and sees to it that a finished training is not interrupted before it is saved.

    Use as a context.
    """

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def finished(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class TrainTable(Silent):
    """Draws on stderr."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.task = self.bar.add_task("starting", total=1.0)
        self.epochs = 0

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, model: Any, recipe: Recipe, train: Examples) -> None:
        self.epochs = recipe.epochs
        self.bar.start()
        print_ = self.bar.console.print
        print_(model_summary(model))
        print_(
            f"{recipe.family} {recipe.preset}: {len(train):,} pictures, {recipe.optimizer} "
            f"{recipe.learning_rate:g}, batches of {recipe.batch_size}, "
            f"{recipe.epochs} epochs{' at most' if recipe.until_accuracy else ''}"
        )
        if seconds := recipe.expected_seconds(len(train)):
            print_(f"that takes about {duration(seconds)} on two cores of 2023")
        print_(_HEADER, style="bold")

    def step(self, epoch: int, share: float) -> None:
        self.bar.update(
            self.task, completed=min(share, 1.0), description=f"epoch {epoch} of {self.epochs}"
        )

    def epoch(self, epoch: Epoch) -> None:
        self.bar.console.print(epoch_line(epoch), style="green" if _stands_out(epoch) else None)


def duration(seconds: float) -> str:
    """In words, as exact as an estimate can be: "7 seconds", "20 minutes", "3 hours"."""
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(seconds, 2):.0f} seconds"


def epoch_line(epoch: Epoch) -> str:
    """One line of the table; `*` marks the best epoch so far."""
    loss = "-" if epoch.val_loss is None else f"{epoch.val_loss:.4f}"
    accuracy = "-" if epoch.val_accuracy is None else f"{epoch.val_accuracy:.2%}"
    figures = (
        f"{epoch.epoch:5d}  {epoch.loss:.4f}  {epoch.accuracy:8.2%}  {loss:>8}  {accuracy:>8}  "
        f"{epoch.learning_rate:8.2g}  {epoch.seconds:7.1f}"
    )
    return f"{figures} *" if _stands_out(epoch) else figures


def _stands_out(epoch: Epoch) -> bool:
    """Without validation pictures each epoch is the best so far, which says nothing."""
    return epoch.best and epoch.val_accuracy is not None


def model_summary(model: Any) -> Table:
    """The layers of a Keras model with their output shapes and numbers of weights."""
    table = Table("layer", "output", "weights", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for layer in model.layers:
        shape = "×".join(str(size) for size in layer.output.shape[1:])
        table.add_row(layer.__class__.__name__, shape, f"{layer.count_params():,}")
    table.add_row("together", "", f"{model.count_params():,}", style="bold")
    return table
