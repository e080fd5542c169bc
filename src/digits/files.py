"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputError

_TODO = {
    errno.ENOSPC: "Free some space, or choose another place",
    errno.EDQUOT: "Free some space, or choose another place",
    errno.EROFS: "Choose a place that can be written",
    errno.EACCES: "Choose a place that you may write to",
    errno.EPERM: "Choose a place that you may write to",
    errno.ENOTDIR: "One of its folders is a file: choose another place",
    errno.EEXIST: "One of its folders is a file: choose another place",
    errno.EISDIR: "It is a folder: give a file name",
}


def output_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """The error that tells a user why `path` could not be written."""
    reason = (error.strerror or str(error)).lower()
    todo = _TODO.get(error.errno or 0, "Check the path and the disk, then try again")
    return OutputError(f"cannot write {path}: {reason}", todo)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, backup: bool = False) -> Iterator[Path]:
    """Yield the path of a new temporary file that becomes `path` when the block ends well.

    The temporary file lies beside `path` and keeps its suffix, so that writers which look at the
    suffix work. It is synced before the rename and the folder after it: a reader sees the old file
    or the new one, never half of one. When the block raises, the old file is untouched and the
    temporary one is gone. With `backup`, the old file stays as PATH.bak (an older .bak goes).
    Its permissions are those of the old file. Missing folders are made.
    Raises OutputError when the disk says no.
    """
    final = Path(path)
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        yield temporary
        if final.exists():
            shutil.copymode(final, temporary)
        _sync(temporary)
        if backup:
            _keep(final)
        temporary.replace(final)
        _sync(final.parent)
    except OSError as error:
        raise output_error(final, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, whole or not at all (see `replacing`)."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write `content` to `path` in UTF-8, whole or not at all (see `replacing`)."""
    write_bytes(path, content.encode())


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OutputError when `path` could not be written; call before long work. Makes folders."""
    probe = Path(path).with_name(f".{Path(path).name}.{secrets.token_hex(4)}")
    try:
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise output_error(path, error) from error


def refuse_existing(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise OutputError when `path` exists and may not be replaced; call before long work."""
    if not overwrite and Path(path).exists():
        raise OutputError(
            f"{path} exists already", "Choose another name, or add --overwrite to replace it"
        )


def backup_of(path: Path) -> Path:
    """Where the earlier version of `path` is kept."""
    return path.with_name(f"{path.name}.bak")


def _keep(path: Path) -> None:
    """Let PATH.bak be the present `path` too, so that at no moment there is neither."""
    if not path.exists():
        return
    link = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.link(path, link)
    except OSError:  # a file system without hard links
        shutil.copy2(path, link)
    link.replace(backup_of(path))
    link.unlink(missing_ok=True)  # it stays when both are already the same file


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder for syncing
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
