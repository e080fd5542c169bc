"""How much memory the arrays of a data set may take: a small file must not fill the machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...errors import DataError

MAX_SIZE = 700_000_000
"""Bytes, unless a caller allows more: EMNIST's largest set, 814,255 images, has 640 million."""

_FREE = 32_000_000  # bytes that any file may unpack to
_MAX_RATIO = 100  # unpacked to packed: handwriting shrinks to a quarter, rarely to a twentieth
_REMEDY = "If you trust the file, allow more with --max-size"


class SizeLimit:
    """Counts the bytes that a data set unpacks to, against a limit.

    Args:
        files: The files that it is read from.
        max_size: The limit in bytes; None for `MAX_SIZE`, or for less if the files are so small
            that only a bomb unpacks to that.
        remedy: What to do about a larger one.
    """

    def __init__(self, files: Iterable[Path], max_size: int | None, remedy: str = _REMEDY) -> None:
        packed = sum(file.stat().st_size for file in files)
        self.limit = max_size or min(MAX_SIZE, _FREE + _MAX_RATIO * packed)
        self._counted = 0
        self._remedy = remedy

    def count(self, size: int, file: Path) -> None:
        """Count what is about to be unpacked from one of the files.

        Raises:
            DataError: It is too much.
        """
        self._counted += size
        if self._counted > self.limit:
            raise self.refusal(file)

    def refusal(self, file: Path) -> DataError:
        """The error for one of the files that unpacks to more than is allowed."""
        size, limit = map(_megabytes, (self._counted, self.limit))
        unpacked = f"{size} or more" if self._counted > self.limit else "more"
        problem = f"it unpacks to {unpacked}; the limit is {limit}"
        return DataError(problem, self._remedy, file)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"
