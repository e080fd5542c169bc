"""The registry of data set formats. A new format is a module in this package and an entry below.

Folders of pictures are read by `ingest.folder`, since that takes recognition, a package above.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..dataset import Splits
from . import csv, idx, npz


class Format(Protocol):
    """What a module that reads one format has."""

    HELP: str
    """The format as a noun, for `--data` and error messages: `an .npz file`."""

    def matches(self, path: Path) -> bool:
        """Whether the existing file or folder `path` has this format, by its name."""

    def read(self, path: Path, name: str) -> Splits:
        """Read the data set at `path`.

        Args:
            path: A file or folder that matches.
            name: What to call the data set.

        Raises:
            DataError: If it is damaged or is no such data set.
            OSError: If it cannot be opened.
        """


FORMATS: tuple[Format, ...] = (npz, csv, idx)
"""Tried in this order."""
