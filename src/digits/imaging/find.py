"""The picture files that paths, folders and globs stand for."""

# Plain text rather than Path: there may be millions of files.
# ruff: noqa: PTH112, PTH119, PTH122, PTH207

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Files that lie beside pictures and never are any. Every other file is tried.
_OTHER_KINDS = """
    txt md rst csv tsv json jsonl yaml yml toml xml html log ini cfg db py ipynb
    npz npy mat h5 hdf5 keras tflite onnx pkl zip gz tar 7z
"""
_OTHER_SUFFIXES = {f".{kind}" for kind in _OTHER_KINDS.split()}


class FoundFile(NamedTuple):
    """A file that may be a picture.

    Attributes:
        path: Where it is, below its source as the user named that.
        inside: Its path inside its source folder, with `/`; of a file given by itself, its name.
        source: Index of its source folder among the sources; -1 for a file given by itself.
    """

    path: str
    inside: str
    source: int


def find_pictures(sources: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The paths that `sources` stand for, as `walk_pictures` finds them.

    A folder without pictures stands for itself: decoding it reports it.
    """
    return [
        path
        for source in sources
        for path in [file.path for file in walk_pictures([source])] or [os.fspath(source)]
    ]


def walk_pictures(
    sources: Iterable[str | os.PathLike[str]], unreadable: list[OSError] | None = None
) -> Iterator[FoundFile]:
    """Walk files, folders and globs for files that may be pictures.

    Folders are walked to the bottom in natural order (2 before 10). In them, hidden files and
    folders, links to folders, and kinds of file that never are pictures are skipped. A file named
    by several sources comes several times.

    Args:
        sources: Paths of files or folders, or globs. What is neither a folder nor matches anything
            (`-`, a file that is missing) comes as a file: decoding it reports it.
        unreadable: Takes the OSError of each folder that cannot be opened. Without it, such a
            folder comes as a file.
    """
    for index, source in enumerate(sources):
        path = os.fspath(source)
        matches = [path]
        if glob.has_magic(path) and not os.path.lexists(path):
            matches = sorted(glob.glob(path, recursive=True), key=natural) or matches
        for match in matches:
            if os.path.isdir(match):
                yield from _below(match, index, unreadable)
            else:
                yield FoundFile(match, os.path.basename(match), -1)


def natural(name: str) -> list[str | int]:
    """A key to sort by that puts 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def _below(folder: str, index: int, unreadable: list[OSError] | None) -> Iterator[FoundFile]:
    """The files in `folder` and below; on a stack of its own, however deep that is."""
    levels = [("", _entries(folder, unreadable))]
    while levels:
        inside, entries = levels[-1]
        entry = next(entries, None)
        if entry is None:
            levels.pop()
        elif isinstance(entry, str):
            yield FoundFile(entry, inside.rstrip("/"), index)
        elif entry.is_dir(follow_symlinks=False):
            levels.append((f"{inside}{entry.name}/", _entries(entry.path, unreadable)))
        elif not entry.is_symlink() or not entry.is_dir():
            yield FoundFile(entry.path, inside + entry.name, index)


def _entries(folder: str, unreadable: list[OSError] | None) -> Iterator[os.DirEntry[str] | str]:
    """The entries of `folder` worth a try, in natural order; itself where it cannot be opened."""
    try:
        with os.scandir(folder) as scanned:
            entries = [entry for entry in scanned if _may_be_picture(entry)]
    except OSError as error:
        if unreadable is None:
            yield folder
        else:
            unreadable.append(error)
        return
    yield from sorted(entries, key=lambda entry: (natural(entry.name), entry.name))


def _may_be_picture(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or may be a picture, and is not hidden."""
    if entry.name.startswith("."):
        return False
    return os.path.splitext(entry.name)[1].lower() not in _OTHER_SUFFIXES or entry.is_dir()
