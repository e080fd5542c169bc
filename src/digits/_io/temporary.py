"""Temporary files and folders beside what is written, which no killed process leaves for ever.

They are named `.digits-XXXXXXXX`, with eight hex digits. Whoever writes one holds a lock on it,
which the system releases when that process ends, however it ends. The next process that writes in
the same folder removes those that nobody holds.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

COMPLETE = ".complete"
"""Ends the name of a folder that is complete, and whose content only needs to be moved up."""

_NAME = re.compile(rf"\.digits-[0-9a-f]{{8}}(\.[^.]*|{re.escape(COMPLETE)})?")
_DEAD_AFTER = 24 * 3600  # seconds; older ones are taken for dead where there are no locks


@contextlib.contextmanager
def temporary_file(folder: Path, suffix: str = "") -> Iterator[Path]:
    """A new empty file in `folder`, which is deleted at the end if it is still there."""
    with _new(folder, suffix, lambda path: path.touch(exist_ok=False)) as path:
        try:
            yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """A new empty folder in `folder`, which is deleted at the end if it is still there."""
    with _new(folder, "", lambda path: path.mkdir(0o700)) as path:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def scratch_folder() -> contextlib.AbstractContextManager[Path]:
    """A temporary folder where the system keeps such, for files that other programs write."""
    return temporary_folder(Path(tempfile.gettempdir()))


@contextlib.contextmanager
def _new(folder: Path, suffix: str, create: Callable[[Path], None]) -> Iterator[Path]:
    _remove_leftovers_once(folder.resolve())
    while True:
        path = folder / f".digits-{secrets.token_hex(4)}{suffix}"
        create(path)
        with lock(path) as free:
            if free is not False and path.exists():  # else taken for a leftover before it was held
                yield path
                return


@contextlib.contextmanager
def lock(path: Path) -> Iterator[bool | None]:
    """Lock a file or folder against other processes that do the same, without waiting.

    Yields:
        True; False if another process holds the lock, or has removed the file; None if there are
        no locks on this file system.
    """
    if fcntl is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _flock(descriptor)
    finally:
        os.close(descriptor)


def _flock(descriptor: int) -> bool | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_temporary(path: Path) -> bool:
    """Whether a file or folder has a name of those here."""
    return _NAME.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left in `folder`, or finish what only had to be moved."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [path for path in map(Path, entries) if is_temporary(path)]
        for path in found:
            with contextlib.suppress(OSError):
                _remove_if_dead(path)


_remove_leftovers_once = functools.cache(remove_leftovers)  # listing a large folder takes time


def _remove_if_dead(path: Path) -> None:
    if hasattr(os, "geteuid") and path.lstat().st_uid != os.geteuid():
        return  # in a folder that others may write to
    with lock(path) as free:
        old = time.time() - path.lstat().st_mtime > _DEAD_AFTER
        if free is False or (free is None and not old):
            return
        if path.name.endswith(COMPLETE):
            move_up(path, os.replace, follow_links=False)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def move_up(
    source: Path,
    move: Callable[[Path, Path], None],
    target: Path | None = None,
    *,
    follow_links: bool = True,
) -> None:
    """Move what is in the folder `source` into the folder above it, joining folders that it has.

    Args:
        source: The folder.
        move: Moves one file to its new path.
        target: Where to, if not to the folder above.
        follow_links: Whether to write below links to folders; else what would be there stays.
    """
    target = target or source.parent
    for path in sorted(source.iterdir()):
        place = target / path.name
        if not path.is_dir():
            move(path, place)
        elif place.is_symlink() and not follow_links:
            continue
        elif place.is_dir():
            move_up(path, move, place, follow_links=follow_links)
        else:
            path.rename(place)
