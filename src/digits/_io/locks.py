"""One writer at a time for a file. The system releases locks when a process ends, however it ends.

By the package `filelock`, which knows the locks of Windows, and file systems that have none.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError
from .files import AnyPath, output_error

if TYPE_CHECKING:
    from filelock import BaseFileLock

TIMEOUT = 10.0
"""Seconds to wait for another writer, who usually needs less than one."""

log = logging.getLogger(__name__)


@contextlib.contextmanager
def exclusive(path: AnyPath, timeout: float = TIMEOUT) -> Iterator[None]:
    """Exclude all others who write the file at `path` and do the same.

    The lock is on the empty file `.NAME.lock` beside the file, or beside the one that a link leads
    to. Missing folders are made.

    Args:
        path: The file.
        timeout: Seconds to wait for another thread or process.

    Raises:
        OutputError: The other one has not finished, or there cannot be a lock.
    """
    from filelock import FileLock, Timeout

    file = _resolved(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_name(f".{file.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting for another process that is writing to %s", path)
            lock.acquire(timeout=timeout)
    except Timeout as error:
        remedy = "Wait until it has finished, or choose another name"
        raise OutputError("another process is writing to it", remedy, path) from error
    except OSError as error:
        raise output_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def claim(path: AnyPath) -> BaseFileLock:
    """Announce, within `exclusive`, that this process keeps adding to the file at `path`.

    Returns:
        The claim, which ends when it is released or collected, or with the process.
    """
    from filelock import FileLock

    file = _resolved(path)
    lock = FileLock(file.with_name(f".{file.name}.{secrets.token_hex(4)}.lock"))
    lock.acquire(timeout=0)
    return lock


def is_claimed(path: AnyPath) -> bool:
    """Whether a process keeps adding to the file at `path`; to be called within `exclusive`."""
    from filelock import FileLock, Timeout

    file = _resolved(path)
    pattern = re.compile(rf"\.{re.escape(file.name)}\.[0-9a-f]{{8}}\.lock")
    for other in file.parent.iterdir():
        if pattern.fullmatch(other.name):
            try:
                with FileLock(other, timeout=0):
                    pass
            except Timeout:
                return True
            other.unlink(missing_ok=True)
    return False


def _resolved(path: AnyPath) -> Path:
    return Path(os.path.realpath(path))
