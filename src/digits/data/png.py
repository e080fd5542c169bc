"""Export of a data set as PNG files that read back bit for bit."""

from __future__ import annotations

import os
import posixpath
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from string import Formatter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .._io.files import output_error
from .._io.folders import filling
from .._io.temporary import is_temporary
from .._io.workers import map_chunks
from ..errors import DataError, OutputError
from ..imaging.decode import NOTE_KEY
from ..imaging.geometry import NOTES
from .dataset import Dataset, Splits

ExportInk = Literal["dark", "light"]
Mode = Literal["L", "RGBA"]

NAME = "{split}/{index:05d}_{label}.png"
_FIELDS = ("split", "index", "label")


def export_png(
    splits: Splits,
    folder: str | os.PathLike[str],
    *,
    split: str | None = None,
    limit: int | None = None,
    ink: ExportInk = "dark",
    mode: Mode = "L",
    name: str = NAME,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the images of `splits` as 28×28 PNG files.

    Args:
        splits: The data set.
        folder: Where to write; created if missing.
        split: One part only; None or "all" for every part.
        limit: Only the first images of each part, this many.
        ink: "dark" for dark ink on white, "light" for light ink on black.
        mode: "L" for 8-bit gray; "RGBA" for black (or white) with the ink in the alpha channel.
        name: Path of each file inside `folder`, with {split}, {index} (in its part) and {label} as
            in `str.format`.
        overwrite: Write into a folder that contains files; those of the same name are replaced.
        workers: Number of processes; one per processor if None.
        progress: Called with the number of images newly written.

    Returns:
        The number of files. After a failure or Ctrl-C, none was written.

    Raises:
        DataError: If `name` cannot be used; nothing is written.
        OutputError: If the folder contains files or cannot be written.
    """
    target = Path(folder)
    parts = splits.parts if split in (None, "all") else {str(split): splits[str(split)]}
    chosen = {part: dataset.limit(limit) for part, dataset in parts.items()}
    names = _names(chosen, name)
    images = (image for dataset in chosen.values() for image in dataset.images)
    with filling(target, overwrite=overwrite) as stage:
        _refuse_files(target, overwrite)
        for inside in sorted({os.path.dirname(name) for name in names}):  # noqa: PTH120 (many)
            (stage / inside).mkdir(parents=True, exist_ok=True)
        jobs = ((f"{stage}/{n}", image.tobytes()) for n, image in zip(names, images, strict=True))
        chunks = map_chunks(partial(_write_chunk, ink=ink, mode=mode), jobs, workers=workers)
        with closing(chunks):
            for count in chunks:
                if progress:
                    progress(count)
    return len(names)


def _names(parts: dict[str, Dataset], template: str) -> list[str]:
    """The path of each image. Raises DataError if `template` does not give such paths."""
    _check_fields(template)
    names = [
        _name(template, part, index, label)
        for part, dataset in parts.items()
        for index, label in enumerate(dataset.labels.tolist())
    ]
    seen: set[str] = set()
    for each in names:
        if each in seen:
            raise _bad_template(
                template, f"gives several images the name {each}", "Use {split} and {index} in it"
            )
        seen.add(each)
    return names


def _check_fields(template: str) -> None:
    remedy = f"Use {{split}}, {{index}} and {{label}}, such as {NAME}"
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise _bad_template(template, f"is invalid: {error}", remedy) from None
    for _, field, form, _ in pieces:
        if field is not None and (field not in _FIELDS or "{" in (form or "")):
            raise _bad_template(template, f"has a field {{{field}}}", remedy)
    if "\0" in template or not template.endswith(".png"):
        raise _bad_template(template, "does not end in .png", remedy)


def _name(template: str, part: str, index: int, label: int) -> str:
    try:
        formatted = template.format(split=part, index=index, label=label)
    except (ValueError, OverflowError, MemoryError) as error:
        raise _bad_template(template, f"is invalid: {error}", f"Use one such as {NAME}") from None
    path = posixpath.normpath(formatted)
    if path.startswith(("/", "..")) or posixpath.basename(path) == ".png":
        raise _bad_template(template, f"leads to {formatted}", "Name files inside the folder")
    return path


def _bad_template(template: str, problem: str, remedy: str) -> DataError:
    return DataError(f"the name template {template} {problem}", remedy)


def _refuse_files(folder: Path, overwrite: bool) -> None:
    """Raise OutputError if `folder`, which is being filled, contains files that may not be."""
    if overwrite or not folder.exists():
        return
    if any(not is_temporary(path) for path in folder.iterdir()):
        raise OutputError(
            "the folder already contains files",
            "Choose another folder, or add --overwrite to write into it",
            folder,
        )


def _write_chunk(jobs: Sequence[tuple[str, bytes]], ink: ExportInk, mode: Mode) -> int:
    """Write jobs of (path, 784 pixels) as PNG files; return their number."""
    for path, pixels in jobs:
        content = png(np.frombuffer(pixels, np.uint8).reshape(28, 28), ink, mode)
        try:
            with open(path, "wb") as file:  # noqa: PTH123 (Path.open is slower)
                file.write(content)
        except OSError as error:
            raise output_error(path, error) from error
    return len(jobs)


def png(image: NDArray[np.uint8], ink: ExportInk = "dark", mode: Mode = "L") -> bytes:
    """Encode an image as a PNG file, with a text chunk by which `preprocess` restores its pixels.

    Args:
        image: (28, 28) uint8, white ink on black.
        ink: See `export_png`.
        mode: See `export_png`.
    """
    if mode == "RGBA":
        pixels = np.full((28, 28, 4), 0 if ink == "dark" else 255, np.uint8)
        pixels[..., 3] = image
    else:
        pixels = 255 - image if ink == "dark" else image
    rows = np.zeros(
        (28, 1 + pixels.size // 28), np.uint8
    )  # each begins with its filter type: 0, none
    rows[:, 1:] = pixels.reshape(28, -1)
    return _PREFIXES[ink, mode] + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + _END


def _chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _prefix(text: str, mode: Mode) -> bytes:
    """Signature, header and text chunk, the same for all files of one ink and mode."""
    header = struct.pack(">IIBBBBB", 28, 28, 8, 6 if mode == "RGBA" else 0, 0, 0, 0)
    note = NOTE_KEY.encode() + b"\0" + text.encode()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"tEXt", note)


_MODES: tuple[Mode, ...] = ("L", "RGBA")
_PREFIXES = {(ink, mode): _prefix(text, mode) for text, ink in NOTES.items() for mode in _MODES}
_END = _chunk(b"IEND", b"")
