"""Formats that large libraries in C read: in a child process that may die doing so.

The child leaves plain arrays in an .npz, and the caller reads only that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._io import child
from ..._io.temporary import scratch_folder
from ...errors import DataError
from .limits import SizeLimit

Arrays = Mapping[str, Any]

_BASE_SECONDS = 5  # of processor time; an ordinary file takes one
_BYTES_A_SECOND = 5_000_000  # of a large file; what EMNIST's take, twice over
_WALL = 4  # times as long on a busy machine
_BASE_MEMORY = 700 << 20  # address space of Python and the libraries, and their buffers


def read_confined(module: str, path: Path, limit: SizeLimit, failure: DataError) -> Arrays:
    """The arrays that `work_confined` makes of the file at `path`.

    Args:
        module: The module of the format, which calls `work_confined`.
        path: The file.
        limit: How large the arrays may be.
        failure: The error if the child dies: the file is damaged, or made to do harm.

    Raises:
        DataError: `failure`, or what the child reports.
    """
    seconds = _BASE_SECONDS + path.stat().st_size // _BYTES_A_SECOND
    with scratch_folder() as folder:
        target = folder / "arrays.npz"
        child.run(
            module, path, target, seconds, limit.limit,
            timeout=_WALL * seconds, failure=failure,
        )  # fmt: skip
        with np.load(target, allow_pickle=False) as archive:
            return dict(archive)


def work_confined(read: Callable[[Path, SizeLimit], Arrays]) -> int:
    """The child's side: write the arrays of `read(path, limit)`. Returns the exit status."""

    def work(source: Path, target: Path, seconds: str, max_size: str) -> None:
        limit = SizeLimit([source], int(max_size))
        child.limit_process(int(seconds), _BASE_MEMORY + 2 * limit.limit)
        try:
            np.savez(target, **read(source, limit))
        except MemoryError as error:
            raise limit.refusal(source) from error

    return child.main(work)
