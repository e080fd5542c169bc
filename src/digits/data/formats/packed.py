"""Files that may be packed with gzip, whatever their names say."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a packed file raises if it is damaged."""

_GZIP = b"\x1f\x8b"


@contextmanager
def open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to read its content, which is unpacked while it is read if it is packed."""
    with path.open("rb") as file:
        packed = file.peek(len(_GZIP)).startswith(_GZIP)
        yield cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file
