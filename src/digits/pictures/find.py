"""The picture files that paths, folders and globs stand for."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

# What lies beside pictures and is never meant to be one. Everything else is tried.
_OTHER_KINDS = """
    txt md rst csv tsv json jsonl yaml yml toml xml html log ini cfg db py ipynb
    npz npy mat h5 hdf5 keras tflite onnx pkl zip gz tar 7z
"""
_OTHER_SUFFIXES = {f".{kind}" for kind in _OTHER_KINDS.split()}


def find_pictures(sources: Iterable[str]) -> list[str]:
    """The paths meant by `sources`: files as they are, the pictures in folders, matches of globs.

    `-` stays as it is, and so does what cannot be read: a file that is not there, a folder without
    pictures. Reading it will tell.
    """
    found: list[str] = []
    for source in sources:
        if os.path.isdir(source):
            found += list(pictures_in(source)) or [source]
        elif glob.has_magic(source) and not os.path.exists(source):
            found += sorted(glob.glob(source, recursive=True), key=natural) or [source]
        else:
            found.append(source)
    return found


def pictures_in(folder: str) -> Iterator[str]:
    """The picture files in `folder` and below, in natural order; hidden ones are passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: natural(entry.name))
    except OSError:
        yield folder  # reading it will tell
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):  # a link may lead round in a circle
            if not entry.name.startswith("."):
                yield from pictures_in(entry.path)
        elif may_be_picture(entry.name):
            yield entry.path


def may_be_picture(name: str) -> bool:
    """Whether a file in a folder is worth a try: neither hidden nor of another kind by its name."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() not in _OTHER_SUFFIXES


def natural(name: str) -> list[str | int]:
    """A key to sort by that puts 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]
