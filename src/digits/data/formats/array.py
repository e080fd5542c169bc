"""Arrays as NumPy writes them, each a file or a part of an archive.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ...errors import DataError
from .limits import SizeLimit

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_KINDS = "biufSU"  # numbers and texts
_PIECE = 1 << 20  # bytes
_REMEDY = "Write it again with np.save or np.savez_compressed, as plain numbers"


def read_array(file: IO[bytes], path: Path, limit: SizeLimit) -> NDArray[Any]:
    """Read an array, whose header is checked first. Nothing is unpickled.

    Args:
        file: At the start of the array.
        path: Of the file or archive, for errors and `limit`.
        limit: Counts the array.

    Raises:
        DataError: It is damaged, too large, or holds no numbers or texts.
    """
    try:
        header = _HEADERS[npy.read_magic(file)]
        shape, by_columns, dtype = header(file)
    except Exception as error:  # the header is Python source: broken, it fails in many ways
        raise _damaged(path) from error
    if dtype.hasobject:
        raise DataError("it contains pickled objects, which can run code", _REMEDY, path)
    if min(shape, default=0) < 0 or dtype.kind not in _KINDS or not dtype.itemsize:
        raise _damaged(path)
    if 0 in shape:  # however large its other sides are
        return np.empty(0, dtype)
    size = math.prod(shape) * dtype.itemsize
    limit.count(size, path)
    values = np.empty(math.prod(shape), dtype)
    if _read_into(file, values.view(np.uint8)) < size:
        raise _damaged(path)
    return values.reshape(shape, order="F" if by_columns else "C")


def _read_into(file: IO[bytes], values: NDArray[np.uint8]) -> int:
    """Fill `values`, piece by piece: a part of a zip file is unpacked to bytes first."""
    filled = 0
    while filled < len(values) and (piece := file.read(min(_PIECE, len(values) - filled))):
        values[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    return filled


def _damaged(path: Path) -> DataError:
    return DataError("the file is damaged", _REMEDY, path)
