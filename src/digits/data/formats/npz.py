"""NumPy archives in the layout of MNIST's `mnist.npz`; the format in which we write data sets."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._io.archive import ENCRYPTED, ZIP_DAMAGE
from ..._io.files import check_writable, refuse_existing, replacing, written_into
from ..._io.locks import exclusive, is_claimed
from ..._io.text import printable
from ...errors import DataError, OutputError
from ..dataset import Dataset, Splits
from .array import read_array
from .limits import SizeLimit

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_NAMES, _MAX_NAME = 8, 40  # in a message; characters of one
_REMEDY = "Write it again with np.savez_compressed and plain number arrays"
_ARRAYS = {
    "train": ("x_train", "y_train"),
    "test": ("x_test", "y_test"),
    "all": ("images", "labels"),
}
# What others call them.
_SYNONYMS = {
    "x_train": ("X_train", "train_images", "train_x", "training_images"),
    "y_train": ("Y_train", "train_labels", "train_y", "training_labels"),
    "x_test": ("X_test", "test_images", "test_x"),
    "y_test": ("Y_test", "test_labels", "test_y"),
    "images": ("x", "X", "data", "image", "arr_0"),
    "labels": ("y", "Y", "target", "label", "arr_1"),
}


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.suffix.lower() == ".npz" and path.is_file()


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read `x_train y_train x_test y_test` (or one pair of them), or `images labels`.

    Nothing is unpickled. See `Reader`.
    """
    limit = SizeLimit([path], max_size)
    with path.open("rb") as file:
        with _damage_reported(path):
            archive = zipfile.ZipFile(file)
        return splits_of(_Arrays(archive, path, limit), path, name)


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except ZIP_DAMAGE as error:
        problem = "the file is damaged or not an .npz archive"
        raise DataError(problem, "Write it again", path) from error


class _Arrays(Mapping[str, NDArray[Any]]):
    """The arrays of an archive, each read when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, limit: SizeLimit) -> None:
        self._archive, self._path, self._limit = archive, path, limit
        self._members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        entry = self._members[name]
        if entry.compress_type not in _COMPRESSIONS or entry.flag_bits & ENCRYPTED:
            raise DataError(f"{name} in it is not packed as NumPy does it", _REMEDY, self._path)
        with _damage_reported(self._path), self._archive.open(entry) as file:
            return read_array(file, self._path, self._limit)

    def __contains__(self, name: object) -> bool:  # that of Mapping would read the array
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def splits_of(arrays: Mapping[str, Any], path: Path, name: str) -> Splits:
    """The data set in arrays by name: those of MNIST's archive, or what others call them.

    Raises:
        DataError: An array is missing, or does not fit.
    """
    stored = _stored_names(arrays)
    parts = {}
    for part, (images, labels) in _ARRAYS.items():
        if images in stored and labels in stored:
            label = name if part == "all" else f"{name} {part}"
            parts[part] = Dataset(arrays[stored[images]], arrays[stored[labels]], label)
        elif images in stored or labels in stored:
            there, missing = (images, labels) if images in stored else (labels, images)
            problem = f"it has {stored[there]} but no {missing}"
            raise DataError(problem, "Add the missing array", path)
    if not parts:
        raise DataError(
            f"its arrays are {listed(arrays)}",
            "Name the arrays x_train y_train x_test y_test, or images labels",
            path,
        )
    if len(parts) > 1:
        parts.pop("all", None)
    return Splits(name, parts)


def listed(names: Collection[str]) -> str:
    """The first few of names that a file gives, of which there may be any number."""
    shown = printable(", ".join(n[:_MAX_NAME] for n in islice(names, _MAX_NAMES))) or "none"
    return f"{shown} and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else shown


def _stored_names(names: Collection[str]) -> dict[str, str]:
    """By our name of an array what it is called in the archive, if it is there."""
    found = {}
    for name, others in _SYNONYMS.items():
        stored = next((each for each in (name, *others) if each in names), None)
        if stored is not None:
            found[name] = stored
    if {found.get("images"), found.get("labels")} == {"arr_0", "arr_1"} or "arr_0" not in names:
        return found
    return {name: stored for name, stored in found.items() if stored not in ("arr_0", "arr_1")}


def other_arrays(path: Path, splits: Splits) -> list[str]:
    """The names of the arrays at `path` that are not in `splits`, which was read from it."""
    with np.load(path, allow_pickle=False) as archive:
        stored = _stored_names(archive.files)
        known = {stored.get(name) for part in splits for name in _ARRAYS[part]}
        return sorted(set(archive.files) - known)


def save_npz(splits: Splits, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write `splits` in MNIST's own layout (or `images`, `labels`), whole or not at all.

    Raises:
        OutputError: If it cannot be written (see `npz_output`).
    """
    with npz_output(path, overwrite) as save:
        save(splits)


@contextmanager
def npz_output(path: str | os.PathLike[str], overwrite: bool) -> Iterator[Callable[[Splits], None]]:
    """Check, before long work, that `path` can be written, and keep others from writing it.

    Args:
        path: The file.
        overwrite: Whether an existing one is replaced.

    Yields:
        A function that writes a data set to it, as `save_npz` does.

    Raises:
        OutputError: It cannot be written, or must not be; another process writes it; or the page
            of `digits app` keeps digits in it, which would be lost.
    """
    check_npz_name(path)
    refuse_existing(path, overwrite)
    check_writable(path)
    with nullcontext() if written_into(Path(path)) else exclusive(path):
        refuse_existing(path, overwrite)  # it may have come while we waited
        if is_claimed(path):
            raise OutputError(
                "`digits app` keeps digits in it, which would be lost",
                "Stop the app first, or choose another name",
                path,
            )
        yield lambda splits: write_npz(splits, path, overwrite=overwrite)


def write_npz(splits: Splits, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """As `save_npz`, for a caller that excludes other writers."""
    arrays: dict[str, Any] = {}
    for part, dataset in splits.items():
        arrays |= dict(zip(_ARRAYS[part], (dataset.images, dataset.labels), strict=True))
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def check_npz_name(path: str | os.PathLike[str]) -> None:
    """Raise OutputError unless `path` ends in .npz."""
    if Path(path).suffix != ".npz":
        raise OutputError("a data set is written as .npz", "Give a name that ends in .npz", path)
