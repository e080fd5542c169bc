"""`digits train`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..models.presets import DEFAULT_PRESET, PRESETS
from ..models.recipe import FAMILIES, OPTIMIZERS
from ..training.device import DEVICES
from .common import data_options, download_bar, is_live, quiet_option, seed_option

if TYPE_CHECKING:
    from ..training.run import Trained
    from ._train_table import Silent, TrainTable

_PRESETS = sorted({name for presets in PRESETS.values() for name in presets})
(_DEFAULT,) = set(DEFAULT_PRESET.values())
_RATE = click.FloatRange(0, min_open=True)


@click.command("train", short_help="Train a model and test it.")
@click.option("--arch", type=click.Choice(FAMILIES), help="Family of model.  [default: cnn]")
@click.option(
    "--preset",
    type=click.Choice(_PRESETS),
    help="Recipe. fast ends while you watch and reads MNIST well; best takes a quarter of an hour "
    "or more and reads other people's pictures too, as the shipped models do; the others are "
    f"well-known ones to compare.  [default: {_DEFAULT}: a first training is over in seconds]",
)
@data_options()
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Go on from this model, gently: 5 epochs at 0.3 times its rate unless told otherwise.",
)
@click.option(
    "--mix",
    type=click.IntRange(0),
    metavar="N",
    help="With --from: mix in N MNIST digits, so that the old skill is kept.  "
    "[default: 2 for each picture of yours, at least 5000]",
)
@click.option(
    "--epochs", metavar="N", type=click.IntRange(1), help="Passes over the training pictures."
)
@click.option("--batch-size", metavar="N", type=click.IntRange(1), help="Pictures in each step.")
@click.option("--learning-rate", metavar="X", type=_RATE, help="Size of the first step.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="How steps are made.")
@click.option(
    "--augment/--no-augment", default=None, help="Turn, zoom and shift the pictures by chance."
)
@click.option(
    "--validation-fraction",
    metavar="SHARE",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of the training pictures that are held out: to calibrate, and to choose the best "
    "epoch where the recipe's rate does not fall to 0.",
)
@click.option(
    "--until-accuracy",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Stop when accuracy on the validation (else training) pictures is above this.",
)
@seed_option("everything that is left to chance")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Learn from the first N only.")
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="Where to compute; auto is a GPU where there is one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.h5",
    help="Where to save the model.  [default: models/FAMILY.h5]",
)
@quiet_option
def command(
    arch: str | None,
    preset: str | None,
    data: tuple[str, ...],
    data_dir: Path | None,
    out: Path | None,
    **options: Any,
) -> int:
    """Train a model, test it on pictures that it has not seen, and save it.

    Options that are given override those of the preset. Ctrl-C keeps the best epoch so far. An
    earlier model of yours at the same place is kept as FILE.h5.bak.
    """
    from ..quiet import native_stderr_silenced
    from ..training.run import check_output, train

    if options["mix"] is not None and options["start"] is None:
        raise click.UsageError("--mix needs --from.")
    path = check_output(out, arch, options["start"])
    with _interrupt_restored():
        with native_stderr_silenced():
            with download_bar() as progress, _observer() as observer:
                trained = train(
                    arch,
                    data,
                    preset=preset,
                    data_dir=data_dir,
                    observer=observer,
                    progress=progress,
                    **options,
                )
                folder = trained.save_or_rescue(path)
            _save_curves(trained, folder)
        _report(trained, path, folder)
    return 130 if trained.fitted.interrupted else 0


def _save_curves(trained: Trained, folder: Path) -> None:
    from dataclasses import asdict

    from .. import plots

    plots.save(plots.curves([asdict(epoch) for epoch in trained.history]), folder / "curves.png")


def _report(trained: Trained, path: Path, folder: Path) -> None:
    if trained.fitted.interrupted:
        best = next(e.epoch for e in reversed(trained.history) if e.best)
        click.echo(f"Interrupted: kept epoch {best}, the best so far.", err=True)
    for score in trained.scores:
        low, high = score.accuracy_ci95
        click.echo(
            f"{score.name}: loss {score.loss:.4f}, accuracy {score.accuracy:.2%} "
            f"({low:.2%} to {high:.2%}), {score.incorrect:,} of {score.n:,} wrong"
        )
    click.echo(f"saved {path}, and how it was trained in {folder}/")
    click.echo(f"next: digits predict PICTURE --model {path}")


def _observer() -> TrainTable | Silent:
    from ._train_table import Silent, TrainTable

    return TrainTable() if is_live() else Silent()


@contextlib.contextmanager
def _interrupt_restored() -> Iterator[None]:
    """Once the training is over, the observer ignores Ctrl-C, so that nothing loses the model."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
