"""`digits train`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._io.text import printable
from ..models.families import FAMILIES
from ..training.device import DEVICES
from ..training.presets import DEFAULT_PRESET, PRESETS
from ..training.recipe import FINE_TUNING_EPOCHS, FINE_TUNING_RATE, OPTIMIZERS
from .loader import Loader
from .options import PATH, data_options, limit_option, output_option, quiet_option, seed_option
from .progress import download_bar, is_live

if TYPE_CHECKING:
    from ..training.trained import Trained
    from ._train_table import SilentProgress

_PRESETS = sorted({name for presets in PRESETS.values() for name in presets})
_FRACTION = click.FloatRange(0, 1, max_open=True)


@click.command("train", short_help="Train a model and test it.")
@click.option("--arch", type=click.Choice(FAMILIES), help="Model family.  [default: cnn]")
@click.option(
    "--preset",
    type=click.Choice(_PRESETS),
    help="Training recipe. fast takes seconds and is for MNIST; best takes 10 to 20 minutes and is "
    "for any picture of a digit, as the shipped models are; the others are well-known recipes to "
    f"compare with.  [default: {DEFAULT_PRESET}]",
)
@data_options()
@click.option(
    "--from",
    "start",
    type=PATH,
    metavar="MODEL",
    help="Fine-tune this model: a model file, or dense, cnn or rnn. Without other options, "
    f"{FINE_TUNING_EPOCHS} epochs at {FINE_TUNING_RATE} times its learning rate.",
)
@click.option(
    "--mix",
    type=click.IntRange(0),
    metavar="N",
    help="With --from: number of MNIST digits to mix in, so that the model does not forget them.  "
    "[default: 2 for each of your pictures, at least 5000]",
)
@click.option(
    "--epochs",
    metavar="N",
    type=click.IntRange(1),
    help="Number of passes over the training pictures.",
)
@click.option(
    "--batch-size",
    metavar="N",
    type=click.IntRange(1),
    help="Number of pictures in each training step.",
)
@click.option(
    "--learning-rate",
    metavar="RATE",
    type=click.FloatRange(0, min_open=True),
    help="Initial learning rate.",
)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="Keras optimizer.")
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Randomly rotate, zoom and shift the training pictures.",
)
@click.option(
    "--validation-fraction",
    metavar="FRACTION",
    type=_FRACTION,
    help="Fraction of the training pictures to hold out: for calibration, and to select the best "
    "epoch unless the learning rate decays to 0.",
)
@click.option(
    "--until-accuracy",
    metavar="FRACTION",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Stop above this accuracy on the validation pictures, or on the training pictures if "
    "there are none.",
)
@seed_option("the whole training")
@limit_option("Number of training pictures to use.")
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="Device to train on; auto uses a GPU if there is one.",
)
@output_option("FILE.h5", "Model file to write.  [default: models/FAMILY.h5]")
@quiet_option
def command(
    arch: str | None,
    preset: str | None,
    data: tuple[str, ...],
    loader: Loader,
    output: Path | None,
    **options: Any,
) -> int:
    """Train a model, test it on pictures that it was not trained on, and save it.

    Options override the preset. Ctrl-C keeps the best epoch so far. An earlier model at the same
    path is kept as FILE.h5.bak.

    \b
    Examples:
      digits train
      digits train --arch dense --preset best
      digits train --from cnn --data data/mine.npz
      digits train --data mnist --epochs 3 -o models/mine.h5
    """
    from .._io.stderr import native_stderr_silenced
    from ..training.run import train
    from ..training.trained import check_output

    if options["mix"] is not None and options["start"] is None:
        raise click.UsageError("--mix needs --from.")
    path = check_output(output, arch, options["start"])
    with _interrupts_restored():
        with native_stderr_silenced():
            with download_bar() as progress, _progress_callback() as callback:
                trained = train(
                    arch,
                    data,
                    preset=preset,
                    data_dir=loader.data_dir,
                    invert=loader.invert,
                    transpose=loader.transpose,
                    callback=callback,
                    progress=progress,
                    **options,
                )
                folder = trained.save_or_rescue(path)
            _save_curves(trained, folder)
        _report(trained, path, folder)
    return 130 if trained.interrupted else 0


def _save_curves(trained: Trained, folder: Path) -> None:
    from ..reports import plots

    plots.save(plots.curves(trained.history), folder / "curves.png")


def _report(trained: Trained, path: Path, folder: Path) -> None:
    if trained.interrupted:
        best = next(e.epoch for e in reversed(trained.history) if e.best)
        click.echo(f"Interrupted: kept epoch {best}, the best so far.", err=True)
    for score in trained.scores:
        low, high = score.accuracy_ci95
        click.echo(
            f"{score.name}: loss {score.loss:.4f}, accuracy {score.accuracy:.2%} "
            f"({low:.2%} to {high:.2%}), {score.incorrect:,} of {score.n:,} wrong"
        )
    click.echo(f"saved {printable(path)}, and how it was trained in {printable(folder)}/")
    click.echo(f"next: digits predict PICTURE --model {printable(path)}")


def _progress_callback() -> SilentProgress:
    from ._train_table import SilentProgress, TrainTable

    return TrainTable() if is_live() else SilentProgress()


@contextlib.contextmanager
def _interrupts_restored() -> Iterator[None]:
    """Undo that the callback ignores Ctrl-C after the training."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
