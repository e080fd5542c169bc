"""`digits train`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._io.text import printable
from ..errors import ModelError
from ..models.families import FAMILIES
from ..training.device import DEVICES
from ..training.presets import DEFAULT_PRESET, PRESETS
from ..training.recipe import OPTIMIZERS
from ._resume import check_options, how_to_go_on
from .loader import Loader
from .messages import note
from .options import PATH, data_options, limit_option, output_option, quiet_option, seed_option
from .progress import download_bar, is_live

if TYPE_CHECKING:
    from ..models.metadata import ScoreInfo
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
    help="Fine-tune this model: a model file, or dense, cnn or rnn. Its last layers learn your "
    "pictures in seconds; with --preset, all its layers are trained.",
)
@click.option(
    "--mix",
    type=click.IntRange(0),
    metavar="N",
    help="With --from: number of MNIST digits to mix in, so that the model does not forget them.  "
    "[default: all; with --preset, 2 for each of your pictures, at least 5000]",
)
@click.option(
    "--save-anyway",
    is_flag=True,
    help="With --from: save the model even if it is no better than the one that it started from.",
)
@click.option(
    "--soft-targets",
    type=PATH,
    metavar="FILE.npz",
    help="Learn from the probabilities that teachers gave to images (knowledge distillation), as "
    "`make teachers` writes them, instead of from labels.",
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
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with a training that was interrupted, or with more epochs.",
)
@output_option("FILE.h5", "Model file to write.  [default: models/FAMILY.h5]")
@quiet_option
def command(
    arch: str | None,
    data: tuple[str, ...],
    loader: Loader,
    output: Path | None,
    resume: bool,
    save_anyway: bool,
    **options: Any,
) -> None:
    """Train a model, test it on pictures that it was not trained on, and save it.

    Options override the preset. An earlier model at the same path is kept as FILE.h5.bak.

    With --from, the model is scored before and after on pictures of yours that are held out, and on
    MNIST. It is saved only if it is better on yours and about as good on MNIST.

    However a training ends (Ctrl-C, a kill, a full disk), --resume goes on with it, to the same
    model as if it had not been interrupted. Other options are as they were, except --epochs, the
    number in all. Until then models/FAMILY-run/checkpoint.h5 is a model that can be used.

    \b
    Examples:
      digits train
      digits train --arch dense --preset best
      digits train --from cnn --data data/mine.npz
      digits train --data mnist --epochs 3 -o models/mine.h5
      digits train --resume
    """
    from .._io.signals import advising
    from .._io.stderr import native_stderr_silenced
    from ..training.trained import check_output, resumed_output

    for name, given in (("--mix", options["mix"] is not None), ("--save-anyway", save_anyway)):
        if given and options["start"] is None and not resume:
            raise click.UsageError(f"{name} needs --from.")
    path = resumed_output(output, arch) if resume else check_output(output, arch, options["start"])
    with (
        native_stderr_silenced(),
        download_bar() as progress,
        _progress_callback() as callback,
        advising(lambda: how_to_go_on(path, callback.saved)),
    ):
        if resume:
            trained = _resumed(path, loader, options, callback, progress)
        else:
            trained = _begun(path, loader, options, callback, progress, arch, data)
        saved = trained.is_better or save_anyway
        if saved:
            _save_curves(trained, trained.save_or_rescue(path))
    _report(trained)
    if saved:
        _report_saved(path)
    else:
        _report_kept(trained, path)


def _begun(
    path: Path,
    loader: Loader,
    options: dict[str, Any],
    callback: SilentProgress,
    progress: Any,
    arch: str | None,
    data: tuple[str, ...],
) -> Trained:
    from ..training.run import train
    from ..training.trained import checkpoint_of

    _note_unfinished(path)
    return train(
        arch,
        data,
        data_dir=loader.data_dir,
        invert=loader.invert,
        transpose=loader.transpose,
        max_size=loader.max_size,
        checkpoint=checkpoint_of(path),
        callback=callback,
        progress=progress,
        **options,
    )


def _resumed(
    path: Path, loader: Loader, options: dict[str, Any], callback: SilentProgress, progress: Any
) -> Trained:
    callback.saved = 0  # some; how many takes a second to know
    from ..training import checkpoint
    from ..training.run import resume
    from ..training.trained import checkpoint_of

    begun = checkpoint.read(checkpoint_of(path))
    check_options(begun)
    callback.saved = len(begun.state.history)
    return resume(
        begun.path,
        epochs=options["epochs"],
        data_dir=loader.data_dir,
        max_size=loader.max_size,
        device=options["device"],
        callback=callback,
        progress=progress,
    )


def _note_unfinished(path: Path) -> None:
    """Say that another training at `path` could go on. It is kept as a backup."""
    from ..training import checkpoint
    from ..training.trained import checkpoint_of

    with contextlib.suppress(ModelError):
        begun = checkpoint.read(checkpoint_of(path))
        if not begun.finished:
            epochs = f"{len(begun.state.history)} of {begun.recipe.epochs} epochs"
            note(
                f"{begun.path} is a training that stopped after {epochs}: --resume goes on with it"
            )


def _save_curves(trained: Trained, folder: Path) -> None:
    from ..reports import plots

    plots.save(plots.curves(trained.history), folder / "curves.png")


def _report(trained: Trained) -> None:
    for score in trained.scores if not trained.before else ():
        low, high = score.accuracy_ci95
        click.echo(
            f"{score.name}: loss {score.loss:.4f}, accuracy {score.accuracy:.2%} "
            f"({low:.2%} to {high:.2%}), {score.incorrect:,} of {score.n:,} wrong"
        )
    rows = [("", "before", "after")] if trained.before else []
    for before, after in zip(trained.before, trained.metadata.test, strict=bool(rows)):
        rows.append((printable(after.name), _wrong(before), _wrong(after)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _wrong(score: ScoreInfo) -> str:
    share = f"{1 - score.accuracy:.2%}"
    return f"{score.incorrect:,} of {score.n:,} wrong ({share}), loss {score.loss:.4f}"


def _report_saved(path: Path) -> None:
    from ..training.trained import run_folder

    click.echo(f"saved {printable(path)}, and how it was trained in {printable(run_folder(path))}/")
    click.echo(f"next: digits predict PICTURE --model {printable(path)}")


def _report_kept(trained: Trained, path: Path) -> None:
    from ..training.trained import checkpoint_of

    click.echo(
        f"no better, so it is not saved: {printable(trained.started_from)} is as it was. The new "
        f"model is {printable(checkpoint_of(path))}; --resume --save-anyway saves it"
    )


def _progress_callback() -> SilentProgress:
    from ._train_table import SilentProgress, TrainTable

    return TrainTable() if is_live() else SilentProgress()
