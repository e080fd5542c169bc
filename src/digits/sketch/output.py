"""Drawn pictures to files."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import OutputError
from ..files import check_writable, refuse_existing, write_bytes


@dataclass(frozen=True)
class _Form:
    """A file format: Pillow's name for it and options, and the longest side that it can hold."""

    name: str
    options: dict[str, Any]
    longest: int


_JPEG = _Form("JPEG", {"quality": 92, "subsampling": 0}, 65_500)
_FORMS = {
    # Level 1 takes a quarter of the time of level 6, for hardly a larger file.
    ".png": _Form("PNG", {"compress_level": 1}, 2**31 - 1),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _Form("WebP", {"quality": 92}, 16_383),
}


def save(image: Image.Image, path: str | os.PathLike[str]) -> None:
    """Write `image` to `path` as PNG, JPEG or WebP by its suffix, whole or not at all.

    Raises OutputError for another suffix, or when it cannot be written.
    """
    form = _form(path)
    if max(image.size) > form.longest:
        raise OutputError(
            f"cannot write {path}: {image.width} × {image.height} pixels are too many for "
            f"{form.name}",
            "Give a name that ends in .png",
        )
    content = io.BytesIO()
    image.save(content, form.name, **form.options)
    write_bytes(path, content.getvalue())


def check_output(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise OutputError when `save` could not write `path`; call before long work."""
    _form(path)
    refuse_existing(path, overwrite)
    check_writable(path)


def _form(path: str | os.PathLike[str]) -> _Form:
    form = _FORMS.get(Path(path).suffix.lower())
    if form is None:
        raise OutputError(
            f"a picture cannot be written to {path}",
            "Give a name that ends in .png, .jpg or .webp",
        )
    return form
