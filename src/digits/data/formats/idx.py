"""Folders of idx files, the original distribution of MNIST, and of EMNIST and QMNIST.

Format: http://yann.lecun.com/exdb/mnist/ (big-endian header, then the values). A file is known by
its content: whether it is packed, and what it contains, is not taken from its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..dataset import Dataset, Splits
from .limits import SizeLimit
from .packed import DAMAGE, open_unpacked

_NAME = re.compile(
    r"(?:(?P<set>.+)-)?(?P<part>train|t10k|test|test10k)-(?P<kind>images|labels)"
    r"[-.]idx[1-3]-(?:ubyte|int)(?:\.gz)?"
)
_DTYPES: dict[int, np.dtype[Any]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
_DEPTH = 2  # folders below the given one: torchvision has MNIST/raw below its root
_MAX_ENTRIES = 200  # of a folder: one with more is no folder of idx files


class _Name(NamedTuple):
    """What the name of an idx file says."""

    path: Path
    set: str
    part: str
    kind: str


def matches(path: Path) -> bool:
    """See `Reader`. Also true of a single idx file, so that `read` explains what is missing."""
    if path.is_dir():
        return next(_files(path), None) is not None
    return bool(_NAME.fullmatch(path.name))


def holds_mnist(folder: Path) -> bool:
    """Whether files of MNIST itself are in a folder, not in one below it."""
    return any(not file.set for file in _files(folder, depth=0))


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
    """Read `train-images-idx3-ubyte` and its three companions; one pair will do.

    Each may be packed with gzip, be in a folder of its own, and be there twice. EMNIST's files have
    the name of the set in front, and QMNIST's labels seven more columns. See `Reader`.
    """
    if not path.is_dir():
        remedy = "Give the folder that contains both"
        raise DataError("this is one of a pair of idx files", remedy, path)
    files = list(_files(path))
    sets = sorted({file.set for file in files})
    if len(sets) > 1:
        problem = (
            f"it contains {len(sets)} data sets: {', '.join(each or 'MNIST' for each in sets)}"
        )
        raise DataError(problem, "Move the files of one into a folder of its own", path)
    arrays: dict[tuple[str, str], NDArray[Any]] = {}
    limit = SizeLimit([file.path for file in files], max_size)
    for file in files:
        array = _read_array(file, limit)
        known = arrays.setdefault((file.part, file.kind), array)
        if not np.array_equal(known, array):
            problem = f"another file has other {file.kind} of {file.part}"
            raise DataError(problem, "Remove one of them", file.path)
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


def _files(folder: Path, depth: int = _DEPTH) -> Iterator[_Name]:
    """The idx files in a folder and in those below it, by their names."""
    entries = list(islice(folder.iterdir(), _MAX_ENTRIES + 1))
    if len(entries) > _MAX_ENTRIES:
        return
    for entry in sorted(entries):
        match = _NAME.fullmatch(entry.name)
        if match and entry.is_file():
            part = "train" if match["part"] == "train" else "test"
            yield _Name(entry, match["set"] or "", part, match["kind"])
        elif depth and entry.is_dir():
            yield from _files(entry, depth - 1)


def _read_array(file: _Name, limit: SizeLimit) -> NDArray[Any]:
    """(n, rows, columns) images, or (n,) labels."""
    try:
        with open_unpacked(file.path) as content:
            dtype, shape = _read_header(content, file)
            limit.count(math.prod(shape) * dtype.itemsize, file.path)
            array = np.empty(shape, dtype)
            values = array.reshape(-1).view(np.uint8)
            if content.readinto(values) < values.nbytes or content.read(1):  # type: ignore[attr-defined]
                raise _damaged(file)
    except DAMAGE as error:
        raise _damaged(file) from error
    return array if array.ndim != 2 else array[:, 0]


def _read_header(content: IO[bytes], file: _Name) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype and the shape of what follows."""
    start = content.read(4)
    dtype = _DTYPES.get(start[2]) if len(start) == 4 and start[:2] == b"\0\0" else None
    if dtype is None or start[3] not in ((3,) if file.kind == "images" else (1, 2)):
        raise _damaged(file)
    sizes = content.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise _damaged(file)
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    if 0 in shape:  # however large its other sides are
        raise _damaged(file)
    return dtype, shape


def _damaged(file: _Name) -> DataError:
    return DataError("the file is damaged or not an idx file", "Download it again", file.path)
