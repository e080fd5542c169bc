"""A picture from any source, decoded to gray pixels."""

from __future__ import annotations

import io
import logging
import os
import threading
import warnings
from dataclasses import dataclass, replace
from typing import IO, Any, Self, Union

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .._io.stderr import native_stderr_silenced
from ..errors import PictureError
from .content import has_signature, is_heif, no_picture, read_content
from .pages import Page, is_pdf, render
from .pixels import (
    MAX_PIXELS,
    Gray,
    check_size,
    from_array,
    from_image,
    too_large,
    too_many_pixels,
)
from .plain_png import decode_plain_png

__all__ = ["Gray", "Named", "Picture", "Source", "decode"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO")
NOTE_KEY = "digits"
"""Key of the PNG text chunk in which `digits` notes that a file is one of its own."""
MIN_SIDE = 16  # pixels of the longer side: in fewer, digits cannot be told apart
UNNAMED = "the picture"
"""Name of a picture whose source has none."""

_MAX_RLE_PIXELS = 20_000_000  # Pillow expands the runs of a BMP in Python: a second for this many
_MAX_SCANS = 100  # a progressive JPEG has about ten
_ORIENTATION = 0x0112  # EXIF tag
_TILE_SIDES = (0x0142, 0x0143)  # TIFF tags: width and length of a tile

# Pillow warns about odd files; we either read them or raise an error of our own. The filters of
# `warnings` belong to the whole process, hence the lock.
_warnings_lock = threading.Lock()
logging.getLogger("PIL").addHandler(logging.NullHandler())

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, rotated upright.

    Attributes:
        name: What to call it in results and errors.
        gray: (height, width) uint8, 0 black to 255 white.
        alpha: (height, width) uint8, 0 transparent to 255 opaque, or None without such a channel.
        note: The PNG text under NOTE_KEY, or "".
        more: Whether its file holds further frames or pages, which were not read.
    """

    name: str
    gray: Gray
    alpha: Gray | None = None
    note: str = ""
    more: bool = False

    def transposed(self) -> Self:
        """The picture with rows and columns swapped."""
        gray = np.ascontiguousarray(self.gray.T)
        alpha = None if self.alpha is None else np.ascontiguousarray(self.alpha.T)
        return replace(self, gray=gray, alpha=alpha)

    def __repr__(self) -> str:
        height, width = self.gray.shape
        return f"Picture({self.name!r}, {width}x{height})"


@dataclass(frozen=True, eq=False)
class Named:
    """A source, and what to call it in results and errors."""

    name: str
    source: Source


Source = Union[
    str, "os.PathLike[str]", bytes, IO[bytes], Image.Image, NDArray[Any], Picture, Named, Page
]
"""What can be decoded: see `decode`."""


def decode(source: Source, name: str | None = None) -> Picture:
    """Decode a picture; of several frames or pages the first, with a logged warning.

    Args:
        source: One of

            - a path, the bytes of a file, or a binary file object (read from its current position
              to its end): PNG, JPEG, WebP, HEIC, AVIF, GIF, TIFF, BMP, JPEG 2000, PGM, ICO or TGA
              of any depth, up to 100 MB and 50 megapixels, rotated by its EXIF orientation; or a
              PDF, whose first page is drawn;
            - a `Page` of a PDF or TIFF file;
            - a PIL image: its current frame, rotated by its EXIF orientation;
            - a NumPy array: (h, w) or (h, w, 1) gray, (h, w, 2) gray and alpha, (h, w, 3) RGB or
              (h, w, 4) RGBA; uint8, uint16, bool, another integer from 0 to 255, float from 0 to 1,
              or float from 0 to 255 if a value is above 1;
            - a `Picture`, which is returned as it is;
            - one of these as `Named`.
        name: What to call it in results and errors; by default the path of a file, else
            "the picture".

    Raises:
        PictureError: If there is no picture, or it cannot be decoded.
    """
    if isinstance(source, Named):
        return decode(source.source, name or source.name)
    if isinstance(source, Picture):
        return source if name in (None, source.name) else replace(source, name=name or UNNAMED)
    if isinstance(source, Page):
        name = name or source.name
    path = name or _path(source)
    try:
        picture = _decode(source, path or UNNAMED)
    except PictureError as error:
        raise PictureError(error.problem, error.remedy, path) from error.__cause__
    if picture.more:
        log.warning("%s holds several pictures; only the first is read", picture.name)
    return picture


def check_legible(picture: Picture) -> None:
    """Raise PictureError if a picture has too few pixels for any digit."""
    height, width = picture.gray.shape
    if max(height, width) < MIN_SIDE:
        raise PictureError(
            f"the picture is too small ({width}×{height} pixels)",
            f"Give one of {MIN_SIDE}×{MIN_SIDE} pixels or more",
            None if picture.name == UNNAMED else picture.name,
        )


def _path(source: Source) -> str | None:
    """The path of a file, also of one that is open or was opened by Pillow; None without any."""
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    for attribute in ("name", "filename"):
        name = getattr(source, attribute, None)
        if name and isinstance(name, str):  # a file that was opened by its number has that
            return name
    return None


def _decode(source: Source, name: str) -> Picture:
    if isinstance(source, np.ndarray):
        return Picture(name, *from_array(source))
    if isinstance(source, Image.Image):
        return _decode_with_pillow(source, name)
    page = source if isinstance(source, Page) else None
    content = read_content(page.source if page else source)
    if is_pdf(content):
        gray, more = render(content, page.number if page else 0)
        return Picture(name, gray, more=more and not page)
    if plain := decode_plain_png(content, NOTE_KEY):
        return Picture(name, plain[0], note=plain[1])
    return _decode_with_pillow(content, name, page)


def _decode_with_pillow(
    source: bytes | Image.Image, name: str, page: Page | None = None
) -> Picture:
    """Decode the content of a file, or an image that Pillow may not have loaded yet."""
    content = source if isinstance(source, bytes) else b""
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(source, Image.Image):
                _refuse_bombs(source, b"")
                return _picture(source, name)
            image = Image.open(io.BytesIO(source), formats=_formats(source, name))
            if page:
                image.seek(page.number)
            _refuse_bombs(image, source)
            more = not page and _has_more(image)
            image.draft("L", None)  # a JPEG's own gray: the same values in half the time
            return _picture(image, name, more)
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise too_many_pixels() from None
    except UnidentifiedImageError:
        raise (_damaged() if has_signature(content) else no_picture(content)) from None
    except Exception as error:  # broken files make Pillow raise nearly anything
        raise _damaged() from error


def _formats(content: bytes, name: str) -> tuple[str, ...]:
    """The formats to try; those without a signature of their own only by the name of the file."""
    if is_heif(content):
        import pillow_heif  # 20 ms, which other pictures need not wait for

        pillow_heif.register_heif_opener()
        return ("HEIF",)
    return (*FORMATS, "TGA") if name.lower().endswith(".tga") else FORMATS


def _picture(image: Image.Image, name: str, more: bool = False) -> Picture:
    check_size(image.width, image.height)
    if image.format == "TIFF":
        with native_stderr_silenced():  # libtiff prints what it finds to stderr, past Pillow
            image.load()
    else:
        image.load()
    # What Pillow makes of an image keeps the notes of the file, but not the pixels.
    note = image.info.get(NOTE_KEY, "") if image.format == "PNG" else ""
    gray, alpha = from_image(_upright(image))
    return Picture(name, gray, alpha, note if isinstance(note, str) else "", more)


def _refuse_bombs(image: Image.Image, content: bytes) -> None:
    """Raise PictureError where a few bytes would take much memory or time."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise too_many_pixels()
    if image.format == "BMP":
        if pixels > _MAX_RLE_PIXELS and image.info.get("compression") in (1, 2):
            raise too_large(f"more than {_MAX_RLE_PIXELS / 1e6:.0f} megapixels, run-length encoded")
    elif image.format == "TIFF":  # one tile of a small picture may be declared huge
        wide, high = (getattr(image, "tag_v2", {}).get(side, 1) for side in _TILE_SIDES)
        if wide * high > MAX_PIXELS:
            raise _damaged()
    elif image.format in ("JPEG", "MPO"):  # each of its scans goes over all pixels again
        # Chance makes the marker of one in 65,536 bytes, as in a film that a phone has appended.
        by_chance = len(content) // 50_000
        if content.count(b"\xff\xda") > _MAX_SCANS + by_chance:
            raise _damaged()


def _has_more(image: Image.Image) -> bool:
    """Whether further frames or pages follow. They are not counted: that may take long."""
    if image.format == "MPO":  # a phone's JPEG; what follows is a preview or a gain map
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # the next one is broken, this one may be good
        return False


def _upright(image: Image.Image) -> Image.Image:
    """`image` rotated by its EXIF orientation; broken EXIF is ignored."""
    try:
        if image.getexif().get(_ORIENTATION, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except Exception:  # the pixels are good, only the metadata are not
        return image


def _damaged() -> PictureError:
    return PictureError("the picture is cut short or damaged", "Save or copy it again")
