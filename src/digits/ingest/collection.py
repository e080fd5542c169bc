"""Your own data set, to which pictures are added one by one, with undo."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._io.files import check_writable, output_error
from .._io.locks import TIMEOUT, claim, exclusive
from ..data.dataset import Dataset, Splits, joined
from ..data.formats.npz import check_npz_name, other_arrays, write_npz
from ..errors import DataError
from .sources import load

if TYPE_CHECKING:
    from filelock import BaseFileLock


class Collection:
    """The data set in an `.npz` file.

    Pictures are added to its training part, or to an unsplit set; a new file is unsplit. Several
    threads and processes may add to one file: each change reads it, and replaces it whole or not
    at all, under the lock that all writers of data sets take. From the first change on, nobody
    replaces the file until this object or its process is gone (see `npz_output`).

    Args:
        path: The file, which need not exist yet.
        timeout: Seconds to wait while another process writes to it.

    Raises:
        DataError: If the file is not a data set.
        OutputError: If it does not end in .npz, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float = TIMEOUT) -> None:
        self.path = Path(path)
        self.timeout = timeout
        self._added: list[Dataset] = []
        self._threads = threading.Lock()
        self._claim: BaseFileLock | None = None
        check_npz_name(self.path)
        check_writable(self.path)
        self._read()

    @property
    def undoable(self) -> int:
        """Number of pictures that `undo` can remove: those that this object added."""
        return len(self._added)

    def counts(self) -> NDArray[np.int64]:
        """(10,) number of pictures of each digit in the part to train on."""
        with self._threads:
            splits = self._read()
        dataset = splits.get(_growing(splits))
        return dataset.counts if dataset else np.zeros(10, np.int64)

    def add(self, image: NDArray[np.uint8], label: int) -> None:
        """Append a picture.

        Args:
            image: (28, 28) uint8, white ink on black.
            label: 0 to 9.

        Raises:
            OutputError: If the file cannot be written; it stays as it was.
        """
        one = Dataset(image[None], np.array([label], np.uint8), self.path.name)
        with self._changing():
            splits = self._read()
            part = _growing(splits)
            sets = [splits[part], one] if part in splits else [one]
            self._write(splits, part, joined(sets, self.path.name))
            self._added.append(one)

    def undo(self) -> int | None:
        """Remove the picture added last and return its label; None if there is none (left).

        A picture that was removed from the file by others is skipped.
        """
        with self._changing():
            while self._added:
                one = self._added[-1]
                splits = self._read()
                part = _growing(splits)
                rest = _without_last(one, splits.get(part))
                if rest is not None:
                    self._write(splits, part, splits[part].take(rest) if len(rest) else None)
                self._added.pop()
                if rest is not None:
                    return int(one.labels[0])
        return None

    def _read(self) -> Splits:
        if not self.path.exists():
            return Splits(self.path.name, {})
        splits = load(self.path)
        if others := other_arrays(self.path, splits):
            raise DataError(
                f"the file also contains {', '.join(others)}, which would be lost",
                "Keep your digits in another file",
                self.path,
            )
        return splits

    def _write(self, splits: Splits, part: str, dataset: Dataset | None) -> None:
        """Replace one part; a file without any part is removed."""
        parts = {name: other for name, other in splits.items() if name != part}
        if dataset:
            parts[part] = dataset
        if parts:
            write_npz(Splits(splits.name, parts), self.path)
            return
        try:
            self.path.resolve().unlink()  # a link remains a link
        except OSError as error:
            raise output_error(self.path, error) from error

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Exclude other threads and processes."""
        with self._threads, exclusive(self.path, self.timeout):
            self._claim = self._claim or claim(self.path)
            yield


def _growing(splits: Splits) -> str:
    """The part to which pictures are added."""
    return "train" if {"train", "test"} & set(splits.parts) else "all"


def _without_last(one: Dataset, dataset: Dataset | None) -> NDArray[np.intp] | None:
    """The indices of all pictures but the last that equals `one`; None if none does."""
    if dataset is None:
        return None
    same = (dataset.images == one.images).all(axis=(1, 2)) & (dataset.labels == one.labels)
    found = np.flatnonzero(same)
    return np.delete(np.arange(len(dataset)), found[-1]) if len(found) else None
