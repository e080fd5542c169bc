"""Keep C++ libraries from writing over a user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send what is written to file descriptor 2 to nowhere; `sys.stderr` still reaches its place.

    TensorFlow and LiteRT greet there, at times and with levels that no setting stops. The whole
    process is affected while the block runs.
    """
    python_stderr = sys.stderr
    python_stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    on_two = _descriptor(python_stderr) == 2
    if on_two:
        sys.stderr = open(  # noqa: SIM115, PTH123  # closed below
            os.dup(saved), "w", buffering=1, encoding=python_stderr.encoding, errors="replace"
        )
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
        if on_two:
            sys.stderr.close()
            sys.stderr = python_stderr


def _descriptor(stream: object) -> int | None:
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
