"""NumPy archives in the layout of MNIST's `mnist.npz`; the format in which we write data sets."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..._io.files import check_writable, refuse_existing, replacing
from ...errors import DataError, OutputError
from ..dataset import Dataset, Splits

MAX_BYTES = 4 << 30
"""An archive that unpacks to more than this (5 million images) is refused."""

_ARRAYS = {
    "train": ("x_train", "y_train"),
    "test": ("x_test", "y_test"),
    "all": ("images", "labels"),
}


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.suffix.lower() == ".npz" and path.is_file()


def read(path: Path, name: str) -> Splits:
    """Read `x_train y_train x_test y_test` (or one pair of them), or `images labels`.

    Nothing is unpickled. See `Reader`.
    """
    damaged = DataError("the file is damaged or not an .npz archive", "Write it again", path)
    try:
        if not zipfile.is_zipfile(path):
            raise damaged
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            size = sum(entry.file_size for entry in archive.zip.infolist())
            if size > MAX_BYTES:
                raise DataError(f"it unpacks to {size >> 20:,} MB", "Split it into parts", path)
            return _splits(archive, path, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, AttributeError) as error:
        raise damaged from error
    except ValueError as error:
        remedy = "Write it again with np.savez_compressed and plain number arrays"
        if "pickle" in str(error).lower():
            problem = "it contains pickled objects, which can run code"
            raise DataError(problem, remedy, path) from error
        raise DataError("the file is damaged", remedy, path) from error


def _splits(archive: Any, path: Path, name: str) -> Splits:
    parts = {}
    for part, (images, labels) in _ARRAYS.items():
        if images in archive and labels in archive:
            label = name if part == "all" else f"{name} {part}"
            parts[part] = Dataset(archive[images], archive[labels], label)
        elif images in archive or labels in archive:
            there, missing = (images, labels) if images in archive else (labels, images)
            raise DataError(f"it has {there} but no {missing}", "Add the missing array", path)
    if not parts:
        raise DataError(
            f"its arrays are {', '.join(archive.files) or 'none'}",
            "Name the arrays x_train y_train x_test y_test, or images labels",
            path,
        )
    if len(parts) > 1:
        parts.pop("all", None)
    return Splits(name, parts)


def other_arrays(path: Path, splits: Splits) -> list[str]:
    """The names of the arrays at `path` that are not in `splits`, which was read from it."""
    known = {name for part in splits for name in _ARRAYS[part]}
    with np.load(path, allow_pickle=False) as archive:
        return sorted(set(archive.files) - known)


def save_npz(splits: Splits, path: str | os.PathLike[str]) -> None:
    """Write `splits` in MNIST's own layout (or `images`, `labels`), whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    arrays: dict[str, Any] = {}
    for part, dataset in splits.items():
        arrays |= dict(zip(_ARRAYS[part], (dataset.images, dataset.labels), strict=True))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def check_npz_output(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise OutputError if `save_npz` could not write `path`; call it before long work."""
    if Path(path).suffix != ".npz":
        raise OutputError("a data set is written as .npz", "Give a name that ends in .npz", path)
    refuse_existing(path, overwrite)
    check_writable(path)
