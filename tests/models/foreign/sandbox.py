"""Read many untrusted files as the program does, in forks of one process that has loaded HDF5.

    python sandbox.py < PATHS > OUTCOMES

Paths and outcomes are JSON lists. An outcome is the error as a string, or null when the file was
read and all its weights are finite.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import h5py  # noqa: F401  # here once, not in each fork
import numpy as np

from digits.errors import ModelError
from digits.models.file import read_bytes
from digits.models.foreign.hdf5 import extract_to, read_extracted

CPU_SECONDS = 2  # a valid file takes 0.02


def outcome(path: Path, folder: Path) -> str | None:
    """The error of loading a foreign file, up to building its network."""
    target, message = folder / "weights.npz", folder / "message"
    message.write_text("")
    try:
        read_bytes(path)
        child = os.fork()
        if not child:
            _extract(path, target, message)
        _, status = os.waitpid(child, 0)
        if status:
            return message.read_text() or f"{path}: the file is damaged (status {status})"
        _, weights = read_extracted(target)
    except ModelError as error:
        return str(error)
    finite = all(np.isfinite(array).all() for layer in weights for array in layer)
    return None if finite else "NaN got through"


def _extract(path: Path, target: Path, message: Path) -> None:
    """The life of a fork."""
    status = 1
    try:
        signal.setitimer(
            signal.ITIMER_PROF, CPU_SECONDS
        )  # its signal kills, wherever libhdf5 hangs
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a crash would leave a trace there
        extract_to(path, target)
        status = 0
    except ModelError as error:
        message.write_text(str(error))
    except BaseException as error:
        message.write_text(f"not a ModelError: {error!r}")
    finally:
        os._exit(status)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        outcomes = [outcome(Path(path), Path(work)) for path in json.load(sys.stdin)]
    json.dump(outcomes, sys.stdout)
