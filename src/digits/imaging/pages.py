"""Files that hold several pictures: the pages of PDF and TIFF files."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .._io import child
from .._io.temporary import scratch_folder
from ..errors import PictureError

MAX_PAGES = 10_000
"""Of one file."""

_MAX_SIDE = 3000  # pixels of a page's longer side: A4 at 260 dots per inch
_MAX_SECONDS = 4  # of processor time for a page; ordinary ones take 0.3
_TIMEOUT = 15  # seconds, on a busy machine
_MAX_MEMORY = 1 << 30
_SUFFIXES = (".pdf", ".tif", ".tiff")
_PDF = b"%PDF"
_TIFF = (b"II*\0", b"MM\0*")
_lock = threading.Lock()  # PDFium is not thread-safe


@dataclass(frozen=True)
class Page:
    """One page of a file.

    Attributes:
        path: The file, or what to call it.
        number: From 0.
        content: Of the file, where it is not to be read from `path`.
    """

    path: str
    number: int
    content: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What to call it in results and errors: `file.pdf#2` is the second page."""
        return f"{self.path}#{self.number + 1}"

    @property
    def source(self) -> str | bytes:
        """What the page is read from."""
        return self.path if self.content is None else self.content


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


def pages_in(content: bytes, name: str) -> list[Page]:
    """The pages of a PDF or TIFF file by its content; any other file has one."""
    several = content.startswith((_PDF, *_TIFF))
    count = _count(content) if several else 1
    return [Page(name, number, content) for number in range(max(1, min(count, MAX_PAGES)))]


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
    damaged = PictureError("the PDF is damaged or takes too long to draw", "Save it as a picture")
    with scratch_folder() as folder:
        source, target = folder / "file.pdf", folder / "page.npz"
        source.write_bytes(content)
        child.run(__name__, source, target, number, timeout=_TIMEOUT, failure=damaged)
        with np.load(target) as drawn:
            return drawn["gray"], bool(drawn["more"])


def _draw(source: Path, target: Path, number: str) -> None:
    """The work of the child process: draw a page, which may take for ever or all memory."""
    import pypdfium2

    child.limit_process(_MAX_SECONDS, _MAX_MEMORY)
    try:
        with _opened(str(source)) as document:
            page = document[int(number)]
            scale = _MAX_SIDE / max(*page.get_size(), 1.0)
            bitmap = page.render(scale=scale, grayscale=True)
            gray = np.atleast_3d(bitmap.to_numpy())[..., 0]  # some versions drop the axis
            np.savez(target, gray=gray, more=len(document) > 1)
    except (pypdfium2.PdfiumError, IndexError, ValueError, MemoryError) as error:
        if "password" in str(error).lower():
            raise PictureError(
                "the PDF is locked with a password", "Save it without the password"
            ) from error
        raise PictureError("the PDF is damaged", "Save or copy it again") from error


def _count(source: str | bytes) -> int:
    """The number of pages of the file at a path, or of its content."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:  # noqa: PTH123
            if is_pdf(file.read(len(_PDF))):
                with _opened(source) as document:
                    return len(document)
            file.seek(0)
            with Image.open(file, formats=("TIFF",)) as image:
                return int(getattr(image, "n_frames", 1))
    except Exception:  # whatever it is, decoding it reports it
        return 1


@contextmanager
def _opened(source: str | bytes) -> Iterator[Any]:
    """The PDF at a path, or with this content."""
    import pypdfium2

    with _lock, closing(pypdfium2.PdfDocument(source)) as document:
        yield document


if __name__ == "__main__":
    sys.exit(child.main(_draw))
