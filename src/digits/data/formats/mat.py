"""MATLAB files: EMNIST's, and others that name their arrays plainly.

EMNIST's format (https://www.nist.gov/itl/products-and-services/emnist-dataset): a struct `dataset`
with `train` and `test`, each with `images`, (n, 784) column by column, and `labels`, (n, 1).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..dataset import Dataset, Splits
from .confined import Arrays, read_confined, work_confined
from .limits import SizeLimit
from .names import splits_of

_REMEDY = "Give a file of EMNIST, or one with the arrays images and labels"
_PARTS = ("train", "test")


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.suffix.lower() == ".mat" and path.is_file()


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read EMNIST's digits or MNIST set, whose images are brought upright, or another set.

    Needs the extra `digits[formats]`. See `Reader`.
    """
    limit = SizeLimit([path], max_size)
    arrays = read_confined(__name__, path, limit, _damaged(path))
    if not any(f"{part} images" in arrays for part in _PARTS):
        return splits_of(arrays, path, name)
    parts = {
        part: Dataset(
            arrays[f"{part} images"].reshape(-1, 28, 28).transpose(0, 2, 1),
            arrays[f"{part} labels"],
            f"{name} {part}",
        )
        for part in _PARTS
        if f"{part} images" in arrays
    }
    return Splits(name, parts)


def _read(path: Path, limit: SizeLimit) -> Arrays:
    """The arrays `train images`, `train labels`, and those of `test`; or all plain ones."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        problem = "MATLAB files need the package scipy"
        raise DataError(problem, "Install digits[formats]", path) from error
    try:
        content = loadmat(path, simplify_cells=True)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # broken files make it raise nearly anything
        raise _damaged(path) from error
    dataset = content.get("dataset")
    if isinstance(dataset, dict):
        arrays: dict[str, Any] = {}
        for part in _PARTS:
            if part in dataset:
                images, labels = _pair(dataset[part], path)
                arrays |= {f"{part} images": images, f"{part} labels": labels}
    else:
        plain = {n: np.asarray(value) for n, value in content.items() if not n.startswith("__")}
        arrays = {name: value for name, value in plain.items() if value.dtype.kind in "biuf"}
    if not arrays:
        raise DataError("it holds no data set", _REMEDY, path)
    limit.count(sum(value.nbytes for value in arrays.values()), path)
    return arrays


def _pair(part: Any, path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    images, labels = (
        np.asarray(part.get(kind)) if isinstance(part, dict) else np.empty(0)
        for kind in ("images", "labels")
    )
    if images.dtype.hasobject or labels.dtype.hasobject:
        raise DataError("it holds no data set", _REMEDY, path)
    if images.ndim != 2 or images.shape[1] != 784:
        raise DataError(f"the shape of its images is {images.shape}", _REMEDY, path)
    return images, labels


def _damaged(path: Path) -> DataError:
    return DataError("the file is damaged or no MATLAB file", "Download it again", path)


if __name__ == "__main__":
    sys.exit(work_confined(_read))
