"""State of the server, shared by all requests."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync
from fastapi import HTTPException, Request

from ..errors import DataError
from .model_registry import ModelRegistry, shown_path

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..ingest.collection import Collection

_MIN_TO_TRAIN = 3  # digits, a fifth of which, at least one, is held out for validation


class AppState:
    """The models, the user's own data set, and MNIST test pictures."""

    def __init__(self, registry: ModelRegistry, collection: Collection) -> None:
        self.registry, self.collection = registry, collection
        self._lock = threading.Lock()
        self._test_pictures: Dataset | None = None

    def test_pictures(self) -> Dataset:
        """MNIST's; those of `sample` if MNIST is not on this machine or is damaged."""
        from ..data.mnist import find_mnist, load_sample

        with self._lock:
            if self._test_pictures is None:
                try:
                    found = find_mnist()
                except DataError:
                    found = None
                self._test_pictures = (found or load_sample())["test"]
            return self._test_pictures

    def model_name(self, name: str | None) -> str:
        """`name`, or that of the default model. Raises HTTPException if there is no such model."""
        name = name or self.registry.default
        if name not in self.registry:
            known = ", ".join(self.registry.names())
            raise HTTPException(404, f"there is no model '{name}'. Choose one of: {known}.")
        return name

    def collection_info(self, model: str, label: int | None = None) -> dict[str, Any]:
        """The values of `CollectionInfo` (see `schema`).

        Args:
            model: Name of the model that the training command starts from.
            label: Of the digit that was just saved or removed, if any.
        """
        path = shown_path(self.collection.path)
        counts = self.collection.counts()
        command = ["digits", "train", "--from", self.registry.argument(model), "--data", path]
        return {
            "label": label,
            "file": path,
            "counts": counts.tolist(),
            "total": int(counts.sum()),
            "undoable": self.collection.undoable,
            "train": _shell_command(command) if counts.sum() >= _MIN_TO_TRAIN else "",
        }


def _shell_command(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


async def in_thread(
    request: Request, function: Callable[..., Any], *args: Any, queue: str = "threads"
) -> Any:
    """Await `function(*args)` in a thread, after earlier calls in the same queue."""
    return await run_sync(function, *args, limiter=getattr(request.app.state, queue))
