"""Picture files and bytes, in whatever form, to one plain array of grey."""

from __future__ import annotations

import io
import logging
import os
import stat
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import PictureError
from ..quiet import native_stderr_silenced

Grey = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
NOTE_KEY = "digits"  # of the PNG text chunk by which our own pictures say what they are
MOST_BYTES = 100_000_000
MOST_PIXELS = 50_000_000

_MEGAPIXELS = f"more than {MOST_PIXELS / 1e6:.0f} megapixels"
_MOST_IN_RUNS = 20_000_000
_MOST_SCANS = 100  # a progressive JPEG has about ten

_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_ORIENTATION = 0x0112
_TILE_SIDES = (0x0142, 0x0143)
# Numbers above 8 bits rarely use the whole range of their type: a 12-bit scan lies in 16 bits.
_FULL_SCALES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)

_PART = 1_000_000  # numbers that are scaled at once

# Pillow warns about odd files; we either read them or say in our own words why not. The filters of
# `warnings` belong to the whole process, hence the lock.
_quiet = threading.Lock()
logging.getLogger("PIL").addHandler(logging.NullHandler())

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A decoded picture, turned as its camera meant it.

    name: what to call it in errors.
    grey: (height, width) uint8, 0 black to 255 white.
    alpha: (height, width) uint8, 0 clear to 255 opaque, or None without such a channel.
    note: the PNG text under NOTE_KEY, or "".
    more: whether its file holds further frames or pages, which were not read.
    """

    name: str
    grey: Grey
    alpha: Grey | None = None
    note: str = ""
    more: bool = False


def decode(source: str | os.PathLike[str] | bytes, name: str | None = None) -> Picture:
    """Read a picture from a file's path or a file's bytes; of several frames or pages, the first.

    A warning is logged when there are several.
    name: what to call it in errors; the path, or "the picture", when not given.
    Takes PNG, JPEG, WebP, GIF, TIFF and BMP of any depth, up to 100 MB and 50 megapixels.
    Raises PictureError when there is nothing to read or it is no such picture.
    """
    if isinstance(source, bytes):
        name = name or "the picture"
        content = source
    else:
        name = name or os.fspath(source)
        content = _content(source, name)
    if not content:
        raise _error(name, "it is empty", "Save or copy it again")
    if len(content) > MOST_BYTES:
        raise _too_large(name, f"{len(content) / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:.0f}")
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = _decode(content, name)
    if picture.more:
        log.warning("%s holds several pictures; only the first is read", name)
    return picture


def _content(path: str | os.PathLike[str], name: str) -> bytes:
    """The bytes of the file at `path`; a pipe or device is refused before it can hang."""
    try:
        # Opening a pipe would wait for its writer, so we look first and open after.
        status = os.stat(path)  # noqa: PTH116 (Path costs as much as the look itself)
        if stat.S_ISDIR(status.st_mode):
            raise _error(name, "it is a folder", "Give a picture, or a folder that holds some")
        if not stat.S_ISREG(status.st_mode):
            raise _error(name, "it is no ordinary file", "Give a picture file, or - for stdin")
        if status.st_size > MOST_BYTES:
            size = f"{status.st_size / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:.0f}"
            raise _too_large(name, size)
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except FileNotFoundError:
        raise _error(name, "there is no such file", "Check the path") from None
    except PermissionError:
        raise _error(name, "permission denied", "Make it readable for you") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(name, reason.lower(), "Check the path and the disk") from None


def _decode(content: bytes, name: str) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _refuse_bombs(image, content, name)
            more = _has_more(image)
            image.draft("L", None)  # a JPEG's own grey: the same numbers in half the time
            _load(image)
            note = image.info.get(NOTE_KEY, "")
            grey, alpha = _grey_and_alpha(_upright(image))
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(name, _MEGAPIXELS) from None
    except UnidentifiedImageError:
        if content.startswith(_STARTS):
            raise _damaged(name) from None
        raise _no_picture(name, content) from None
    except Exception as error:  # broken files make Pillow raise nearly anything
        raise _damaged(name) from error
    if not grey.size:
        raise _damaged(name)
    return Picture(name, grey, alpha, note if isinstance(note, str) else "", more)


def _refuse_bombs(image: Image.Image, content: bytes, name: str) -> None:
    """Raise where a few bytes would take much memory or time."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise _too_large(name, _MEGAPIXELS)
    if image.format == "BMP":  # Pillow undoes its runs in Python, byte by byte
        if pixels > _MOST_IN_RUNS and image.info.get("compression") in (1, 2):
            raise _too_large(name, f"more than {_MOST_IN_RUNS / 1e6:.0f} megapixels in runs")
    elif image.format == "TIFF":  # one tile of a small picture may be declared huge
        wide, high = (getattr(image, "tag_v2", {}).get(side, 1) for side in _TILE_SIDES)
        if wide * high > MOST_PIXELS:
            raise _damaged(name)
    elif image.format in ("JPEG", "MPO"):  # each of its scans goes over all pixels again
        # Chance makes the mark of one in 65,536 bytes, as in a film that a phone has appended.
        by_chance = len(content) // 50_000
        if content.count(b"\xff\xda") > _MOST_SCANS + by_chance:
            raise _damaged(name)


