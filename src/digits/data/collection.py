"""A set of one's own digits that grows picture by picture, and can take the last one back."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, OutputError
from ..files import output_error
from .dataset import Dataset, Splits, joined
from .readers import arrays_beside, check_npz_output, read, save_npz

_PATIENCE = 10  # seconds to wait while another process writes


class Collection:
    """The data set in the `.npz` at `path`, which need not exist yet.

    What is added goes to its training part, or to the whole of a set without parts; a new file gets
    none. Several threads and processes may add to one file: each change reads it, and replaces it
    whole or not at all, under a lock (the empty file `.NAME.lock` beside it).
    Raises DataError when there is a file that is no data set, OutputError for another suffix.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._place = self.path.resolve()  # a link stays one
        self._added: list[Dataset] = []
        self._turn = threading.Lock()  # of this object's threads
        if self.path.exists() or self.path.suffix != ".npz":
            check_npz_output(self.path, overwrite=True)
        self._read()

    @property
    def undoable(self) -> int:
        """How many pictures `undo` can take back, those that this object added."""
        return len(self._added)

    def counts(self) -> NDArray[np.int64]:
        """(10,) pictures of each digit that a training on the file would learn from."""
        with self._turn:
            there = self._read()
        grown = there.parts.get(_growing(there))
        return grown.counts if grown else np.zeros(10, np.int64)

    def add(self, image: NDArray[np.uint8], label: int) -> None:
        """Append a (28, 28) picture, white ink on black, of the digit `label`.

        Raises OutputError when it cannot be written; then the file is as it was.
        """
        one = Dataset(image[None], np.array([label], np.uint8), self.path.name)
        with self._changing():
            there = self._read()
            name = _growing(there)
            pictures = [there[name], one] if name in there.parts else [one]
            self._write(there, name, joined(pictures, self.path.name))
            self._added.append(one)

    def undo(self) -> int | None:
        """Take back the picture added last and give its label; None when there is none (left).

        One that is no longer in the file, since somebody else removed it, is passed over.
        """
        with self._changing():
            while self._added:
                one = self._added[-1]
                there = self._read()
                name = _growing(there)
                rest = _without_last(one, there.parts.get(name))
                if rest is not None:
                    self._write(there, name, there[name].take(rest) if len(rest) else None)
                self._added.pop()
                if rest is not None:
                    return int(one.labels[0])
        return None

    def _read(self) -> Splits:
        if not self.path.exists():
            return Splits(self.path.name, {})
        there = read(self.path)
        if more := arrays_beside(there, self.path):
            raise DataError(
                f"{self.path} also holds {', '.join(more)}, which would be lost",
                "Keep your digits in another file",
            )
        return there

    def _write(self, there: Splits, name: str, pictures: Dataset | None) -> None:
        """With `pictures` as the part `name`; a file without any part goes."""
        parts = {part: those for part, those in there.parts.items() if part != name}
        if pictures:
            parts[name] = pictures
        if parts:
            save_npz(Splits(there.name, parts), self._place)
        else:
            self._place.unlink()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone with the file, among threads and processes."""
        from filelock import FileLock, Timeout

        lock = self.path.with_name(f".{self.path.name}.lock")
        with self._turn:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(lock, timeout=_PATIENCE):
                    yield
            except Timeout as error:
                raise OutputError(
                    f"cannot write {self.path}: another process is writing it", "Try again"
                ) from error
            except OSError as error:
                raise output_error(self.path, error) from error


def _growing(splits: Splits) -> str:
    """The name of the part that grows."""
    return "train" if {"train", "test"} & set(splits.parts) else "all"


def _without_last(one: Dataset, pictures: Dataset | None) -> NDArray[np.intp] | None:
    """The places of `pictures` without the last that is like `one`; None when none is."""
    if pictures is None:
        return None
    same = (pictures.images == one.images).all(axis=(1, 2)) & (pictures.labels == one.labels)
    places = np.flatnonzero(same)
    return np.delete(np.arange(len(pictures)), places[-1]) if len(places) else None
