"""Files that may be packed with gzip, whatever their names say."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error)
"""What `read_unpacked` raises for a packed file that is damaged."""

_GZIP = b"\x1f\x8b"


def read_unpacked(path: Path) -> bytes:
    """The content of a file, unpacked if it is packed."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(_GZIP) else content