def _has_more(image: Image.Image) -> bool:
    """Whether further frames or pages follow. They are not counted: that may take long."""
    if image.format == "MPO":  # a phone's JPEG; what follows is a preview or a map of its light
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # the next one is broken, this one may be good
        return False


def _load(image: Image.Image) -> None:
    if image.format != "TIFF":
        image.load()
        return
    with native_stderr_silenced():  # libtiff prints what it finds, past Pillow
        image.load()


def _upright(image: Image.Image) -> Image.Image:
    """`image` turned as its EXIF orientation says; broken EXIF is taken for none."""
    try:
        if image.getexif().get(_ORIENTATION, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except Exception:  # the pixels are good, only the side note is not
        return image


def _grey_and_alpha(image: Image.Image) -> tuple[Grey, Grey | None]:
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image), None
    if image.mode.startswith(("I", "F")):
        return _scaled(np.asarray(image))
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L")), None
    if not image.has_transparency_data:
        if image.mode not in ("1", "RGB"):
            image = image.convert("RGB")
        return np.asarray(image.convert("L")), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    return np.asarray(image.convert("L")), np.asarray(image.getchannel("A"))


def _scaled(values: NDArray[Any]) -> tuple[Grey, Grey | None]:
    """More than 8 bits, or fractions, to 0..255. What is not a number becomes clear."""
    numbers = np.isfinite(values)
    if not numbers.any():
        return np.zeros(values.shape, np.uint8), np.zeros(values.shape, np.uint8)
    if numbers.all():
        low, high = float(values.min()), float(values.max())
    else:
        low = float(values.min(where=numbers, initial=np.inf))
        high = float(values.max(where=numbers, initial=-np.inf))
    full = next((scale for scale in _FULL_SCALES if high <= scale), None)
    if low >= 0 and full is not None:
        low, high = 0.0, full
    scale = 255 / (high - low) if high > low else 0.0
    grey = np.empty(values.shape, np.uint8)
    flat = grey.reshape(-1)
    for start in range(0, flat.size, _PART):
        part = slice(start, start + _PART)
        known = np.where(numbers.reshape(-1)[part], values.reshape(-1)[part], np.float64(low))
        flat[part] = np.rint((known - low) * scale)
    alpha = None if numbers.all() else numbers.astype(np.uint8) * np.uint8(255)
    return grey, alpha


def _error(name: str, reason: str, todo: str) -> PictureError:
    return PictureError(f"cannot read {name}: {reason}", todo)


def _damaged(name: str) -> PictureError:
    return _error(name, "it is cut short or damaged", "Save or copy it again")


def _too_large(name: str, size: str) -> PictureError:
    return _error(name, f"it is too large ({size})", "Make it smaller or cut out the digit")


def _no_picture(name: str, content: bytes) -> PictureError:
    kind = "HEIC or AVIF, which is not read here" if content[4:8] == b"ftyp" else "not a picture"
    if content.startswith(b"%PDF"):
        kind = "a PDF"
    return _error(name, f"it is {kind}", "Save it as PNG or JPEG")
