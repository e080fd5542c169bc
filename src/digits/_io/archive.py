"""Zip archives that may be damaged."""

from __future__ import annotations

import struct
import zipfile
import zlib

ZIP_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError,
    OverflowError, struct.error,
)  # fmt: skip
"""What `zipfile` raises for an archive whose records are wrong."""

ENCRYPTED = 1
"""A bit of the flags of a member."""
