"""Folders that are filled as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError
from .files import AnyPath, exists_error, output_error, put
from .temporary import COMPLETE, lock, move_up, remove_leftovers, temporary_folder


@contextlib.contextmanager
def filling(folder: AnyPath, *, overwrite: bool) -> Iterator[Path]:
    """Write files into a folder: all of them, or none.

    Yields an empty hidden folder. When the block ends without an exception, it becomes `folder`, or
    what is in there is moved to `folder` if that exists; otherwise it is deleted. A new folder thus
    appears with all its files at once. What a killed process leaves is removed by the next one; or
    moved, if it was complete and the folder existed.

    Args:
        folder: Where the files are to be; made if missing, which a block must not do.
        overwrite: Whether files of the same name are replaced.

    Raises:
        OutputError: The files cannot be written, or must not be replaced.
    """
    target = Path(folder)
    fill = _existing if os.path.lexists(target) else _new
    try:
        with fill(target, overwrite) as stage:
            try:
                yield stage
            except OutputError as error:
                raise _as_in(target, stage, error) from error
    except OSError as error:
        raise output_error(folder, error) from error


@contextlib.contextmanager
def _new(target: Path, _: bool) -> Iterator[Path]:
    """Fill a folder beside `target`, and rename it."""
    made = [each for each in target.parents if not each.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent) as hidden:
            stage = hidden / "new"  # with the usual permissions, which `hidden` has not
            stage.mkdir()
            yield stage
            try:
                stage.rename(target)
            except OSError:
                if os.path.lexists(target):  # another process was faster
                    raise exists_error(target) from None
                raise
    finally:
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()  # if it is empty


@contextlib.contextmanager
def _existing(target: Path, overwrite: bool) -> Iterator[Path]:
    """Fill a folder in `target`, and move what is in it file by file."""
    target.mkdir(exist_ok=True)  # fails if it is no folder
    with _reserved(target), temporary_folder(target) as stage:
        yield stage
        _check_places(stage, target, overwrite)
        complete = stage.rename(stage.with_name(stage.name + COMPLETE))
        try:
            move_up(complete, lambda path, place: _put(path, place, overwrite))
        finally:
            shutil.rmtree(complete, ignore_errors=True)


@contextlib.contextmanager
def _reserved(folder: Path) -> Iterator[None]:
    """Exclude other processes that fill `folder`, once leftovers are out of the way."""
    with lock(folder.resolve()) as free:
        if free is False:
            remedy = "Wait until it has finished, or choose another folder"
            raise OutputError("another process is writing to it", remedy, folder)
        remove_leftovers(folder)
        yield


def _as_in(target: Path, stage: Path, error: OutputError) -> OutputError:
    """The same error of a file in `stage`, with the path that it would have in `target`."""
    if error.path is None or not Path(error.path).is_relative_to(stage):
        return error
    path = target / Path(error.path).relative_to(stage)
    return OutputError(error.problem, error.remedy, path)


def _check_places(stage: Path, target: Path, overwrite: bool) -> None:
    """Check that every file can be moved, before the first one is."""
    for parent, _, names in os.walk(stage):
        folder = target / Path(parent).relative_to(stage)
        for name in names if folder.is_dir() else []:
            place = folder / name
            if place.is_dir():
                raise output_error(place, IsADirectoryError(errno.EISDIR, "is a folder"))
            if not overwrite and os.path.lexists(place):
                raise exists_error(place)


def _put(path: Path, place: Path, overwrite: bool) -> None:
    try:
        put(path, place, overwrite=overwrite)
    except OSError as error:
        raise output_error(place, error) from error
