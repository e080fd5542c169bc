"""The models that the page offers: chosen when the server starts, each loaded when first used."""

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
    from ..reader import Reader


@dataclass
class _Entry:
    name: str
    path: Path
    shipped: bool
    argument: str  # what means it on the command line
    reader: Reader | None = None
    record: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Shelf:
    """Models by name.

    models: files or families, as `digits predict --model` takes them; your own in ./models and the
    shipped ones when there are none. A name means what it means on the command line: `cnn` is your
    own models/cnn.h5 where there is one, and the shipped one is then `cnn (shipped)`.
    Raises ModelError when one of `models` cannot be used.
    """

    def __init__(self, models: Sequence[str] = ()) -> None:
        from ..models.find import find_model, own_models, shipped_models

        shipped = shipped_models()
        wanted = {find_model(model): model for model in models}
        self._entries: dict[str, _Entry] = {}
        for path in wanted or [*own_models(), *shipped]:
            name = next(n for n in _names(path, path in shipped) if n not in self._entries)
            argument = path.stem if find_model(path.stem) == path else str(path)
            self._entries[name] = _Entry(name, path, path in shipped, wanted.get(path, argument))
        self.default = "cnn" if "cnn" in self._entries and not models else next(iter(self._entries))
        for name in self._entries if models else ():
            self.reader(name)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """All names, the default first."""
        return sorted(self._entries, key=lambda name: name != self.default)

    def reader(self, name: str) -> Reader:
        """The reader with the model `name`. Raises ModelError, which names no place."""
        from ..reader import Reader
        from ..records import model_record

        entry = self._entries[name]
        with entry.lock:
            if entry.reader is None:
                try:
                    entry.reader = Reader(entry.path)
                    file = entry.reader.recognizer.file
                    entry.record = model_record(file) if file else {}
                except (ModelError, OSError) as error:
                    raise ModelError(*_nameless(entry.path, error)) from error
            return entry.reader

    def argument(self, name: str) -> str:
        """What means the model `name` on the command line; of a path elsewhere, only the name."""
        return shown_path(self._entries[name].argument)

    def warm(self) -> None:
        """Load all of them; what cannot be loaded is told when it is asked for."""
        import numpy as np

        for name in self.names():
            with contextlib.suppress(DigitsError):
                self.reader(name).recognizer.predict_images(np.zeros((1, 28, 28), np.uint8))

    def records(self) -> list[dict[str, Any]]:
        """What is known of each: as `digits models --format json` has it, a name for the path."""
        return [self._record(self._entries[name]) for name in self.names()]

    def _record(self, entry: _Entry) -> dict[str, Any]:
        record: dict[str, Any] = {"name": entry.name, "shipped": entry.shipped}
        try:
            self.reader(entry.name)
        except ModelError as error:
            return record | {"error": str(error)}
        return record | {name: value for name, value in entry.record.items() if name != "path"}


def _names(path: Path, shipped: bool) -> Iterator[str]:
    """What to call the model at `path`, the best name first."""
    yield path.stem
    yield f"{path.stem} (shipped)" if shipped else path.name
    yield from (f"{path.stem} ({number})" for number in itertools.count(2))


def shown_path(path: str | os.PathLike[str]) -> str:
    """`path` as others may see it: below the current folder as it is there, else only its name."""
    full = Path(os.path.abspath(path))  # noqa: PTH100  # links are not followed
    here = Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else full.name


def _nameless(path: Path, error: Exception) -> tuple[str, str]:
    """What is wrong and what to do, without the place of `path`."""
    if not isinstance(error, ModelError):
        return f"cannot read {path.name}", "Look whether it is still there"
    what, todo = (text.replace(str(path), path.name) for text in (error.what, error.todo))
    return what, todo
