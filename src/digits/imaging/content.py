"""The content of a picture file: read whole within a limit, and known by its first bytes."""

from __future__ import annotations

import os
import stat

from .._io.files import read_error
from ..errors import PictureError
from .pixels import too_large

MAX_BYTES = 100_000_000
"""Of an encoded picture: 50 megapixels in 16 bits fit."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_VIDEOS = (b"\x1aE\xdf\xa3", b"\0\0\1\xba")  # Matroska and WebM, MPEG
_RAWS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"IIU\0")  # others are TIFF files


def read_content(source: object) -> bytes:
    """The bytes of an encoded picture.

    Args:
        source: A path, bytes, or a binary file object.

    Raises:
        PictureError: It cannot be read, is empty, or has more than `MAX_BYTES`.
    """
    content = _read(source)
    if not content:
        raise PictureError("the file is empty", "Save or copy it again")
    if len(content) > MAX_BYTES:
        raise _too_many_bytes(len(content))
    return content


def has_signature(content: bytes) -> bool:
    """Whether the content of a file begins as that of a kind of picture that can be decoded."""
    return content.startswith(_SIGNATURES) or is_heif(content)


def is_heif(content: bytes) -> bool:
    """Whether the content of a file is HEIC or another kind of HEIF, but not AVIF."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS


def no_picture(content: bytes) -> PictureError:
    """The error for the content of a file that is no picture, by what it is instead."""
    if content[4:8] == b"ftyp" or content.startswith(_VIDEOS):
        return PictureError("the file is a video", "Save a frame of it as PNG or JPEG")
    if b"<svg" in content[:1024].lower():
        return PictureError("the file is an SVG drawing", "Export it as PNG")
    if content.startswith(_RAWS):
        return PictureError("the file is a camera's raw picture", "Export it as JPEG")
    return PictureError("the file is not a picture", "Save it as PNG or JPEG")


def _read(source: object) -> bytes:
    """The bytes of a source; those of an open file end soon after `MAX_BYTES`."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _content_of_file(source)
    if not hasattr(source, "read"):
        raise PictureError(
            f"cannot decode an object of type {type(source).__name__}",
            "Give a path, bytes, a binary file object, a PIL image or a NumPy array",
        )
    parts: list[bytes] = []
    size = 0
    while size <= MAX_BYTES:
        try:
            part = source.read(MAX_BYTES + 1 - size)
        except (OSError, ValueError) as error:  # ValueError: the file is closed
            raise read_error(PictureError, None, error) from None
        if not part:
            break
        if not isinstance(part, bytes):
            raise PictureError("the file object gives no bytes", 'Open it in binary mode ("rb")')
        parts.append(part)
        size += len(part)
    if size > MAX_BYTES:
        raise too_large(f"more than {MAX_BYTES / 1e6:.0f} MB")
    return b"".join(parts)


def _content_of_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the file at `path`; a pipe or device is refused before it can block."""
    try:
        # Opening a pipe would wait for its writer, so it is examined first and opened after.
        status = os.stat(path)  # noqa: PTH116 (Path costs as much as the call itself)
        if stat.S_ISDIR(status.st_mode):
            os.scandir(path).close()  # a locked one says so
            raise PictureError("this is a folder", "Give a picture, or a folder that holds some")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError("this is not a regular file", "Give a picture file, or - for stdin")
        if status.st_size > MAX_BYTES:
            raise _too_many_bytes(status.st_size)
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise read_error(PictureError, None, error) from None


def _too_many_bytes(count: int) -> PictureError:
    return too_large(f"{count / 1e6:,.0f} MB, at most {MAX_BYTES / 1e6:.0f}")
