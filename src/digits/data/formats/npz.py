"""NumPy archives in the layout of MNIST's `mnist.npz`; the format in which we write data sets."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._io.archive import ENCRYPTED, ZIP_DAMAGE
from ..._io.files import check_writable, refuse_existing, replacing, written_into
from ..._io.locks import exclusive, is_claimed
from ...errors import DataError, OutputError
from ..dataset import Splits
from .array import read_array
from .limits import SizeLimit
from .names import ARRAYS, splits_of, stored_names

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_REMEDY = "Write it again with np.savez_compressed and plain number arrays"


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


def other_arrays(path: Path, splits: Splits) -> list[str]:
    """The names of the arrays at `path` that are not in `splits`, which was read from it."""
    with np.load(path, allow_pickle=False) as archive:
        stored = stored_names(archive.files)
        known = {stored.get(name) for part in splits for name in ARRAYS[part]}
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
        arrays |= dict(zip(ARRAYS[part], (dataset.images, dataset.labels), strict=True))
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def check_npz_name(path: str | os.PathLike[str]) -> None:
    """Raise OutputError unless `path` ends in .npz."""
    if Path(path).suffix != ".npz":
        raise OutputError("a data set is written as .npz", "Give a name that ends in .npz", path)
