"""A model scored on data sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..data.arrays import Images
from ..data.dataset import Dataset, Splits, as_dataset
from ..errors import DataError
from ..models.metadata import ModelMetadata
from .metrics import Score, score

One = Dataset | Splits | tuple[NDArray[Any], NDArray[Any]]
"""One data set, in any of the forms that `evaluate` takes."""


class Predictor(Protocol):
    """The part of a `Recognizer` that `evaluate` needs."""

    @property
    def name(self) -> str:
        """What to call the model in results."""

    @property
    def path(self) -> Path | None:
        """The model file, if there is one."""

    @property
    def metadata(self) -> ModelMetadata | None:
        """The metadata of the model file, if there is one."""

    def probabilities(self, images: Images, /) -> NDArray[np.float32]:
        """(n, 10) probabilities for (n, 28, 28) uint8 images."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of one model on one or several data sets.

    Attributes:
        model: Name of the model.
        path: The model file, if there is one.
        metadata: The metadata of the model file, if there is one.
        data: The data sets.
        probabilities: Of each data set, (n, 10) float32.
        scores: The score on each data set.
        joint: The score on all images of all data sets together; None if there is one data set.
    """

    model: str
    path: Path | None
    metadata: ModelMetadata | None = field(repr=False)
    data: tuple[Dataset, ...] = field(repr=False)
    probabilities: tuple[NDArray[np.float32], ...] = field(repr=False)
    scores: tuple[Score, ...]
    joint: Score | None

    @property
    def label(self) -> str:
        """The path of the model, or its name."""
        return str(self.path or self.model)

    @property
    def all_scores(self) -> tuple[Score, ...]:
        """`scores`, then `joint` if there is one."""
        return self.scores if self.joint is None else (*self.scores, self.joint)

    def to_json(self) -> dict[str, Any]:
        """`model`, `data` and `joint` as JSON values."""
        return {
            "model": self.label,
            "data": [score.to_json() for score in self.scores],
            "joint": self.joint.to_json() if self.joint else None,
        }


def evaluate(recognizer: Predictor, data: One | Iterable[One]) -> Evaluation:
    """Score a model on one or several data sets.

    Args:
        recognizer: The model.
        data: A `Dataset`, a tuple `(images, labels)` of arrays, or several of these. Of `Splits`,
            the test part is used, or the whole set if it is not split.

    Raises:
        DataError: If there is no data, or it is not as described.
        ModelError: If the output of the model is not probabilities.
    """
    datasets = _as_datasets(data)
    if not datasets:
        raise DataError("there is no data set to evaluate on", "Give at least one")
    outputs = tuple(recognizer.probabilities(dataset.images) for dataset in datasets)
    scores = tuple(
        score(dataset.name, dataset.labels, output)
        for dataset, output in zip(datasets, outputs, strict=True)
    )
    joint = None
    if len(datasets) > 1:
        labels = np.concatenate([dataset.labels for dataset in datasets])
        joint = score("joint", labels, np.concatenate(outputs))
    return Evaluation(
        recognizer.name, recognizer.path, recognizer.metadata, datasets, outputs, scores, joint
    )


def _as_datasets(data: One | Iterable[One]) -> tuple[Dataset, ...]:
    if _is_one(data):
        return (_as_dataset(cast(One, data), "data"),)
    several = cast(Iterable[One], data)
    return tuple(_as_dataset(one, f"data {i}") for i, one in enumerate(several, 1))


def _is_one(data: One | Iterable[One]) -> bool:
    """Whether `data` is one data set rather than several."""
    if isinstance(data, tuple):  # of two arrays, or of data sets
        return len(data) == 2 and not isinstance(data[0], (Dataset, Splits, tuple))
    return isinstance(data, (Dataset, Splits))


def _as_dataset(one: One, name: str) -> Dataset:
    return one.part("test") if isinstance(one, Splits) else as_dataset(one, name)
