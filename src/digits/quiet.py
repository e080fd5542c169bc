"""Keep C++ libraries from writing over a user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

_lock = threading.Lock()
_blocks = 0  # now running, in any thread
_undo: Callable[[], None]


@contextlib.contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send what is written to file descriptor 2 to nowhere; `sys.stderr` still reaches its place.

    TensorFlow and LiteRT greet there, at times and with levels that no setting stops; libtiff
    reports. The whole process is affected while the block runs, or several in several threads.
    """
    global _blocks, _undo  # noqa: PLW0603  # descriptor 2 is as global as can be
    with _lock:
        if not _blocks:
            _undo = _silence()
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                _undo()


def _silence() -> Callable[[], None]:
    """Redirect, and return what ends it."""
    python_stderr = sys.stderr
    if python_stderr is None:  # closed by whoever started us: 2 may be any file by now
        return lambda: None
    python_stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    on_two = _descriptor(python_stderr) == 2
    if on_two:
        sys.stderr = open(  # noqa: SIM115, PTH123  # closed below
            os.dup(saved), "w", buffering=1, encoding=python_stderr.encoding, errors="replace"
        )
    os.dup2(null, 2)

    def undo() -> None:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
        if on_two:
            sys.stderr.close()
            sys.stderr = python_stderr

    return undo


def _descriptor(stream: object) -> int | None:
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
