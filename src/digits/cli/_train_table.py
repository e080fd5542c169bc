"""Progress of a training in the terminal: model summary, one row for each epoch, progress bar."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..models.metadata import Epoch
from ..training.callback import Callback
from ..training.recipe import Recipe

_HEADER = "epoch    loss  accuracy  val loss  val acc.  learning rate  seconds"


class SilentProgress(Callback):
    """Shows nothing, and knows what an interruption would leave. Use it as a context manager.

    Attributes:
        saved: Whole epochs in the checkpoint; None before it is written.
    """

    saved: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def on_checkpoint(self, epochs: int) -> None:
        self.saved = epochs


class TrainTable(SilentProgress):
    """Writes to stderr."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("time left"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self.task = self.bar.add_task("starting", total=None)
        self.epochs = 0

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def on_train_begin(self, model: Any, recipe: Recipe, images: int, seconds: float) -> None:
        self.epochs = recipe.epochs
        print_ = self.bar.console.print
        print_(model_summary(model))
        print_(
            f"{_trained(recipe)}: {images:,} pictures, {recipe.optimizer}, "
            f"learning rate {recipe.learning_rate:g}, batch size {recipe.batch_size}, "
            f"{recipe.epochs} epochs{' at most' if recipe.until_accuracy else ''}"
        )
        if seconds:
            machine = "" if recipe.trained_layers else " (on two CPU cores of 2023)"
            print_(f"estimated time: {duration(seconds)}{machine}")
        if not recipe.trained_layers:
            print_(_HEADER, style="bold")

    def on_prepare(self, fraction: float) -> None:
        self.bar.update(
            self.task, total=1.0, completed=fraction, description="applying the frozen layers"
        )
        if fraction >= 1:
            self.bar.reset(self.task, total=self.epochs)
            self.bar.console.print(_HEADER, style="bold")

    def on_progress(self, epoch: int, fraction: float) -> None:
        self.bar.update(
            self.task,
            total=self.epochs,
            completed=epoch - 1 + min(fraction, 1.0),
            description=f"epoch {epoch} of {self.epochs}",
        )

    def on_train_end(self) -> None:
        self.bar.update(self.task, total=None, description="compiling and testing")

    def on_epoch_end(self, epoch: Epoch) -> None:
        self.bar.console.print(epoch_row(epoch), style="green" if _is_marked(epoch) else None)


def _trained(recipe: Recipe) -> str:
    if recipe.trained_layers:
        return f"fine-tuning the last layers of {recipe.family}"
    return f"{recipe.family} {recipe.preset}"


def duration(seconds: float) -> str:
    """An estimate in words: "7 seconds", "20 minutes", "3 hours"."""
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(seconds, 2):.0f} seconds"


def epoch_row(epoch: Epoch) -> str:
    """One row of the table; `*` marks the best epoch so far."""
    loss = "-" if epoch.val_loss is None else f"{epoch.val_loss:.4f}"
    accuracy = "-" if epoch.val_accuracy is None else f"{epoch.val_accuracy:.2%}"
    row = (
        f"{epoch.epoch:5d}  {epoch.loss:.4f}  {epoch.accuracy:8.2%}  {loss:>8}  {accuracy:>8}  "
        f"{epoch.learning_rate:13.2g}  {epoch.seconds:7.1f}"
    )
    return f"{row} *" if _is_marked(epoch) else row


def _is_marked(epoch: Epoch) -> bool:
    """Without validation pictures there is no best epoch: mark none."""
    return epoch.best and epoch.val_accuracy is not None


def model_summary(model: Any) -> Table:
    """The layers of a Keras model with their output shapes and parameter counts."""
    table = Table("layer", "output shape", "parameters", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for layer in model.layers:
        shape = "×".join(str(size) for size in layer.output.shape[1:])
        table.add_row(layer.__class__.__name__, shape, f"{layer.count_params():,}")
    table.add_row("total", "", f"{model.count_params():,}", style="bold")
    return table
