"""The picture files that `ingest` takes in."""

# Plain text rather than Path: there may be 70,000 files.
# ruff: noqa: PTH100

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .._io.files import read_error
from ..errors import DataError, DigitsError
from ..imaging.find import walk_pictures
from ..imaging.pages import Page, pages_of

_PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
_PART_OF_FOLDER = {folder: part for part, folders in _PARTS.items() for folder in folders}


class PictureFile(NamedTuple):
    """A file that may be a picture, or a page of one.

    Attributes:
        path, inside, source: As of `FoundFile`.
        absolute: Its absolute path, with `/`.
        part: `train`, `validation` or `test` if it is below such a folder of its source, else
            `all`.
        page: Which page of the file; None for all of it.
    """

    path: str
    inside: str
    source: int
    absolute: str
    part: str
    page: Page | None = None

    @property
    def picture(self) -> str | Page:
        """What to decode."""
        return self.page or self.path

    @property
    def name(self) -> str:
        """What to call it in results and errors."""
        return self.page.name if self.page else self.path

    def pages(self) -> Iterator[PictureFile]:
        """Each page of a PDF or TIFF file, or the file as it is."""
        for page in pages_of(self.path):
            yield self if isinstance(page, str) else self._replace(page=page)


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
        files.setdefault(path, PictureFile(*found, path, _part(found.inside)))
    return list(files.values()), [read_error(DataError, e.filename, e) for e in unreadable]


def _part(inside: str) -> str:
    top, _, below = inside.partition("/")
    return _PART_OF_FOLDER.get(top.lower(), "all") if below else "all"


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path, with `/`; links are not followed."""
    return os.path.abspath(path).replace(os.sep, "/")
