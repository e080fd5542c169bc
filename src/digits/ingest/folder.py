"""Folders of picture files as a data set format (see `data.formats.Reader`)."""

from __future__ import annotations

from pathlib import Path

from ..data.dataset import Splits
from .pictures import ingest, require_complete


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.is_dir()


def read(path: Path, name: str) -> Splits:
    """Read the labeled pictures below `path`, all of which must be usable.

    See `Reader`.
    """
    result = ingest([path], name=name, check=False)
    require_complete(result)
    return result.splits
