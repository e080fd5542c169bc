"""Train the rejector, which tells digits from images without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset, Splits, joined
from ..ingest.sources import load
from ..models import file as model_file
from ..models._keras import import_keras
from ..models.compile import compile_model, round_weights
from ..models.compiled import CompiledModel
from ..models.families import REJECTOR, TABLE, build
from ..models.metadata import DatasetInfo, ModelMetadata, ScoreInfo
from ..models.trust import trust
from ..recognition.rejector import NO_DIGIT
from .calibrate import calibrate
from .callback import Callback
from .examples import ArrayExamples
from .fit import fit
from .presets import REJECTOR_RECIPE
from .recipe import Recipe, with_overrides
from .synthetic.found import find_on_pages
from .synthetic.handwriting import generate_digits
from .synthetic.negatives import generate_negatives

CANDIDATES = 12_000
"""Training images that the finder makes of generated pages."""

NEGATIVES = 35_000
"""Training images without a digit."""


def train_rejector(
    path: str | os.PathLike[str],
    data: Splits | str | os.PathLike[str] = "mnist",
    *,
    candidates: int = CANDIDATES,
    negatives: int = NEGATIVES,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    callback: Callback | None = None,
    **overrides: Any,
) -> Path:
    """Train the rejector on the training part of `data` and generated images, and save it.

    Args:
        path: The model file to write.
        data: A data set with a training and a test part.
        candidates: Number of training images that the finder makes of generated pages.
        negatives: Number of training images without a digit.
        seed: Of everything random.
        data_dir: Where to look for MNIST, and to download it to.
        callback: Follows the training.
        overrides: Fields of `Recipe`.

    Returns:
        `path`.

    Raises:
        DataError: The data cannot be loaded or lacks a part.
        OutputError: The file cannot be written.
    """
    recipe = with_overrides(REJECTOR_RECIPE, **overrides)
    splits = data if isinstance(data, Splits) else load(data, data_dir)
    digits, held_out = splits["train"].held_out(recipe.validation_fraction, seed)
    train, validation = _examples(digits, held_out, recipe, candidates, negatives, seed)
    import_keras().utils.set_random_seed(seed)
    model = build(recipe.family, recipe.architecture)
    history = fit(model, recipe, train, validation, seed=seed, callback=callback)
    temperature = calibrate(model, _balanced(held_out, seed + 2))
    round_weights(model)
    compiled = compile_model(model)
    metadata = ModelMetadata(
        family=recipe.family,
        preset=recipe.preset,
        settings=recipe.settings(),
        seed=seed,
        data=(DatasetInfo.of(splits["train"]),),
        test=(_score(compiled, splits["test"]),),
        history=history,
        seconds=round(sum(epoch.seconds for epoch in history), 2),
        validation_pictures=len(validation),
        temperature=temperature,
    )
    model_file.write(path, model, metadata, compiled, splits["train"].digests)
    trust(path)
    return Path(path)


def _examples(
    digits: Dataset,
    held_out: Dataset,
    recipe: Recipe,
    candidates: int,
    negatives: int,
    seed: int,
) -> tuple[ArrayExamples, ArrayExamples]:
    """Training and validation examples, with the same proportion of generated images."""
    generated = generate_digits(recipe.generated_digits, seed)
    train = _mixed(joined([digits, generated], "digits"), candidates, negatives, seed)
    ratio = len(held_out) / len(digits)
    validation = _mixed(held_out, round(candidates * ratio), round(negatives * ratio), seed + 1)
    return train, validation


def _mixed(digits: Dataset, candidates: int, negatives: int, seed: int) -> ArrayExamples:
    """`digits`, what the finder makes of pages of them, and negatives, shuffled."""
    found = find_on_pages(digits, candidates, NO_DIGIT, seed)
    without_digit = generate_negatives(digits.images, negatives, seed)
    images = np.concatenate([digits.images, found.images, without_digit])
    labels = np.concatenate([digits.labels, found.labels, _no_digit_labels(negatives)])
    order = np.random.default_rng(seed).permutation(len(labels))
    return ArrayExamples(images[order], labels[order])


def _balanced(digits: Dataset, seed: int) -> ArrayExamples:
    """`digits` and equally many negatives, to calibrate on."""
    negatives = generate_negatives(digits.images, len(digits), seed)
    return ArrayExamples(
        np.concatenate([digits.images, negatives]),
        np.concatenate([digits.labels, _no_digit_labels(len(digits))]),
    )


def _no_digit_labels(count: int) -> NDArray[np.uint8]:
    return np.full(count, NO_DIGIT, np.uint8)


def _score(compiled: bytes, test: Dataset) -> ScoreInfo:
    """As of a recognizer, but a digit that is rejected counts as wrong."""
    model = CompiledModel(compiled, REJECTOR, TABLE[REJECTOR].outputs)
    probabilities = model.probabilities(test.images)
    of_truth = probabilities[np.arange(len(test)), test.labels]
    return ScoreInfo(
        test.name,
        len(test),
        loss=float(-np.log(np.maximum(of_truth, 1e-7)).mean()),
        accuracy=float((probabilities.argmax(axis=1) == test.labels).mean()),
    )
