"""The data sets that are named on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .progress import download_bar


@dataclass(frozen=True)
class Loader:
    """How data sets are loaded: the options that all commands with data sets have.

    Attributes:
        data_dir, invert, transpose, max_size: See `ingest.sources.load`.
    """

    data_dir: Path | None
    invert: bool
    transpose: bool
    max_size: int | None

    def load(self, names: Sequence[str]) -> list[Any]:
        """Load data sets, with a bar if one is downloaded."""
        from ..ingest.sources import load

        with download_bar() as bar:
            return [
                load(
                    name,
                    self.data_dir,
                    bar,
                    invert=self.invert,
                    transpose=self.transpose,
                    max_size=self.max_size,
                )
                for name in names
            ]
