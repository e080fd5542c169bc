"""The picture files that paths, folders and globs stand for."""

# Plain text rather than Path: there may be millions of files.
# ruff: noqa: PTH112, PTH118, PTH119, PTH122, PTH207

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


_NUMBER = re.compile(r"0*(\d+)")


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


def find_pictures(sources: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """The paths that `sources` stand for, as `walk_pictures` finds them, one by one.

    A folder without pictures stands for itself: decoding it reports it.
    """
    for source in sources:
        found = walk_pictures([source])
        first = next(found, None)
        yield os.fspath(source) if first is None else first.path
        yield from (file.path for file in found)


def walk_pictures(
    sources: Iterable[str | os.PathLike[str]], unreadable: list[OSError] | None = None
) -> Iterator[FoundFile]:
    """Walk files, folders and globs for files that may be pictures.

    Folders are walked to the bottom in natural order (2 before 10). In them, hidden files and
    folders, links to folders, and kinds of file that never are pictures are skipped. A file named
    by several sources comes several times.

    Only the names in one folder at a time are in memory, about 200 bytes each while they are
    sorted, however many pictures there are.

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


def natural(name: str) -> str:
    """A key to sort by that puts 2 before 10: each number has its length in front."""
    return _NUMBER.sub(lambda match: f"\0{len(match[1]):05}{match[1]}", name)


def _below(folder: str, index: int, unreadable: list[OSError] | None) -> Iterator[FoundFile]:
    """The files in `folder` and below; on a stack of its own, however deep that is."""
    levels = [(folder, "", _names(folder, unreadable))]
    while levels:
        path, inside, names = levels[-1]
        name = next(names, None)
        if name is None:
            levels.pop()
        elif not name:
            yield FoundFile(path, inside.rstrip("/"), index)
        elif name.endswith("/"):
            below = os.path.join(path, name[:-1])
            levels.append((below, inside + name, _names(below, unreadable)))
        else:
            yield FoundFile(os.path.join(path, name), inside + name, index)


def _names(folder: str, unreadable: list[OSError] | None) -> Iterator[str]:
    """The names in `folder` worth a try, in natural order; those of folders end in `/`.

    One empty name stands for a folder that cannot be opened.
    """
    try:
        with os.scandir(folder) as scanned:
            names = [name for entry in scanned if (name := _worth_a_try(entry))]
    except OSError as error:
        if unreadable is None:
            yield ""
        else:
            unreadable.append(error)
        return
    names.sort()
    names.sort(key=lambda name: natural(name.rstrip("/")))
    yield from names


def _worth_a_try(entry: os.DirEntry[str]) -> str:
    """The name of a file that may be a picture, or of a folder with `/`; else nothing."""
    if entry.name.startswith("."):
        return ""
    if entry.is_dir():
        return "" if entry.is_symlink() else f"{entry.name}/"
    return "" if os.path.splitext(entry.name)[1].lower() in _OTHER_SUFFIXES else entry.name
