"""Select the images that a model is fitted to, validated and tested on."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset, Splits, as_dataset, joined, mended
from ..data.download import ProgressBar
from ..errors import DataError
from ..ingest.sources import NAMES, load
from .calibrate import MIN_EXAMPLES
from .examples import ArrayExamples
from .recipe import Recipe
from .synthetic.handwriting import generate_digits

log = logging.getLogger(__name__)

Arrays = tuple[NDArray[Any], NDArray[Any]]
DataLike = Splits | Dataset | Arrays | tuple[Arrays, Arrays] | str | os.PathLike[str]
"""A data set: as `load` returns it, as a name or path that `load` accepts, as `(images, labels)`,
or as `((x_train, y_train), (x_test, y_test))`, which `keras.datasets.mnist.load_data()` returns."""

TEST_FRACTION = 0.2
"""Held out for testing of a data set without a test part."""

MIX_RATIO = 2
MIN_MIX = 5_000
"""By default, fine-tuning all layers mixes in `MIX_RATIO` MNIST images for each new image, and at
least `MIN_MIX`, so that the model does not forget other people's handwriting. Fine-tuning the last
layers, which costs little for each image, mixes in all of MNIST."""

MIN_DISTINCT = 200
"""Different pictures to train on, below which there is a warning: 20 of each digit. With so many a
`fast` cnn reads 88 % of the test digits of `sample`, with twice as many 91 %, with half 81 %."""


@dataclass(frozen=True)
class TrainingData:
    """The images of one training.

    Attributes:
        train: What the model is fitted to, generated images included.
        replay: MNIST images that are mixed in as they are; None if there are none, or `train` has
            them.
        validation: Held-out images; None when the recipe asks for none.
        tests: One test set for each data set, that of MNIST last if it was mixed in.
        mixed: Whether MNIST was mixed in.
        soft_targets: What the model is fitted to instead of `train`.
        sources: The training part of each data set, validation images included.
    """

    train: Dataset
    replay: Dataset | None
    validation: Dataset | None
    tests: tuple[Dataset, ...]
    sources: tuple[Dataset, ...]
    mixed: bool
    soft_targets: ArrayExamples | None = None

    @property
    def digests(self) -> NDArray[np.uint64]:
        """Digests (see `Dataset.digests`) of all real images that the model learns from."""
        return np.concatenate([source.digests for source in self.sources])


def select_data(
    data: DataLike | Sequence[DataLike],
    recipe: Recipe,
    *,
    limit: int | None = None,
    mix: int | None = 0,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    invert: bool = False,
    transpose: bool = False,
    max_size: int | None = None,
    progress: ProgressBar | None = None,
) -> TrainingData:
    """Load the data sets and split them.

    Args:
        data: One or several data sets.
        recipe: Decides on validation and generated images.
        limit: Number of training images to keep (the first ones of MNIST, else random ones).
        mix: Number of MNIST images to add; None for the default, or none when MNIST is among the
            data.
        seed: Of everything random.
        data_dir: Where to look for MNIST, and to download it to.
        invert: Invert the images, see `load`.
        transpose: Swap rows and columns of the images, see `load`.
        max_size: Bytes of memory that a data set may take, see `load`.
        progress: Progress bar of a download.

    Raises:
        DataError: A data set cannot be loaded, or has nothing to train on.
    """
    sets = as_list(data)
    has_mnist = any(map(_is_mnist, sets))
    parts = [
        _split(_as_splits(each, data_dir, progress, invert, transpose, max_size), seed)
        for each in sets
    ]
    sources, tests = [list(part) for part in zip(*parts, strict=True)]
    if limit is not None:
        whole = joined(sources, "+".join(source.name for source in sources))
        sources = [(whole if has_mnist else whole.shuffled(seed)).limit(limit)]
    learned, replay = list(sources), None
    is_mixed = mix != 0 and not (mix is None and has_mnist)
    if is_mixed:
        if mix is None and not recipe.trained_layers:
            mix = max(MIN_MIX, MIX_RATIO * sum(map(len, sources)))
        mixed, test = _some_mnist(mix, seed, data_dir, progress)
        sources.append(mixed)
        tests.append(test)
        if recipe.trained_layers:
            replay = mixed
        else:
            learned.append(mixed)
    # MNIST comes well mixed, and recipes rely on its order; other sets may be sorted by digit.
    in_order = len(learned) == 1 and has_mnist
    train = learned[0] if in_order else joined(learned, "all").shuffled(seed)
    validation = None
    if recipe.trained_layers:  # one's own pictures may be few: all are learned from
        if replay and len(replay) * recipe.validation_fraction >= MIN_EXAMPLES:
            replay, validation = replay.held_out(recipe.validation_fraction, seed)
    elif round(len(train) * recipe.validation_fraction):
        train, validation = train.held_out(recipe.validation_fraction, seed)
    if recipe.generated_digits:
        generated = generate_digits(recipe.generated_digits, seed)
        train = joined([train, generated], "all").shuffled(seed)
    selected = TrainingData(train, replay, validation, tuple(tests), tuple(sources), is_mixed)
    _check_learnable(selected, recipe)
    return selected


def _check_learnable(selected: TrainingData, recipe: Recipe) -> None:
    """Refuse what would make a useless model without a word. Raises DataError."""
    if selected.replay:
        return
    train = selected.train
    found = np.flatnonzero(train.counts)
    if len(found) < 2:
        raise DataError(
            f"all {len(train):,} pictures to train on are of the digit {found[0]}",
            "Add pictures of other digits, or fine-tune a model with --from cnn",
        )
    if recipe.generated_digits:  # there is enough to learn from
        return
    distinct = len(np.unique(selected.digests))  # which the model file needs anyway
    if distinct < 2:
        raise DataError("all pictures to train on are the same", "Add other pictures")
    if distinct < MIN_DISTINCT:
        log.warning(
            "%d pictures are too few to learn digits from: fine-tune a model with --from cnn, "
            "or add pictures",
            distinct,
        )


def as_list(data: DataLike | Sequence[DataLike]) -> list[DataLike]:
    """One or several data sets, as a list."""
    named = (Splits, Dataset, str, os.PathLike)
    if isinstance(data, named):
        return [data]
    if isinstance(data, tuple) and len(data) == 2 and not any(isinstance(d, named) for d in data):
        return [cast(DataLike, data)]
    return list(cast(Sequence[DataLike], data))


def _is_mnist(data: DataLike) -> bool:
    name = data.name if isinstance(data, Splits) else data
    return isinstance(name, str) and name in NAMES


def _as_splits(
    data: DataLike,
    data_dir: str | os.PathLike[str] | None,
    progress: ProgressBar | None,
    invert: bool,
    transpose: bool,
    max_size: int | None,
) -> Splits:
    if isinstance(data, (str, os.PathLike)):
        return load(data, data_dir, progress, invert=invert, transpose=transpose, max_size=max_size)
    return mended(_in_memory(data), invert, transpose)


def _in_memory(data: Splits | Dataset | Arrays | tuple[Arrays, Arrays]) -> Splits:
    if isinstance(data, Splits):
        return data
    if isinstance(data, tuple) and isinstance(data[0], tuple):
        train, test = data
        parts = {
            "train": as_dataset(train, "data train"),
            "test": as_dataset(test, "data test"),
        }
        return Splits("data", parts)
    dataset = as_dataset(data)
    return Splits(dataset.name, {"all": dataset})


def _split(splits: Splits, seed: int) -> tuple[Dataset, Dataset]:
    """The training images and the test images of a data set."""
    if set(splits) == {"test"}:
        raise DataError(f"{splits.name} has only a test part", "Add pictures to train on")
    if "test" in splits:
        return splits.for_training, splits["test"]
    train, test = splits.for_training.held_out(TEST_FRACTION, seed)
    log.info("%s has no test part: %d of its pictures are held out", splits.name, len(test))
    return train, test


def _some_mnist(
    count: int | None,
    seed: int,
    data_dir: str | os.PathLike[str] | None,
    progress: ProgressBar | None,
) -> tuple[Dataset, Dataset]:
    mnist = load("auto", data_dir, progress)
    some = mnist["train"].shuffled(seed).limit(count)
    log.info("mixing in %d digits of %s, so that they are not forgotten", len(some), mnist.name)
    return some, mnist["test"]
