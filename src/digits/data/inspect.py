"""Statistics of a data set, and a choice of its images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .dataset import Dataset, Splits


def describe(splits: Splits) -> dict[str, Any]:
    """Statistics of a data set as JSON values.

    In each part, `duplicates` counts the images that appear earlier in it; `shared` counts the
    images of `test` that are in `train` too (None without both).
    """
    parts = {name: _describe_part(dataset) for name, dataset in splits.items()}
    shared = None
    if {"train", "test"} <= set(splits):
        train, test = splits["train"], splits["test"]
        shared = test.count_in(train.digests)
    return {"name": splits.name, "parts": parts, "shared": shared}


def _describe_part(dataset: Dataset) -> dict[str, Any]:
    return {
        "pictures": len(dataset),
        "counts": {str(digit): int(n) for digit, n in enumerate(dataset.counts)},
        "lowest": int(dataset.images.min()),
        "highest": int(dataset.images.max()),
        "mean": float(dataset.images.mean()),
        "duplicates": len(dataset) - len(np.unique(dataset.digests)),
        "fingerprint": dataset.fingerprint,
    }


def choose(
    dataset: Dataset, indices: Sequence[int], labels: Sequence[int], count: int
) -> tuple[Dataset, NDArray[np.int64]]:
    """Choose images by index and label.

    Args:
        dataset: The data set.
        indices: Indices in it; all if empty.
        labels: Only these digits; any if empty.
        count: Maximum number of images if no indices are given.

    Returns:
        The images and their indices in `dataset`.

    Raises:
        DataError: If an index is out of range or no image is left.
    """
    if indices and max(indices) >= len(dataset):
        raise DataError(
            f"{dataset.name} has no image {max(indices)}",
            f"Choose an index from 0 to {len(dataset) - 1}",
        )
    chosen = np.array(indices, np.int64) if indices else np.arange(len(dataset))
    if labels:
        chosen = chosen[np.isin(dataset.labels[chosen], labels)]
    if not len(chosen):
        raise DataError(f"{dataset.name} has no such image", "Choose another label or index")
    if not indices:
        chosen = chosen[:count]
    return dataset.take(chosen), chosen
