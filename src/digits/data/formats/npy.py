"""Folders of .npy files, one for each array of MNIST's `mnist.npz`: x_train.npy, y_train.npy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import DataError
from ..dataset import Splits
from .npz import splits_of


def matches(path: Path) -> bool:
    """See `Reader`. Also true of a single file, so that `read` explains what is missing."""
    if path.is_dir():
        return any(path.glob("*.npy"))
    return path.suffix.lower() == ".npy"


def read(path: Path, name: str) -> Splits:
    """Read the arrays in a folder, which have the names that they have in an .npz archive.

    Nothing is unpickled. See `Reader`.
    """
    if not path.is_dir():
        remedy = "Give the folder that contains images and labels"
        raise DataError("this is one array of a data set", remedy, path)
    arrays = {}
    for file in sorted(path.glob("*.npy")):
        try:
            arrays[file.stem] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            problem = "the file is damaged, or contains objects, which can run code"
            raise DataError(problem, "Write it again with np.save", file) from error
    return splits_of(arrays, path, name)
