"""Parquet files with the bytes of pictures, as today's data hubs hand MNIST out.

Columns: `image` (bytes of a PNG, or a struct of `bytes` and `path`) and `label`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...imaging.decode import decode
from ..arrays import Images, as_images
from ..dataset import Dataset, Splits, joined
from .confined import Arrays, read_confined, work_confined
from .limits import SizeLimit
from .npz import listed

_REMEDY = "Give files with the columns image and label"
_PARTS = ("train", "test")
_BATCH = 1000  # rows at a time
_BYTES_OF_ONE = 785  # an image and its label
_DEPTH = 2  # folders below the given one


def matches(path: Path) -> bool:
    """See `Reader`."""
    return bool(_files(path))


def read(path: Path, name: str, max_size: int | None = None) -> Splits:
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
    limit = SizeLimit(files, max_size)
    parts = {}
    for part in (*_PARTS, "all"):
        if part in by_part:
            title = name if part == "all" else f"{name} {part}"
            parts[part] = joined([_read_file(f, title, limit) for f in by_part[part]], title)
    return Splits(name, parts)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else []
    for depth in range(_DEPTH + 1):
        if found := sorted(path.glob("/".join(["*"] * depth + ["*.parquet"]))):
            return found
    return []


def _read_file(path: Path, name: str, limit: SizeLimit) -> Dataset:
    arrays = read_confined(__name__, path, limit, _damaged(path))
    limit.count(arrays["images"].nbytes + arrays["labels"].nbytes, path)
    return Dataset(arrays["images"], arrays["labels"], name)


def _read(path: Path, limit: SizeLimit) -> Arrays:
    """The arrays `images` and `labels`."""
    try:
        import pyarrow.parquet as pq
        from pyarrow.lib import ArrowException
    except ImportError as error:
        problem = "Parquet files need the package pyarrow"
        raise DataError(problem, "Install digits[formats]", path) from error
    images: list[Images] = []
    labels: list[Any] = []
    try:
        with pq.ParquetFile(path) as file:
            if not {"image", "label"} <= set(file.schema_arrow.names):
                found = listed(file.schema_arrow.names)
                raise DataError(f"its columns are {found}", _REMEDY, path)
            limit.count(_BYTES_OF_ONE * file.metadata.num_rows, path)
            for rows in file.iter_batches(_BATCH, columns=["image", "label"], use_threads=False):
                labels += rows.column("label").to_pylist()
                images.append(_decoded(rows.column("image").to_pylist(), len(labels), path))
    except MemoryError:  # of Arrow, too
        raise
    except (ArrowException, OSError) as error:
        raise _damaged(path) from error
    if not images:
        raise DataError("it contains no images", _REMEDY, path)
    return {"images": np.concatenate(images), "labels": np.array(labels)}


def _decoded(values: list[Any], last: int, path: Path) -> Images:
    """The images of some rows, of which the last is number `last`: (n, 28, 28) uint8."""
    images = np.empty((len(values), 28, 28), np.uint8)
    for row, value in enumerate(values):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise DataError("its column image holds no bytes of pictures", _REMEDY, path)
        name = f"{path.name}#{last - len(values) + row + 1}"
        images[row] = as_images(decode(content, name).gray[None], f"the picture {name}")[0]
    return images


def _damaged(path: Path) -> DataError:
    return DataError("the file is damaged or no Parquet file", "Download it again", path)


if __name__ == "__main__":
    sys.exit(work_confined(_read))
