"""Folders of idx files, MNIST's original distribution.

Format: http://yann.lecun.com/exdb/mnist/ (big-endian header, then the bytes).
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..dataset import Dataset, Splits

_NAME = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")


def matches(path: Path) -> bool:
    """See `Reader`. Also true of a single idx file, so that `read` explains what is missing."""
    if path.is_dir():
        return any(_NAME.fullmatch(entry.name) for entry in path.iterdir())
    return bool(_NAME.fullmatch(path.name))


def read(path: Path, name: str) -> Splits:
    """Read `train-images-idx3-ubyte(.gz)` and its three companions; one pair will do.

    See `Reader`.
    """
    if not path.is_dir():
        remedy = "Give the folder that contains both"
        raise DataError("this is one of a pair of idx files", remedy, path)
    arrays: dict[tuple[str, str], NDArray[np.uint8]] = {}
    for file in sorted(path.iterdir()):
        if match := _NAME.fullmatch(file.name):
            part = "train" if match[1] == "train" else "test"
            arrays[part, match[2]] = _read_array(file, 3 if match[2] == "images" else 1)
    parts = {}
    for part in ("train", "test"):
        kinds = [kind for kind in ("images", "labels") if (part, kind) in arrays]
        if len(kinds) == 1:
            problem = f"there are only the {kinds[0]} of {part}"
            raise DataError(problem, "Add the other file of the pair", path)
        if kinds:
            images, labels = (arrays[part, kind] for kind in kinds)
            parts[part] = Dataset(images, labels, f"{name} {part}")
    return Splits(name, parts)


def _read_array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    damaged = DataError("the file is damaged or not an idx file", "Download it again", path)
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damaged from error
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise damaged
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) != header + int(np.prod(shape, dtype=object)):
        raise damaged
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
