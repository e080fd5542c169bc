"""MATLAB files of EMNIST.

Format: https://www.nist.gov/itl/products-and-services/emnist-dataset: a struct `dataset` with
`train` and `test`, each with `images`, (n, 784) column by column, and `labels`, (n, 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import DataError
from ..dataset import Dataset, Splits

_REMEDY = "Give a file of EMNIST, such as emnist-digits.mat"


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.suffix.lower() == ".mat" and path.is_file()


def read(path: Path, name: str) -> Splits:
    """Read EMNIST's digits or MNIST set; the images are brought upright.

    Needs the extra `digits[formats]`. See `Reader`.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        problem = "MATLAB files need the package scipy"
        raise DataError(problem, "Install digits[formats]", path) from error
    try:
        content = loadmat(path, simplify_cells=True)
    except OSError:
        raise
    except Exception as error:  # broken files make it raise nearly anything
        raise DataError(
            "the file is damaged or no MATLAB file", "Download it again", path
        ) from error
    dataset = content.get("dataset")
    parts = {
        part: Dataset(*_arrays(dataset[part], path), f"{name} {part}")
        for part in ("train", "test")
        if isinstance(dataset, dict) and part in dataset
    }
    if not parts:
        raise DataError("it holds no data set of EMNIST", _REMEDY, path)
    return Splits(name, parts)


def _arrays(part: Any, path: Path) -> tuple[Any, Any]:
    if not isinstance(part, dict) or not {"images", "labels"} <= set(part):
        raise DataError("it holds no data set of EMNIST", _REMEDY, path)
    images = part["images"]
    if images.ndim != 2 or images.shape[1] != 784:
        raise DataError(f"the shape of its images is {images.shape}", _REMEDY, path)
    return images.reshape(-1, 28, 28).transpose(0, 2, 1), part["labels"]
