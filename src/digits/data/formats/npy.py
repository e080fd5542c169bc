"""Folders of .npy files, one for each array of MNIST's `mnist.npz`: x_train.npy, y_train.npy."""

from __future__ import annotations

from pathlib import Path

from ...errors import DataError
from ..dataset import Splits
from .array import read_array
from .limits import SizeLimit
from .names import splits_of


def matches(path: Path) -> bool:
    """See `Reader`. Also true of a single file, so that `read` explains what is missing."""
    if path.is_dir():
        return any(path.glob("*.npy"))
    return path.suffix.lower() == ".npy"


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read the arrays in a folder, which have the names that they have in an .npz archive.

    Nothing is unpickled. See `Reader`.
    """
    if not path.is_dir():
        remedy = "Give the folder that contains images and labels"
        raise DataError("this is one array of a data set", remedy, path)
    files = sorted(path.glob("*.npy"))
    limit = SizeLimit(files, max_size)
    arrays = {}
    for each in files:
        with each.open("rb") as file:
            arrays[each.stem] = read_array(file, each, limit)
    return splits_of(arrays, path, name)
