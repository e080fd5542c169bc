"""The picture files that `ingest` takes in."""

# Plain text rather than Path: there may be 70,000 files.
# ruff: noqa: PTH100

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from .._io.files import read_error
from ..errors import DataError, DigitsError
from ..imaging.find import walk_pictures

PART_FOLDERS = {"train": "train", "training": "train", "test": "test", "testing": "test"}


class PictureFile(NamedTuple):
    """A file that may be a picture: a `FoundFile` and its absolute path, with `/`."""

    path: str
    inside: str
    source: int
    absolute: str

    @property
    def part(self) -> str:
        """`train` or `test` if it is below such a folder of its source, else `all`."""
        top, _, below = self.inside.partition("/")
        return PART_FOLDERS.get(top.lower(), "all") if below else "all"


def find_files(
    sources: Sequence[str | os.PathLike[str]],
) -> tuple[list[PictureFile], list[DigitsError]]:
    """Find the files of all sources, each once, as `walk_pictures` does.

    Returns:
        The files, and an error for each folder that cannot be opened.

    Raises:
        DataError: If a source does not exist.
    """
    files: dict[str, PictureFile] = {}
    unreadable: list[OSError] = []
    for found in walk_pictures(sources, unreadable):
        if found.source == -1 and not os.path.lexists(found.path):
            remedy = "Give picture files or folders of them"
            raise DataError("it does not exist", remedy, found.path)
        path = absolute(found.path)
        files.setdefault(path, PictureFile(*found, path))
    return list(files.values()), [read_error(DataError, e.filename, e) for e in unreadable]


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path, with `/`; links are not followed."""
    return os.path.abspath(path).replace(os.sep, "/")
