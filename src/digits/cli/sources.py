"""The pictures that are named on a command line, and what becomes of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .messages import fail

if TYPE_CHECKING:
    from ..imaging.decode import Named
    from ..recognition.results import Outcome

T = TypeVar("T", bound="Outcome[Any, Any]")


def sources_named(paths: Iterable[str]) -> Iterator[str | Named]:
    """The sources to decode; `-` is the content of stdin, read when its turn comes."""
    from ..imaging.decode import Named

    for path in paths:
        yield Named(path, sys.stdin.buffer.read()) if path == "-" else path


def count_pictures(paths: Iterable[str], limit: int | None = None) -> int:
    """The number of pictures that paths stand for, pages of files and rows of tables among them.

    They are found again when their turn comes: a list of millions is never in memory.

    Args:
        paths: Files, folders and globs.
        limit: Where to stop counting.
    """
    from ..imaging.find import find_pictures
    from ..recognition.bulk import pictures_in

    found = (one for path in find_pictures(paths) for one in pictures_in(path))
    return sum(1 for _ in islice(found, limit))


class Tally(Generic[T]):
    """Passes outcomes on, prints the errors among them, and keeps the exit status."""

    def __init__(self, outcomes: Iterable[T], advance: Callable[[int], None]) -> None:
        self.status = 0
        self._outcomes, self._advance = outcomes, advance

    def __iter__(self) -> Iterator[T]:
        for outcome in self._outcomes:
            if outcome.error is not None:
                fail(f"{outcome.name}: {outcome.error.message}")
                self.status = 1
            yield outcome
            self._advance(1)
