"""Suppress what C++ libraries write to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

_lock = threading.Lock()
_blocks = 0  # how many are running now, in all threads
_restore: Callable[[], None]


@contextlib.contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Discard what is written to file descriptor 2, while `sys.stderr` keeps working.

    TensorFlow and LiteRT log there before any setting of theirs takes effect, and libtiff always
    does. Affects the whole process while any thread is in such a block.
    """
    global _blocks, _restore  # noqa: PLW0603  # the descriptor belongs to the whole process
    with _lock:
        if not _blocks:
            _restore = _silence()
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                _restore()


def _silence() -> Callable[[], None]:
    """Redirect the descriptor; returns the function that restores it."""
    python_stderr = sys.stderr
    if python_stderr is None:  # closed by the parent process: descriptor 2 may be any file
        return lambda: None
    python_stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    shares_descriptor = _descriptor(python_stderr) == 2
    if shares_descriptor:
        sys.stderr = open(  # noqa: SIM115, PTH123  # closed in `restore`
            os.dup(saved), "w", buffering=1, encoding=python_stderr.encoding, errors="replace"
        )
    os.dup2(null, 2)

    def restore() -> None:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
        if shares_descriptor:
            replacement, sys.stderr = sys.stderr, python_stderr
            replacement.close()

    return restore


def _descriptor(stream: object) -> int | None:
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
