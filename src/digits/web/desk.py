"""What the routes work with."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from ..errors import DataError
from .shelf import Shelf, shown_path

if TYPE_CHECKING:
    from ..data.collection import Collection
    from ..data.dataset import Dataset

_LEAST = 3  # digits to train on, of which a fifth is held out


class Desk:
    """The models, the collection, and test pictures of MNIST."""

    def __init__(self, shelf: Shelf, collection: Collection) -> None:
        self.shelf, self.collection = shelf, collection
        self._loading = threading.Lock()
        self._test_pictures: Dataset | None = None

    def test_pictures(self) -> Dataset:
        """MNIST's, or those of `sample` where MNIST is not on this machine, or damaged."""
        from ..data.sources import find_mnist, load_sample

        with self._loading:
            if self._test_pictures is None:
                try:
                    found = find_mnist()
                except DataError:
                    found = None
                self._test_pictures = (found or load_sample())["test"]
            return self._test_pictures

    def named(self, name: str | None) -> str:
        """`name`, or that of the default model. Raises HTTPException when there is none such."""
        name = name or self.shelf.default
        if name not in self.shelf:
            known = ", ".join(self.shelf.names())
            raise HTTPException(404, f"there is no model '{name}'. Choose one of: {known}.")
        return name

    def kept(self, model: str, label: int | None = None) -> dict[str, Any]:
        """What `Kept` describes."""
        path = shown_path(self.collection.path)
        counts = self.collection.counts()
        line = ["digits", "train", "--from", self.shelf.argument(model), "--data", path]
        return {
            "label": label,
            "file": path,
            "counts": counts.tolist(),
            "total": int(counts.sum()),
            "undoable": self.collection.undoable,
            "train": _for_shell(line) if counts.sum() >= _LEAST else "",
        }


def _for_shell(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
