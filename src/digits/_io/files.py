"""Files that are written whole or not at all, and the errors of reading and writing."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from ..errors import DigitsError, OutputError
from .temporary import temporary_file

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
    errno.ENAMETOOLONG: "Choose a shorter name",
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
def replacing(
    path: AnyPath, *, overwrite: bool = True, disposable: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Write a file so that readers see the old one or the whole new one, never a part.

    Yields the path of a temporary file, which replaces `path` when the block ends without an
    exception; otherwise it is deleted and the old file is untouched. It is in the folder of `path`
    and has its suffix, for writers that look at that. File and folder are synced to disk. The new
    file has the permissions of the old one. Missing folders are made. A link remains a link: the
    file that it leads to is replaced. What is no file (a device, a pipe, /dev/stdout) is written
    into.

    Args:
        path: The file to write.
        overwrite: Whether an older file is replaced. Decided when the new one appears, so that of
            two processes that write one file at once the second fails.
        disposable: Keep the older file as PATH.bak, in place of an older backup for which this is
            true. Others stay, and the new backup is PATH.bak2 or the next free one.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        final = _destination(path)
        if written_into(final):
            folder = Path(tempfile.gettempdir())
        else:
            folder = final.parent
            folder.mkdir(parents=True, exist_ok=True)
        with temporary_file(folder, final.suffix) as temporary:
            yield temporary
            if disposable:
                _back_up(final, disposable)
            _sync(temporary)
            put(temporary, final, overwrite=overwrite)
            _sync(folder)
    except OSError as error:
        raise output_error(path, error) from error


def put(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Make `temporary`, which is complete, the file at `path` (see `replacing`).

    Raises:
        OutputError: There is such a file, and it must not be replaced.
        OSError: It cannot be written.
    """
    final = _destination(path)
    if written_into(final):
        with temporary.open("rb") as source, _open_stream(final) as target:
            shutil.copyfileobj(source, target)
        return
    if overwrite and final.exists():
        shutil.copymode(final, temporary)
    if overwrite:
        temporary.replace(final)
    else:
        _rename_new(temporary, final)


def _rename_new(temporary: Path, final: Path) -> None:
    """Rename a file unless the new name is taken, which `os.rename` alone does not look at."""
    try:
        try:
            os.link(temporary, final)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: take the name first
            os.close(os.open(final, os.O_CREAT | os.O_EXCL))
            temporary.replace(final)
    except FileExistsError:
        raise exists_error(final) from None


def write_bytes(path: AnyPath, content: bytes, *, overwrite: bool = True) -> None:
    """Write `content` to `path`, whole or not at all (see `replacing`)."""
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def write_text(path: AnyPath, content: str) -> None:
    """Write `content` to `path` in UTF-8, whole or not at all (see `replacing`)."""
    write_bytes(path, content.encode())


def check_writable(path: AnyPath) -> None:
    """Check, before long work, that `path` can be written.

    Raises:
        OutputError: It cannot.
    """
    try:
        final = _destination(path)
        if written_into(final):
            if not os.access(final, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        folder = next(folder for folder in final.parents if folder.exists())
        with temporary_file(folder):
            pass
    except OSError as error:
        raise output_error(path, error) from error


def check_room(path: AnyPath, size: int) -> None:
    """Check, before long work, that there is room for `size` bytes in the folder of `path`.

    Raises:
        OutputError: There is less room.
    """
    folder = next(folder for folder in Path(path).resolve().parents if folder.exists())
    try:
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
    try:
        if not overwrite and Path(path).exists() and not written_into(Path(path)):
            raise exists_error(path)
    except OSError as error:
        raise output_error(path, error) from error


def exists_error(path: AnyPath) -> OutputError:
    """The error for a `path` that exists and must not be replaced."""
    remedy = "Choose another name, or add --overwrite to replace it"
    return OutputError("the file exists already", remedy, path)


def _destination(path: AnyPath) -> Path:
    """The file that `path` leads to. Raises OSError if nothing can be written there."""
    path = Path(path)
    if written_into(path):
        return path
    final = Path(os.path.realpath(path))
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if final.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return final


def written_into(path: Path) -> bool:
    """Whether `path` is a device or a pipe, or an open file of this process such as /dev/stdout.

    Raises:
        OSError: It is a socket or a disk, which nothing can or should be written to.
    """
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:  # it is not there, or trying to write it will tell
        return False
    if stat.S_ISSOCK(mode):
        raise OSError(errno.ENXIO, "is a socket")
    if stat.S_ISBLK(mode):
        raise OSError(errno.ENXIO, "is a disk")
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _descriptor(path: Path) -> int | None:
    """The number of the open file that `path` stands for."""
    if path.as_posix() in ("/dev/stdout", "/dev/stderr"):
        return 1 if path.name == "stdout" else 2
    match = re.fullmatch(r"/(dev|proc/self)/fd/(\d+)", path.as_posix())
    return int(match[2]) if match else None


def _open_stream(path: Path) -> IO[bytes]:
    """Open what is written into; a file that is open already goes on where it is."""
    descriptor = _descriptor(path)
    if descriptor is None:
        return path.open("wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what was printed before comes first
    return os.fdopen(os.dup(descriptor), "wb")


def backup_of(path: Path) -> Path:
    """Path of the backup of `path`."""
    return path.with_name(f"{path.name}.bak")


def _back_up(path: Path, disposable: Callable[[Path], bool]) -> None:
    """Make PATH.bak a second name of the file at `path`, so that neither is ever missing."""
    if not path.exists():
        return
    numbered = (path.with_name(f"{path.name}.bak{n}") for n in itertools.count(2))
    backups = itertools.chain([backup_of(path)], numbered)
    backup = next(b for b in backups if not os.path.lexists(b) or disposable(b))
    with temporary_file(path.parent) as link:
        link.unlink()
        try:
            os.link(path, link)
        except OSError:  # a file system without hard links
            shutil.copy2(path, link)
        link.replace(backup)  # does nothing if both are links to one file


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder for syncing
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
