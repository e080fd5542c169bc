"""The registry of data set formats. A new one is a module in this package and a line in `FORMATS`.

Folders of pictures are read by `ingest.folder`, since that takes recognition, a package above.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from ..dataset import Splits


class Reader(Protocol):
    """What a module that reads a format contains."""

    def matches(self, path: Path) -> bool:
        """Whether the existing file or folder `path` has this format, by its name."""

    def read(self, path: Path, name: str, max_size: int | None = None) -> Splits:
        """Read the data set at `path`.

        Args:
            path: A file or folder that matches.
            name: What to call the data set.
            max_size: See `limits.SizeLimit`.

        Raises:
            DataError: If it is damaged or is not such a data set.
            OSError: If it cannot be opened.
        """


@dataclass(frozen=True)
class Format:
    """A format of data sets.

    Attributes:
        help: The format as a noun, for `--data` and error messages.
        module: Full name of the module that reads it. It is imported only to read a data set:
            NumPy and more, which `--help` does not need.
    """

    help: str
    module: str

    @property
    def reader(self) -> Reader:
        """The module."""
        return cast(Reader, importlib.import_module(self.module))


FORMATS = (
    Format("an .npz file", f"{__name__}.npz"),
    Format("a .csv file", f"{__name__}.csv"),
    Format("a folder of .csv files", f"{__name__}.csv_folder"),
    Format("a folder of idx files", f"{__name__}.idx"),
    Format("a folder of .npy files", f"{__name__}.npy"),
    Format("Parquet files", f"{__name__}.parquet"),
    Format("a .mat file", f"{__name__}.mat"),
)
"""Tried in this order."""
