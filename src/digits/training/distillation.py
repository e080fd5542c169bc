"""Knowledge distillation: learn from the probabilities that teachers gave to many images.

Hinton, Vinyals and Dean (2015). The images are a large fixed set of variations, and teachers saw
each of them exactly as the student does (Beyer et al., "Knowledge distillation: a good teacher is
patient and consistent", 2022). `tools/teachers.py` trains teachers and writes the file.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._io.files import read_error
from ..data.dataset import Dataset
from ..errors import DataError
from .examples import ArrayExamples
from .recipe import Recipe

EPOCHS = 10
"""Passes over the soft targets, which hold some ten variations of each image."""


@dataclass(frozen=True)
class SoftTargets:
    """What a student learns from.

    Attributes:
        train: Images with the teachers' probabilities (n, 10).
        validation: Images that no teacher was trained on, with their labels.
    """

    train: ArrayExamples
    validation: Dataset


def read_soft_targets(path: str | os.PathLike[str]) -> SoftTargets:
    """Read the soft targets that teachers gave.

    Args:
        path: An `.npz` with `images` (n, 28, 28) uint8, `probabilities` (n, 10) of any float type,
            `validation_images` and `validation_labels`.

    Raises:
        DataError: It cannot be read, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _soft_targets(arrays, Path(path))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, OSError):
            raise read_error(DataError, path, error) from error
        raise DataError("no soft targets", "Make them with `make teachers`", path) from error


def _soft_targets(arrays: Mapping[str, Any], path: Path) -> SoftTargets:
    images, probabilities = arrays["images"], arrays["probabilities"].astype(np.float32)
    if images.shape != (len(probabilities), 28, 28) or images.dtype != np.uint8:
        raise ValueError("images")
    if probabilities.shape[1:] != (10,) or not np.allclose(probabilities.sum(axis=1), 1, atol=0.01):
        raise ValueError("probabilities")
    validation = Dataset(arrays["validation_images"], arrays["validation_labels"], path.name)
    return SoftTargets(ArrayExamples(images, probabilities), validation)


def distilled(recipe: Recipe) -> Recipe:
    """`recipe` for soft targets, whose images are augmented already."""
    return replace(
        recipe,
        epochs=EPOCHS,
        min_steps=0,
        generated_digits=0,
        augment=None,
        low_augmentation_epochs=0,
    )
