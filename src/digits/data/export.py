"""A data set to PNG files, each of which reads back bit for bit."""

from __future__ import annotations

import os
import posixpath
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from string import Formatter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, OutputError
from ..files import output_error
from ..parallel import map_chunks
from ..pictures.decode import NOTE_KEY
from ..pictures.normalize import NOTES
from .dataset import Dataset, Splits

InkOnGround = Literal["dark", "light"]
Mode = Literal["L", "RGBA"]

NAME = "{split}/{index:05d}_{label}.png"
_FIELDS = ("split", "index", "label")


def export_png(
    splits: Splits,
    folder: str | os.PathLike[str],
    *,
    split: str | None = None,
    limit: int | None = None,
    ink: InkOnGround = "dark",
    mode: Mode = "L",
    name: str = NAME,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the pictures of `splits` as 28×28 PNG files into `folder`; return how many.

    split: one part only; None or "all" for every part.
    limit: the first so many of each part.
    ink: dark ink on white, or light ink on black.
    mode: "L" is 8-bit grey; "RGBA" is black (or white) on a clear ground, the ink in alpha.
    name: the path of each file inside `folder`, with {split}, {index} (the place in its part) and
        {label} as in `str.format`.
    overwrite: write into a folder that holds files; those of the same name are replaced.
    workers: processes; one per processor when None.
    progress: called with the number of pictures newly written.
    Raises DataError when `name` will not do, before anything is written, and OutputError when the
    folder holds files or cannot be written. What was written into an empty folder before a
    failure or Ctrl-C is removed.
    """
    target = Path(folder)
    parts = splits.parts if split in (None, "all") else {str(split): splits[str(split)]}
    chosen = {part: dataset.limit(limit) for part, dataset in parts.items()}
    names = _names(chosen, name)
    was_empty = _refuse_files(target, overwrite)
    made: list[Path] = []
    images = (image for dataset in chosen.values() for image in dataset.images)
    jobs = ((f"{target}/{n}", image.tobytes()) for n, image in zip(names, images, strict=True))
    chunks = map_chunks(partial(_write_chunk, ink=ink, mode=mode), jobs, workers=workers)
    try:
        _make_folders(target, names, made)
        with closing(chunks):
            for count in chunks:
                if progress:
                    progress(count)
    except BaseException:
        if was_empty:
            _remove(target, names, made)
        raise
    return len(names)


def _names(parts: dict[str, Dataset], template: str) -> list[str]:
    """The path of every picture, or DataError when `template` gives no such paths."""
    _check_fields(template)
    names = [
        _name(template, part, index, label)
        for part, dataset in parts.items()
        for index, label in enumerate(dataset.labels.tolist())
    ]
    seen: set[str] = set()
    for each in names:
        if each in seen:
            raise DataError(
                f"the name template {template} calls several pictures {each}",
                "Use {split} and {index} in it",
            )
        seen.add(each)
    return names


def _check_fields(template: str) -> None:
    todo = f"Use {{split}}, {{index}} and {{label}}, such as {NAME}"
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise DataError(f"the name template {template} is broken: {error}", todo) from None
    for _, field, form, _ in pieces:
        if field is not None and (field not in _FIELDS or "{" in (form or "")):
            raise DataError(f"the name template {template} has a field {{{field}}}", todo)
    if "\0" in template or not template.endswith(".png"):
        raise DataError(f"the name template {template} names no .png", todo)


def _name(template: str, part: str, index: int, label: int) -> str:
    try:
        formatted = template.format(split=part, index=index, label=label)
    except (ValueError, OverflowError, MemoryError) as error:
        raise DataError(
            f"the name template {template} is broken: {error}", f"Use one such as {NAME}"
        ) from None
    path = posixpath.normpath(formatted)
    if path.startswith(("/", "..")) or posixpath.basename(path) == ".png":
        raise DataError(
            f"the name template {template} leads to {formatted}", "Name files inside the folder"
        )
    return path


def _refuse_files(folder: Path, overwrite: bool) -> bool:
    """Whether `folder` is empty or not there; OutputError when it may not be written into."""
    try:
        empty = not folder.exists() or next(folder.iterdir(), None) is None
    except OSError as error:
        raise output_error(folder, error) from error
    if not empty and not overwrite:
        raise OutputError(
            f"{folder} already holds files",
            "Choose another folder, or add --overwrite to write into it",
        )
    return empty


def _make_folders(target: Path, names: list[str], made: list[Path]) -> None:
    """Make `target` and the folders of `names` in it; add those that were not there to `made`."""
    for inside in sorted({os.path.dirname(name) for name in names}):  # noqa: PTH120 (many names)
        folder = target / inside
        try:
            for each in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
                each.mkdir()
                made.append(each)
        except OSError as error:
            raise output_error(folder, error) from error


def _remove(target: Path, names: list[str], made: list[Path]) -> None:
    """Take back what an export wrote into an empty folder."""
    for name in names:
        with suppress(OSError):
            os.unlink(f"{target}/{name}")  # noqa: PTH108 (many names)
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()


def _write_chunk(jobs: Sequence[tuple[str, bytes]], ink: InkOnGround, mode: Mode) -> int:
    """Write (path, 784 pixels) each as a PNG file; return how many."""
    for path, pixels in jobs:
        content = png(np.frombuffer(pixels, np.uint8).reshape(28, 28), ink, mode)
        try:
            with open(path, "wb") as file:  # noqa: PTH123 (Path.open takes longer)
                file.write(content)
        except OSError as error:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            raise output_error(path, error) from error
    return len(jobs)


def png(image: NDArray[np.uint8], ink: InkOnGround = "dark", mode: Mode = "L") -> bytes:
    """A (28, 28) uint8 picture, white ink on black, as the bytes of a PNG file (see `export_png`).

    Its text chunk says which ink it has, so that `read_digit` gives back the very same pixels.
    """
    if mode == "RGBA":
        pixels = np.full((28, 28, 4), 0 if ink == "dark" else 255, np.uint8)
        pixels[..., 3] = image
    else:
        pixels = 255 - image if ink == "dark" else image
    rows = np.zeros((28, 1 + pixels.size // 28), np.uint8)  # each begins with its filter: 0, none
    rows[:, 1:] = pixels.reshape(28, -1)
    return _PNG_BEGIN[ink, mode] + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + _PNG_END


def _chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file, as https://www.w3.org/TR/png-3/#5Chunk-layout has it."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _begin(text: str, mode: Mode) -> bytes:
    """Signature, header and text, which all pictures of one kind share."""
    header = struct.pack(">IIBBBBB", 28, 28, 8, 6 if mode == "RGBA" else 0, 0, 0, 0)
    note = NOTE_KEY.encode() + b"\0" + text.encode()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"tEXt", note)


_MODES: tuple[Mode, ...] = ("L", "RGBA")
_PNG_BEGIN = {(ink, mode): _begin(text, mode) for text, ink in NOTES.items() for mode in _MODES}
_PNG_END = _chunk(b"IEND", b"")
