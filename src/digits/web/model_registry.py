"""The models that the page offers: chosen when the server starts, each loaded on first use."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DigitsError, ModelError

if TYPE_CHECKING:
    from ..recognition.reader import Reader


@dataclass
class _Entry:
    name: str
    path: Path
    shipped: bool
    argument: str  # for --model and --from on the command line
    reader: Reader | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ModelRegistry:
    """Models by name.

    Names mean what they mean on the command line: with a model of your own in models/cnn.h5, that
    is `cnn`, and the shipped one is `cnn (shipped)`.

    Args:
        models: Files or families, as for `digits predict --model`; if there are none, your own
            models in ./models and the shipped ones.

    Raises:
        ModelError: One of `models` cannot be used.
    """

    def __init__(self, models: Sequence[str] = ()) -> None:
        from ..models.find import find_model, own_models, shipped_models

        shipped = shipped_models()
        chosen = {find_model(model): model for model in models}
        self._entries: dict[str, _Entry] = {}
        for path in chosen or [*own_models(), *shipped]:
            name = next(n for n in _names(path, path in shipped) if n not in self._entries)
            argument = path.stem if find_model(path.stem) == path else str(path)
            self._entries[name] = _Entry(name, path, path in shipped, chosen.get(path, argument))
        self.default = "cnn" if "cnn" in self._entries and not models else next(iter(self._entries))
        for name in self._entries if models else ():
            self.reader(name)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """All names, the default first."""
        return sorted(self._entries, key=lambda name: name != self.default)

    def reader(self, name: str) -> Reader:
        """The reader that uses the model `name`. Raises ModelError if it cannot be loaded."""
        from ..recognition.reader import Reader

        entry = self._entries[name]
        with entry.lock:
            if entry.reader is None:
                entry.reader = Reader(entry.path)
            return entry.reader

    def argument(self, name: str) -> str:
        """The argument for the model `name` on the command line (see `shown_path`)."""
        return shown_path(self._entries[name].argument)

    def load_all(self, stop: threading.Event) -> None:
        """Load all models and run each once, until `stop` is set.

        Errors are reported when a model is asked for.
        """
        import numpy as np

        image = np.eye(28, dtype=np.uint8) * np.uint8(255)  # blank ones are not given to models
        for name in self.names():
            if stop.is_set():
                return
            with contextlib.suppress(DigitsError):
                self.reader(name).recognizer.predict_images(image)

    def to_json(self) -> list[dict[str, Any]]:
        """Each model's summary, as `digits models --format json` has it, or its `error`."""
        return [self._record(self._entries[name]) for name in self.names()]

    def _record(self, entry: _Entry) -> dict[str, Any]:
        record: dict[str, Any] = {"name": entry.name, "shipped": entry.shipped}
        try:
            file = self.reader(entry.name).recognizer.file
        except ModelError as error:
            return record | {"error": error.message}
        summary = file.summary().to_json() if file else {}
        summary.pop("path", None)
        return record | summary


def _names(path: Path, shipped: bool) -> Iterator[str]:
    """Names for the model at `path`, the best one first."""
    yield path.stem
    yield f"{path.stem} (shipped)" if shipped else path.name
    yield from (f"{path.stem} ({number})" for number in itertools.count(2))


def shown_path(path: str | os.PathLike[str]) -> str:
    """`path` as clients may see it: relative if it is below the current folder, else its name."""
    full = Path(os.path.abspath(path))  # noqa: PTH100  # links are not followed
    here = Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else full.name
