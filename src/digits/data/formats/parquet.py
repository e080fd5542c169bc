"""Parquet files with the bytes of pictures, as today's data hubs hand MNIST out.

Columns: `image` (bytes of a PNG, or a struct of `bytes` and `path`) and `label`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...imaging.decode import decode
from ..arrays import Images
from ..dataset import Dataset, Splits

_REMEDY = "Give files with the columns image and label"
_PARTS = ("train", "test")
_DEPTH = 2  # folders below the given one


def matches(path: Path) -> bool:
    """See `Reader`."""
    return bool(_files(path))


def read(path: Path, name: str) -> Splits:
    """Read a file, or all of a folder: those with `train` or `test` in their names are these parts.

    Needs the extra `digits[formats]`. See `Reader`.
    """
    files = _files(path)
    by_part: dict[str, list[Path]] = {}
    for file in files:
        part = next((part for part in _PARTS if part in file.stem.lower()), "all")
        by_part.setdefault(part, []).append(file)
    if "all" in by_part and len(by_part) > 1:
        problem = "it is neither of train nor of test, which other files are"
        raise DataError(problem, "Give the files in a folder of their own", by_part["all"][0])
    parts = {}
    for part in (*_PARTS, "all"):
        if part in by_part:
            images, labels = zip(*map(_read_file, by_part[part]), strict=True)
            title = name if part == "all" else f"{name} {part}"
            parts[part] = Dataset(np.concatenate(images), np.concatenate(labels), title)
    return Splits(name, parts)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else []
    for depth in range(_DEPTH + 1):
        if found := sorted(path.glob("/".join(["*"] * depth + ["*.parquet"]))):
            return found
    return []


def _read_file(path: Path) -> tuple[Images, Any]:
    try:
        import pyarrow.parquet as pq
        from pyarrow.lib import ArrowException
    except ImportError as error:
        problem = "Parquet files need the package pyarrow"
        raise DataError(problem, "Install digits[formats]", path) from error
    try:
        with pq.ParquetFile(path) as file:
            if not {"image", "label"} <= set(file.schema_arrow.names):
                found = ", ".join(file.schema_arrow.names)
                raise DataError(f"its columns are {found}", _REMEDY, path)
            table = file.read(["image", "label"])
    except (ArrowException, OSError) as error:
        raise DataError(
            "the file is damaged or no Parquet file", "Download it again", path
        ) from error
    pictures = [_content(value, path) for value in table.column("image").to_pylist()]
    images = [decode(content, f"{path}#{n}").gray for n, content in enumerate(pictures, 1)]
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise DataError(f"its images have {len(shapes)} sizes", "Give images of 28×28", path)
    return np.stack(images), np.array(table.column("label").to_pylist())


def _content(value: Any, path: Path) -> bytes:
    content = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(content, bytes):
        raise DataError("its column image holds no bytes of pictures", _REMEDY, path)
    return content
