"""`train` and `resume`: from a data set to a tested model."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._io.stderr import native_stderr_silenced
from ..data.download import ProgressBar
from ..errors import DataError, ModelError
from ..evaluation.evaluate import evaluate
from ..models._keras import import_keras
from ..models.families import build
from ..models.file import ModelFile
from ..models.find import find_model
from ..models.foreign.load import load_model
from ..models.metadata import ModelMetadata, StartedFrom, installed_versions
from ..models.trust import load_trusted
from ..recognition.recognizer import Recognizer
from . import checkpoint
from .callback import Callback
from .data import DataLike, TrainingData, as_list, select_data
from .device import on_device
from .distillation import distilled, read_soft_targets
from .job import Job, score_info
from .presets import recipe_for
from .recipe import Recipe, fine_tuning, with_overrides
from .trained import Trained

log = logging.getLogger(__name__)


@native_stderr_silenced()  # TensorFlow's start-up messages
def train(
    family: str | None = None,
    data: DataLike | Sequence[DataLike] = "auto",
    *,
    preset: str | None = None,
    start: str | os.PathLike[str] | None = None,
    mix: int | None = None,
    soft_targets: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    invert: bool = False,
    transpose: bool = False,
    max_size: int | None = None,
    device: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    callback: Callback | None = None,
    progress: ProgressBar | None = None,
    **overrides: Any,
) -> Trained:
    """Train a model and test it.

    Args:
        family: `dense`, `cnn` (default) or `rnn`.
        data: One or several data sets: `auto`, `mnist`, `sample`, a path, what `load` returned, a
            `Dataset`, a tuple `(images, labels)`, or `((x_train, y_train), (x_test, y_test))` as
            `keras.datasets.mnist.load_data()` returns it. Of a set without a test part 20 % are
            held out for testing.
        preset: Recipe of the family, see `training.presets`; `fast` when None.
        start: Model file or family to fine-tune: its last layers, in seconds, see
            `recipe.fine_tuning`. With `preset` all its layers are trained, by that recipe.
        mix: Number of MNIST images to mix into fine-tuning, so that the model does not forget
            them; 0 for none. By default all of MNIST; with `preset`, twice the number of new
            images and at least 5,000.
        soft_targets: File to learn from instead of the images of `data`, see
            `distillation.read_soft_targets`; `data` still says what they were made of, and gives
            the test sets.
        limit: Number of training images to use.
        seed: Of everything random: the same seed, machine and versions give the same weights.
        data_dir: Where to look for MNIST, and to download it to.
        invert: Invert the images, see `load`.
        transpose: Swap rows and columns of the images, see `load`.
        max_size: Bytes of memory that a data set may take, see `load`.
        device: `auto`, `cpu` or `gpu`.
        checkpoint: File to write after each epoch, and once a minute in long ones: a model of the
            best epoch so far, from which `resume` goes on. An earlier file is kept as one `.bak`.
        callback: Follows the training.
        progress: Progress bar of a download of MNIST.
        overrides: Fields of `Recipe`, such as `epochs=3`; None keeps the recipe's value.

    Raises:
        DataError: A data set cannot be loaded.
        ModelError: There is no such family, preset, model or device, or the loss is no number.
        OutputError: The checkpoint cannot be written.
    """
    options = {
        "family": family,
        "data": _names(data),
        "preset": preset,
        "start": None if start is None else str(start),
        "mix": mix,
        "soft_targets": None if soft_targets is None else str(soft_targets),
        "limit": limit,
        "seed": seed,
        "invert": invert,
        "transpose": transpose,
        **overrides,
    }
    base = None if start is None else load_trusted(find_model(start))
    recipe = _recipe(base, family, preset, soft_targets is not None, overrides)
    selected = _selected(options, recipe, data, base is not None, data_dir, max_size, progress)
    recipe = recipe.for_size(len(selected.train))
    import_keras().utils.set_random_seed(seed)
    with on_device(device):
        if base:
            model = load_model(base.path, base.metadata.inputs)
        else:
            model = build(recipe.family, recipe.architecture)
        job = Job(
            model=model,
            recipe=recipe,
            data=selected,
            seed=seed,
            started_from=_started_from(base, selected) if base else None,
            earlier_digests=base.training_digests() if base else np.array([], np.uint64),
            checkpoint=checkpoint,
            options=options,
            callback=callback or Callback(),
        )
        return job.run()


@native_stderr_silenced()
def resume(
    path: str | os.PathLike[str],
    *,
    epochs: int | None = None,
    data: DataLike | Sequence[DataLike] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    max_size: int | None = None,
    device: str = "auto",
    callback: Callback | None = None,
    progress: ProgressBar | None = None,
) -> Trained:
    """Go on with a training as if it had never stopped, from the checkpoint that it wrote.

    On the same machine, with the same versions, the weights are those of a training that was not
    interrupted, bit for bit.

    Args:
        path: The checkpoint, which is written on.
        epochs: Epochs in all, if they shall be more or fewer than before. A decaying learning rate
            then goes on as in a training of so many.
        data: The data sets, if they had no name: what `train` was called with.
        data_dir: Where to look for MNIST, and to download it to.
        max_size: See `load`.
        device: `auto`, `cpu` or `gpu`.
        callback: Follows the training.
        progress: Progress bar of a download of MNIST.

    Raises:
        ModelError: There is no such checkpoint, it is damaged, or it holds more epochs.
        DataError: The data cannot be loaded, or is not what the training began with.
        OutputError: The checkpoint cannot be written.
    """
    begun = checkpoint.read(path)
    metadata, options = begun.file.metadata, begun.options
    recipe = _of_epochs(begun, epochs)
    data = options["data"] if data is None else data
    if data is None:
        raise DataError("the data of this training has no name", "Give it again", path)
    seed = options["seed"]
    fine_tuned = metadata.started_from is not None
    selected = _selected(options, recipe, data, fine_tuned, data_dir, max_size, progress)
    _check_same_data(selected, begun)
    _note_versions(metadata)
    import_keras().utils.set_random_seed(seed)
    with on_device(device):
        job = Job(
            model=load_model(begun.path)
            if fine_tuned
            else build(recipe.family, recipe.architecture),
            recipe=recipe,
            data=selected,
            seed=seed,
            started_from=metadata.started_from,
            earlier_digests=begun.file.training_digests(),
            checkpoint=path,
            options=options,
            callback=callback or Callback(),
        )
        return job.run(begun.state)


def _started_from(base: ModelFile, data: TrainingData) -> StartedFrom:
    """What fine-tuning starts from, scored on what it will be tested on."""
    scores = evaluate(Recognizer(base.path), list(data.tests)).scores
    return StartedFrom(str(base.path), base.metadata.data, tuple(map(score_info, scores)))


def _selected(
    options: Mapping[str, Any],
    recipe: Recipe,
    data: DataLike | Sequence[DataLike],
    fine_tuning: bool,
    data_dir: str | os.PathLike[str] | None,
    max_size: int | None,
    progress: ProgressBar | None,
) -> TrainingData:
    """The data that the `options` of a training make of `data`: the same at a resumption."""
    selected = select_data(
        data,
        recipe,
        limit=options["limit"],
        mix=options["mix"] if fine_tuning else 0,
        seed=options["seed"],
        data_dir=data_dir,
        invert=options["invert"],
        transpose=options["transpose"],
        max_size=max_size,
        progress=progress,
    )
    if options.get("soft_targets") is None:
        return selected
    given = read_soft_targets(options["soft_targets"])
    return replace(selected, soft_targets=given.train, validation=given.validation)


def _names(data: DataLike | Sequence[DataLike]) -> list[str] | None:
    """The names and paths of data sets; None if one of them is in memory alone."""
    sets = as_list(data)
    if all(isinstance(each, (str, os.PathLike)) for each in sets):
        return [str(each) for each in sets]
    return None


def _of_epochs(begun: checkpoint.Checkpoint, epochs: int | None) -> Recipe:
    recipe, done = begun.recipe, len(begun.state.history)
    if epochs is None or epochs == recipe.epochs:
        return recipe
    if epochs < done:
        raise ModelError(
            f"{done} epochs are done already", f"Give --epochs {done} or more", begun.path
        )
    return with_overrides(recipe, epochs=epochs)


def _check_same_data(data: TrainingData, begun: checkpoint.Checkpoint) -> None:
    known = [source.fingerprint for source in begun.file.metadata.data]
    if [source.fingerprint for source in data.sources] != known:
        names = ", ".join(source.name for source in data.sources)
        raise DataError(
            f"{names}: not the pictures that this training began with",
            "Give the same data, or train again without --resume",
            begun.path,
        )


def _note_versions(metadata: ModelMetadata) -> None:
    here = installed_versions()
    for name, version in metadata.versions.items():
        if here.get(name, version) != version:
            log.warning(
                "the training began with %s %s and goes on with %s: it may end with other weights",
                name, version, here[name],
            )  # fmt: skip


def _recipe(
    base: ModelFile | None,
    family: str | None,
    preset: str | None,
    is_student: bool,
    overrides: dict[str, Any],
) -> Recipe:
    if base is None:
        recipe = recipe_for(family or "cnn", preset)
        return with_overrides(distilled(recipe) if is_student else recipe, **overrides)
    if family not in (None, base.family):
        raise ModelError(
            f"this model is a {base.family}, not a {family}", "Leave --arch out", base.path
        )
    settings = base.metadata.settings
    if settings is not None:
        recipe = Recipe.from_settings(settings)
    else:  # a converted model: it has layers of its own, and its recipe is unknown
        recipe = recipe_for(base.family, architecture={"as in": base.path.name})
        recipe = replace(recipe, preset="foreign")
    if preset is None:
        return with_overrides(fine_tuning(recipe), **overrides)
    return recipe_for(base.family, preset, **{"architecture": recipe.architecture, **overrides})
