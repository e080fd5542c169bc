"""Folders of picture files as a data set format (see `data.formats.Format`)."""

from __future__ import annotations

from pathlib import Path

from ..data.dataset import Splits

HELP = "a folder of pictures"


def matches(path: Path) -> bool:
    """See `Format`."""
    return path.is_dir()


def read(path: Path, name: str) -> Splits:
    """Read the labeled pictures below `path`, all of which must be usable.

    See `Format`.
    """
    # Loads OpenCV and the model runtime, which the other formats do not need.
    from .pictures import ingest, require_complete

    result = ingest([path], name=name, check=False)
    require_complete(result)
    return result.splits
