"""CSV files with a label and 784 pixels a line, as Kaggle distributes MNIST."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from pathlib import Path

import numpy as np

from ...errors import DataError
from ..dataset import Splits, as_dataset

_REMEDY = "Give lines of a label and 784 pixels: label,pixel0,…,pixel783"


def matches(path: Path) -> bool:
    """See `Reader`."""
    return path.name.lower().endswith((".csv", ".csv.gz")) and path.is_file()


def read(path: Path, name: str) -> Splits:
    """Read lines of `label,pixel0…pixel783`, with or without that header.

    See `Reader`.
    """
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            first = file.readline()
        cell = first.split(",")[0].strip().strip('"').lower()
        header = bool(re.search("[a-z]", re.sub("nan|e[+-]", "", cell)))
        if header and cell != "label":
            raise DataError("the first column is not 'label'", _REMEDY, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of an empty file, an error below
            table = np.loadtxt(
                path, np.float32, delimiter=",", skiprows=int(header), ndmin=2, quotechar='"'
            )
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error).splitlines()[0].rstrip(".").removesuffix("; use `usecols`")
        raise DataError(f"the file is not a table of numbers: {reason}", _REMEDY, path) from error
    if not table.size:
        raise DataError("there are no lines of pixels", _REMEDY, path)
    if table.shape[1] != 785:
        raise DataError(f"there are {table.shape[1]} columns instead of 785", _REMEDY, path)
    return Splits(name, {"all": as_dataset((table[:, 1:], table[:, 0]), name)})
