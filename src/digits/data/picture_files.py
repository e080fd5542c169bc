"""The picture files below folders, in the order a person would put them."""

# Plain text rather than Path: there may be 70,000 files.
# ruff: noqa: PTH100, PTH112, PTH118, PTH119

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..pictures.find import may_be_picture, natural

PART_FOLDERS = {"train": "train", "training": "train", "test": "test", "testing": "test"}


@dataclass(frozen=True)
class PictureFile:
    """A file that may be a picture.

    path: where it is, as the user called its source.
    absolute: the same from the root on, with `/`.
    inside: its path inside the source folder, with `/`; of a file given by itself, its name.
    source: the place of its source folder among the sources, -1 for all files given by themselves.
    """

    path: str
    absolute: str
    inside: str
    source: int

    @property
    def part(self) -> str:
        """`train` or `test` when it lies in such a folder of its source, else `all`."""
        top, _, below = self.inside.partition("/")
        return PART_FOLDERS.get(top.lower(), "all") if below else "all"


def find_pictures(
    sources: Sequence[str | os.PathLike[str]],
) -> tuple[list[PictureFile], list[tuple[Path, str]]]:
    """All files of `sources` (files, or folders with what is below them) that may be pictures.

    In the order of the sources, and within one in natural order (2 before 10). Hidden files, and
    kinds of file that are never pictures, are passed over; each file comes once.
    Returns them, and (folder, reason) for each folder that cannot be opened.
    Raises DataError when a source does not exist.
    """
    found: dict[str, PictureFile] = {}
    closed: list[tuple[Path, str]] = []
    for place, source in enumerate(sources):
        path = os.fspath(source)
        if os.path.isdir(path):
            files = _below(path, place, closed)
        elif os.path.lexists(path):
            files = [PictureFile(path, absolute(path), os.path.basename(path), -1)]
        else:
            raise DataError(f"{path} does not exist", "Give picture files or folders of them")
        for file in files:
            found.setdefault(file.absolute, file)
    return list(found.values()), closed


def absolute(path: str | os.PathLike[str]) -> str:
    """`path` from the root on, with `/`; links are not followed."""
    return os.path.abspath(path).replace(os.sep, "/")


def _below(folder: str, place: int, closed: list[tuple[Path, str]]) -> list[PictureFile]:
    def cannot_open(error: OSError) -> None:
        closed.append((Path(error.filename), (error.strerror or str(error)).lower()))

    files = []
    root = absolute(folder)
    for here, folders, names in os.walk(folder, onerror=cannot_open):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = "" if here == folder else os.path.relpath(here, folder).replace(os.sep, "/") + "/"
        for name in names:
            if may_be_picture(name):
                inside = within + name
                path = os.path.join(here, name)
                files.append(PictureFile(path, f"{root}/{inside}", inside, place))
    return sorted(files, key=lambda file: [natural(part) for part in file.inside.split("/")])
