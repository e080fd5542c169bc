"""Drawings to files."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..._io.files import check_writable, refuse_existing, write_bytes
from ...errors import OutputError

_REMEDY = "Give a name that ends in .png, .jpg or .webp"


@dataclass(frozen=True)
class _Format:
    """A file format: Pillow's name and options for it, and its largest width and height."""

    name: str
    options: dict[str, Any]
    max_side: int


_JPEG = _Format("JPEG", {"quality": 92, "subsampling": 0}, 65_500)
_FORMATS = {
    # Level 1 takes a quarter of the time of level 6, for hardly a larger file.
    ".png": _Format("PNG", {"compress_level": 1}, 2**31 - 1),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _Format("WebP", {"quality": 92}, 16_383),
}


def save(image: Image.Image, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write an image as PNG, JPEG or WebP, whole or not at all.

    Args:
        image: What to write.
        path: Its suffix decides the format.
        overwrite: Whether an existing file is replaced.

    Raises:
        OutputError: The suffix is another, the format cannot hold the size, or writing fails.
    """
    file_format = _format(path)
    if max(image.size) > file_format.max_side:
        raise OutputError(
            f"{image.width} × {image.height} pixels are too many for {file_format.name}",
            "Give a name that ends in .png",
            path,
        )
    content = io.BytesIO()
    image.save(content, file_format.name, **file_format.options)
    write_bytes(path, content.getvalue(), overwrite=overwrite)


def check_output(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Check before long work that `save` can write a file.

    Args:
        path: The file to be written.
        overwrite: Whether it may exist already.

    Raises:
        OutputError: `save` could not write it, or it may not be replaced.
    """
    _format(path)
    refuse_existing(path, overwrite)
    check_writable(path)


def _format(path: str | os.PathLike[str]) -> _Format:
    try:
        return _FORMATS[Path(path).suffix.lower()]
    except KeyError:
        raise OutputError("a picture cannot be written in this format", _REMEDY, path) from None
