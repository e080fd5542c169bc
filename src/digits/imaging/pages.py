"""Files that hold several pictures: the pages of PDF and TIFF files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import PictureError

MAX_PAGES = 10_000
"""Of one file."""

_MAX_SIDE = 3000  # pixels of a page's longer side: A4 at 260 dots per inch
_SUFFIXES = (".pdf", ".tif", ".tiff")
_PDF = b"%PDF"
_lock = threading.Lock()  # PDFium is not thread-safe


@dataclass(frozen=True)
class Page:
    """One page of a file.

    Attributes:
        path: The file.
        number: From 0.
    """

    path: str
    number: int

    @property
    def name(self) -> str:
        """What to call it in results and errors: `file.pdf#2` is the second page."""
        return f"{self.path}#{self.number + 1}"


def pages_of(path: str | os.PathLike[str]) -> Iterator[str | Page]:
    """The pages of a PDF or TIFF file that has several, by its name; any other file as it is.

    A damaged file comes as it is, too: decoding it reports it.
    """
    name = os.fspath(path)
    count = _count(name) if name.lower().endswith(_SUFFIXES) else 1
    if count < 2:
        yield name
        return
    for number in range(min(count, MAX_PAGES)):
        yield Page(name, number)


def is_pdf(content: bytes) -> bool:
    """Whether the content of a file is a PDF."""
    return content.startswith(_PDF)


def render(content: bytes, number: int = 0) -> tuple[NDArray[np.uint8], bool]:
    """Draw a page of a PDF.

    Args:
        content: Of the file.
        number: Of the page, from 0.

    Returns:
        (h, w) uint8 gray, the longer side 3,000 pixels; and whether the file has more pages.

    Raises:
        PictureError: It is damaged, or locked with a password.
    """
    import pypdfium2

    try:
        with _opened(content) as document:
            page = document[number]
            scale = _MAX_SIDE / max(*page.get_size(), 1.0)
            bitmap = page.render(scale=scale, grayscale=True)
            gray = np.atleast_3d(bitmap.to_numpy())[..., 0]  # some versions drop the axis
            return np.array(gray), len(document) > 1
    except (pypdfium2.PdfiumError, IndexError, ValueError, MemoryError) as error:
        if "password" in str(error).lower():
            raise PictureError(
                "the PDF is locked with a password", "Save it without the password"
            ) from error
        raise PictureError("the PDF is damaged", "Save or copy it again") from error


def _count(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as decode opens it
            if is_pdf(file.read(len(_PDF))):
                with _opened(path) as document:
                    return len(document)
        with Image.open(path, formats=("TIFF",)) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # whatever it is, decoding it reports it
        return 1


@contextmanager
def _opened(source: str | bytes) -> Iterator[Any]:
    """The PDF at a path, or with this content."""
    import pypdfium2

    with _lock, closing(pypdfium2.PdfDocument(source)) as document:
        yield document
