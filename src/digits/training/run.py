"""`train`: from a data set to a tested model, all of `digits train` but its printing."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._io.stderr import native_stderr_silenced
from ..data.dataset import Dataset
from ..data.mnist import ProgressBar
from ..errors import ModelError
from ..evaluation.evaluate import evaluate
from ..evaluation.metrics import Score
from ..models._keras import import_keras
from ..models.compile import compile_model
from ..models.families import build
from ..models.file import ModelFile
from ..models.find import find_model
from ..models.foreign.load import load_model
from ..models.metadata import DatasetInfo, ModelMetadata, ScoreInfo, StartedFrom
from ..models.trust import load_trusted
from ..recognition.recognizer import Recognizer
from .calibrate import calibrate
from .data import DataLike, TrainingData, select_data
from .device import on_device
from .fit import Callback, Fitted, fit
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
    limit: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    invert: bool = False,
    transpose: bool = False,
    device: str = "auto",
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
        start: Model file or family to fine-tune. Its own recipe is used with a low learning rate
            and few epochs, unless `preset` or `overrides` say otherwise.
        mix: Number of MNIST images to mix into fine-tuning, so that the model does not forget
            them. By default twice the number of new images and at least 5,000; 0 for none.
        limit: Number of training images to use.
        seed: Of everything random: the same seed, machine and versions give the same weights.
        data_dir: Where to look for MNIST, and to download it to.
        invert: Invert the images, see `load`.
        transpose: Swap rows and columns of the images, see `load`.
        device: `auto`, `cpu` or `gpu`.
        callback: Follows the training.
        progress: Progress bar of a download of MNIST.
        overrides: Fields of `Recipe`, such as `epochs=3`; None keeps the recipe's value.

    Raises:
        DataError: A data set cannot be loaded.
        ModelError: There is no such family, preset, model or device.
    """
    base = None if start is None else load_trusted(find_model(start))
    recipe = _recipe(base, family, preset, overrides)
    mix = mix if base else 0
    selected = select_data(
        data,
        recipe,
        limit=limit,
        mix=mix,
        seed=seed,
        data_dir=data_dir,
        invert=invert,
        transpose=transpose,
        progress=progress,
    )
    recipe = recipe.for_size(len(selected.train))
    callback = callback or Callback()
    import_keras().utils.set_random_seed(seed)
    with on_device(device):
        model = load_model(base.path) if base else build(recipe.family, recipe.architecture)
        callback.on_train_begin(model, recipe, selected.train)
        fitted = fit(
            model, recipe, selected.train, selected.validation, seed=seed, callback=callback
        )
    temperature = calibrate(model, selected.validation) if selected.validation else None
    compiled = compile_model(model)
    scores = evaluate(
        Recognizer.from_compiled(compiled, recipe.family), list(selected.tests)
    ).scores
    metadata = _metadata(recipe, selected, fitted, scores, temperature, base, seed)
    digests = selected.digests
    if base:
        digests = np.concatenate([digests, base.training_digests()])
    _warn_of_overlap(selected.tests, digests)
    return Trained(model, recipe, scores, metadata, compiled, digests)


def _recipe(
    base: ModelFile | None, family: str | None, preset: str | None, overrides: dict[str, Any]
) -> Recipe:
    if base is None:
        return recipe_for(family or "cnn", preset, **overrides)
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


def _metadata(
    recipe: Recipe,
    data: TrainingData,
    fitted: Fitted,
    scores: Sequence[Score],
    temperature: float | None,
    base: ModelFile | None,
    seed: int,
) -> ModelMetadata:
    started_from = StartedFrom(str(base.path), base.metadata.data) if base else None
    return ModelMetadata(
        family=recipe.family,
        preset=recipe.preset,
        settings=recipe.settings(),
        seed=seed,
        data=tuple(map(DatasetInfo.of, data.sources)),
        test=tuple(ScoreInfo(s.name, s.n, s.loss, s.accuracy) for s in scores),
        history=fitted.history,
        interrupted=fitted.interrupted,
        seconds=round(fitted.seconds, 2),
        validation_pictures=len(data.validation) if data.validation else 0,
        temperature=temperature,
        started_from=started_from,
    )


def _warn_of_overlap(tests: Sequence[Dataset], training_digests: Any) -> None:
    for test in tests:
        if count := test.count_in(training_digests):
            log.warning(
                "the model was trained on %s of the %s pictures of %s, "
                "so its score there is too high",
                f"{count:,}",
                f"{len(test):,}",
                test.name,
            )
