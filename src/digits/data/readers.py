"""Read a data set from a path: npz, idx folder, csv, or a folder of pictures."""

from __future__ import annotations

import gzip
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, OutputError
from ..files import check_writable, refuse_existing, replacing
from .dataset import Dataset, Splits, checked_images, checked_labels

MAX_BYTES = 4 << 30
"""Refuse archives that would unpack to more than this: 5 million pictures."""

_IDX_NAME = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
_NPZ_PARTS = {
    "train": ("x_train", "y_train"),
    "test": ("x_test", "y_test"),
    "all": ("images", "labels"),
}
FORMATS = "an .npz, a .csv, a folder of idx files or a folder of pictures"


def read(path: Path) -> Splits:
    """Read the data set at `path`, whatever its format (see `FORMATS`).

    Raises DataError when nothing is there or it cannot be understood. Nothing is unpickled.
    """
    name = path.name or str(path)
    try:
        if path.is_dir():
            return _read_folder(path, name)
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise DataError(f"{path} {what}", f"Give {FORMATS}, or one of: mnist, sample")
        return _reader_for(path)(path, name)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"cannot read {path}: {reason}", "Check the file") from error


def _reader_for(path: Path) -> Callable[[Path, str], Splits]:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes[-1:] == [".npz"]:
        return read_npz
    if suffixes[-1:] == [".csv"] or suffixes[-2:] == [".csv", ".gz"]:
        return read_csv
    if _IDX_NAME.fullmatch(path.name):
        raise DataError(
            f"{path} is half of an idx pair", f"Give the folder that holds it: {path.parent}"
        )
    raise DataError(f"{path} is no data set", f"Give {FORMATS}")


def _read_folder(path: Path, name: str) -> Splits:
    if is_idx_folder(path):
        return read_idx(path, name)
    from .ingest import ingest  # decoding pictures is a room of its own

    return ingest([path], strict=True).splits


def read_npz(path: Path, name: str) -> Splits:
    """Read `x_train y_train x_test y_test` (or one pair of them), or `images labels`."""
    try:
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path} is damaged or no .npz", "Write it again")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            size = sum(entry.file_size for entry in archive.zip.infolist())
            if size > MAX_BYTES:
                raise DataError(f"{path} unpacks to {size >> 20:,} MB", "Split it into parts")
            return _npz_parts(archive, path, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, AttributeError) as error:
        raise DataError(f"{path} is damaged or no .npz", "Write it again") from error
    except ValueError as error:
        todo = "Write it again with np.savez_compressed and plain number arrays"
        if "pickle" in str(error).lower():
            raise DataError(f"{path} holds pickled objects, which can run code", todo) from error
        raise DataError(f"{path} is damaged", todo) from error


def _npz_parts(archive: Any, path: Path, name: str) -> Splits:
    parts = {}
    for part, (images, labels) in _NPZ_PARTS.items():
        if images in archive and labels in archive:
            label = name if part == "all" else f"{name} {part}"
            parts[part] = Dataset(archive[images], archive[labels], label)
        elif images in archive or labels in archive:
            there, missing = (images, labels) if images in archive else (labels, images)
            raise DataError(f"{path} has {there} but no {missing}", "Add the missing array")
    if not parts:
        found = ", ".join(archive.files) or "nothing"
        raise DataError(
            f"{path} holds {found}",
            "Name the arrays x_train y_train x_test y_test, or images labels",
        )
    if len(parts) > 1:
        parts.pop("all", None)
    return Splits(name, parts)


def save_npz(splits: Splits, path: str | os.PathLike[str]) -> None:
    """Write `splits` in MNIST's own layout (or `images`/`labels`), whole or not at all."""
    arrays: dict[str, Any] = {}
    for part, dataset in splits.parts.items():
        names = ("images", "labels") if part == "all" else (f"x_{part}", f"y_{part}")
        arrays |= dict(zip(names, (dataset.images, dataset.labels), strict=True))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def arrays_beside(splits: Splits, path: Path) -> list[str]:
    """The arrays in the `.npz` at `path` that are not in `splits`, which was read from it."""
    known = {name for part in splits.parts for name in _NPZ_PARTS[part]}
    with np.load(path, allow_pickle=False) as archive:
        return sorted(set(archive.files) - known)


def check_npz_output(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise OutputError when `save_npz` could not write `path`; call before long work."""
    if Path(path).suffix != ".npz":
        raise OutputError(
            f"a data set cannot be written to {path}", "Give a name that ends in .npz"
        )
    refuse_existing(path, overwrite)
    check_writable(path)


def is_idx_folder(path: Path) -> bool:
    """Whether `path` holds files in the format of MNIST's original distribution."""
    return any(_IDX_NAME.fullmatch(entry.name) for entry in path.iterdir())


def read_idx(folder: Path, name: str) -> Splits:
    """Read `train-images-idx3-ubyte(.gz)` and its three companions; a lone pair will do.

    Format: http://yann.lecun.com/exdb/mnist/ (big-endian header, then the bytes).
    """
    arrays: dict[tuple[str, str], NDArray[np.uint8]] = {}
    for path in sorted(folder.iterdir()):
        if match := _IDX_NAME.fullmatch(path.name):
            part = "train" if match[1] == "train" else "test"
            arrays[part, match[2]] = _read_idx_file(path, 3 if match[2] == "images" else 1)
    parts = {}
    for part in ("train", "test"):
        kinds = [kind for kind in ("images", "labels") if (part, kind) in arrays]
        if len(kinds) == 1:
            raise DataError(f"{folder} has only the {kinds[0]} of {part}", "Add its companion")
        if kinds:
            images, labels = (arrays[part, kind] for kind in kinds)
            parts[part] = Dataset(images, labels, f"{name} {part}")
    return Splits(name, parts)


def _read_idx_file(path: Path, dimensions: int) -> NDArray[np.uint8]:
    damaged = DataError(f"{path} is damaged or no idx file", "Download it again")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damaged from error
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise damaged
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) != header + int(np.prod(shape, dtype=object)):
        raise damaged
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_csv(path: Path, name: str) -> Splits:
    """Read lines of `label,pixel0…pixel783`, with or without that header."""
    todo = "Give lines of a label and 784 pixels: label,pixel0,…,pixel783"
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            first = file.readline()
        cell = first.split(",")[0].strip().strip('"').lower()
        header = bool(re.search("[a-z]", re.sub("nan|e[+-]", "", cell)))
        if header and cell != "label":
            raise DataError(f"the first column of {path} is not 'label'", todo)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an empty file is answered below
            table = np.loadtxt(
                path, np.float32, delimiter=",", skiprows=int(header), ndmin=2, quotechar='"'
            )
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error).splitlines()[0].rstrip(".").removesuffix("; use `usecols`")
        raise DataError(f"cannot read {path}: {reason}", todo) from error
    if not table.size:
        raise DataError(f"{path} is empty", todo)
    if table.shape[1] != 785:
        raise DataError(f"{path} has {table.shape[1]} columns instead of 785", todo)
    return Splits(
        name,
        {
            "all": Dataset(
                checked_images(table[:, 1:], name), checked_labels(table[:, 0], name), name
            )
        },
    )
