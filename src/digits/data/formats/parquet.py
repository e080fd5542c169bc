"""Parquet files, as today's data hubs hand MNIST out.

Columns: `image` (bytes of a PNG, a struct of `bytes` and `path`, or a list of pixels) and `label`;
or `label` and 784 columns of pixels.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...imaging.decode import decode
from ..arrays import Images, as_images
from ..dataset import Dataset, Splits, joined
from .confined import Arrays, read_confined, work_confined
from .limits import SizeLimit
from .names import ARRAYS, IMAGE_NAMES, LABEL_NAMES, column, listed, part_of

_REMEDY = "Give files with the columns image and label"
_PIXELS = 784
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
        by_part.setdefault(part_of(file), []).append(file)
    if "all" in by_part and len(by_part) > 1:
        problem = "it is neither of train nor of test, which other files are"
        raise DataError(problem, "Give the files in a folder of their own", by_part["all"][0])
    limit = SizeLimit(files, max_size)
    parts = {}
    for part in ARRAYS:
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
    images: list[NDArray[Any]] = []
    labels: list[Any] = []
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            label, image = column(names, LABEL_NAMES), column(names, IMAGE_NAMES)
            pixels = [image] if image else [name for name in names if name != label]
            if label is None or len(pixels) not in (1, _PIXELS):
                raise DataError(f"its columns are {listed(names)}", _REMEDY, path)
            limit.count(_BYTES_OF_ONE * file.metadata.num_rows, path)
            for rows in file.iter_batches(_BATCH, columns=[label, *pixels], use_threads=False):
                labels += rows.column(label).to_pylist()
                columns = [rows.column(name) for name in pixels]
                values = columns[0].to_pylist() if image else np.stack(columns, axis=1)
                if isinstance(values, list) and not isinstance(values[0], list):
                    images.append(_decoded(values, len(labels), path))
                else:
                    images.append(_small(np.array(values).reshape(len(values), -1)))
    except MemoryError:  # of Arrow, too
        raise
    except (ArrowException, OSError) as error:
        raise _damaged(path) from error
    if not images:
        raise DataError("it contains no images", _REMEDY, path)
    of_all = as_images(np.concatenate(images), f"the images of {path.name}")
    return {"images": of_all, "labels": np.array(labels)}


def _decoded(values: list[Any], last: int, path: Path) -> Images:
    """The images of some rows, of which the last is number `last`: (n, 28, 28) uint8."""
    images = np.empty((len(values), 28, 28), np.uint8)
    for row, value in enumerate(values):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise DataError("its images are neither pictures nor pixels", _REMEDY, path)
        name = f"{path.name}#{last - len(values) + row + 1}"
        images[row] = as_images(decode(content, name).gray[None], f"the picture {name}")[0]
    return images


def _small(pixels: NDArray[Any]) -> NDArray[Any]:
    """The same values in few bytes; what is none of them is left for `as_images` to refuse."""
    if pixels.dtype.kind in "iu" and pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= 255:
        return pixels.astype(np.uint8)
    return pixels.astype(np.float32) if pixels.dtype.kind == "f" else pixels


def _damaged(path: Path) -> DataError:
    return DataError("the file is damaged or no Parquet file", "Download it again", path)


if __name__ == "__main__":
    sys.exit(work_confined(_read))
