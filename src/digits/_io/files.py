"""Files that are written whole or not at all, and the errors of reading and writing."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from ..errors import DigitsError, OutputError

AnyPath = str | os.PathLike[str]
Error = TypeVar("Error", bound=DigitsError)

_WRITE_REMEDIES = {
    errno.ENOSPC: "Free some space, or choose another place",
    errno.EDQUOT: "Free some space, or choose another place",
    errno.EROFS: "Choose a place that can be written",
    errno.EACCES: "Choose a place that you may write to",
    errno.EPERM: "Choose a place that you may write to",
    errno.ENOTDIR: "One of its folders is a file: choose another place",
    errno.EEXIST: "One of its folders is a file: choose another place",
    errno.EISDIR: "It is a folder: give a file name",
}
_READ_REMEDIES = {
    errno.ENOENT: "Check the path",
    errno.ENOTDIR: "Check the path",
    errno.EACCES: "Change its permissions, or copy it",
    errno.EPERM: "Change its permissions, or copy it",
    errno.EISDIR: "It is a folder: give a file",
}
_REMEDY = "Check the path and the disk, then try again"


def os_reason(error: Exception) -> str:
    """The reason that the operating system gives, in lower case: `permission denied`."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def output_error(path: AnyPath, error: OSError) -> OutputError:
    """The error for a `path` that cannot be written because of `error`."""
    remedy = _WRITE_REMEDIES.get(error.errno or 0, _REMEDY)
    return OutputError(f"cannot write: {os_reason(error)}", remedy, path)


def read_error(kind: type[Error], path: AnyPath | None, error: Exception) -> Error:
    """The error for a `path` that cannot be read.

    Args:
        kind: The class of the error: DataError, PictureError or ModelError.
        path: The file or folder; None if it has none.
        error: An OSError, or the ValueError of a path with a NUL character.
    """
    remedy = _READ_REMEDIES.get(getattr(error, "errno", None) or 0, _REMEDY)
    problem = "it is locked" if isinstance(error, PermissionError) else "cannot read"
    return kind(f"{problem}: {os_reason(error)}", remedy, path)


@contextlib.contextmanager
def replacing(path: AnyPath, *, backup: bool = False) -> Iterator[Path]:
    """Write a file so that readers see the old one or the whole new one, never a part.

    Yields the path of a temporary file, which replaces `path` when the block ends without an
    exception; otherwise it is deleted and the old file is untouched. It is in the folder of `path`
    and has its suffix, for writers that look at that. File and folder are synced to disk. The new
    file has the permissions of the old one. Missing folders are made.

    Args:
        path: The file to write.
        backup: Keep the old file as PATH.bak, in place of an older backup.

    Raises:
        OutputError: The file cannot be written.
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
            _back_up(final)
        temporary.replace(final)
        _sync(final.parent)
    except OSError as error:
        raise output_error(final, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all (see `replacing`)."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: AnyPath, content: str) -> None:
    """Write `content` to `path` in UTF-8, whole or not at all (see `replacing`)."""
    write_bytes(path, content.encode())


def check_writable(path: AnyPath) -> None:
    """Check, before long work, that `path` can be written. Makes missing folders.

    Raises:
        OutputError: It cannot.
    """
    probe = Path(path).with_name(f".{Path(path).name}.{secrets.token_hex(4)}")
    try:
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise output_error(path, error) from error


def check_room(path: AnyPath, size: int) -> None:
    """Check, before long work, that there is room for `size` bytes in the folder of `path`.

    Makes missing folders.

    Raises:
        OutputError: There is less room, or the folder cannot be made.
    """
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise output_error(path, error) from error
    if free < size:
        raise OutputError(
            f"not enough room: {size / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free",
            "Free some space, or choose another place",
            path,
        )


def refuse_existing(path: AnyPath, overwrite: bool) -> None:
    """Check, before long work, that `path` does not exist or may be replaced.

    Raises:
        OutputError: It exists and `overwrite` is False.
    """
    if not overwrite and Path(path).exists():
        raise OutputError(
            "the file exists already", "Choose another name, or add --overwrite to replace it", path
        )


def backup_of(path: Path) -> Path:
    """Path of the backup of `path`."""
    return path.with_name(f"{path.name}.bak")


def _back_up(path: Path) -> None:
    """Make PATH.bak a second name of the file at `path`, so that neither is ever missing."""
    if not path.exists():
        return
    link = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.link(path, link)
    except OSError:  # a file system without hard links
        shutil.copy2(path, link)
    link.replace(backup_of(path))
    link.unlink(missing_ok=True)  # replace() does nothing if both are links to one file


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder for syncing
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
