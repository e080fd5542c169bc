"""The one shape in which every room hands digits to another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures of single digits with their labels.

    images: (n, 28, 28) uint8, 0..255, white ink on black.
    labels: (n,) uint8, 0..9.
    name: what to call the set in results, e.g. `mnist test`.
    Raises DataError when the arrays do not fit this description.
    """

    images: Images
    labels: Labels
    name: str = "data"

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", checked_images(self.images, self.name))
        object.__setattr__(self, "labels", checked_labels(self.labels, self.name))
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{self.name} has {len(self.images):,} pictures but {len(self.labels):,} labels",
                "Give each picture one label",
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(10,) pictures of each digit."""
        return np.bincount(self.labels, minlength=10)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over shape, dtype and bytes of images and labels."""
        digest = hashlib.sha256()
        for array in (self.images, self.labels):
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @cached_property
    def digests(self) -> NDArray[np.uint64]:
        """(n,) 40-bit BLAKE2b hash of each picture, to find the same picture in another set.

        Two different pictures share one with a chance of 1e-12.
        """
        blake = hashlib.blake2b
        joined = b"".join(blake(i, digest_size=5).digest() + b"\0\0\0" for i in self.images)
        return np.frombuffer(joined, "<u8")

    def count_in(self, digests: NDArray[np.uint64]) -> int:
        """How many of the pictures are among those with these `digests`."""
        return int(np.isin(self.digests, digests).sum())

    def take(self, indices: Indices | slice) -> Dataset:
        """The pictures at `indices`, in that order."""
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def limit(self, count: int | None) -> Dataset:
        """The first `count` pictures (all when None or when there are fewer)."""
        return self if count is None else self.take(slice(count))

    def shuffled(self, seed: int) -> Dataset:
        """The same pictures in an order decided by `seed`."""
        return self.take(np.random.default_rng(seed).permutation(len(self)))

    def held_out(self, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
        """Part the set in (kept, held out), each digit in proportion, decided by `seed`.

        fraction: 0 < fraction < 1, the share held out. The order within both parts is the set's.
        Raises DataError when either part would be empty.
        """
        count = round(len(self) * fraction)
        if not 0 < count < len(self):
            raise DataError(
                f"{self.name} has {len(self):,} pictures, too few to hold out {fraction:.0%}",
                "Add pictures or choose another fraction",
            )
        shuffled = np.random.default_rng(seed).permutation(len(self))
        by_digit = shuffled[np.argsort(self.labels[shuffled], kind="stable")]
        # Evenly spaced places in the list sorted by digit: exact in total and, within one
        # picture, for each digit.
        held = np.zeros(len(self), bool)
        held[by_digit[((np.arange(count) + 0.5) / count * len(self)).astype(int)]] = True
        return self.take(~held), self.take(held)


@dataclass(frozen=True)
class Splits:
    """A data set as it was found: `train` and `test`, one of them, or `all` when it is unsplit."""

    name: str
    parts: dict[str, Dataset]

    def __getitem__(self, part: str) -> Dataset:
        if part not in self.parts:
            raise DataError(
                f"{self.name} has no part '{part}'", f"Choose {' or '.join(self.parts)}"
            )
        return self.parts[part]

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.parts.values())

    def part(self, name: str) -> Dataset:
        """`train`, `test` or `all` of it; a set without parts is given whole.

        Raises DataError when it has parts, but not this one.
        """
        if name == "all" or set(self.parts) == {"all"}:
            return joined(list(self), self.name) if len(self.parts) > 1 else next(iter(self))
        return self[name]

    @property
    def for_training(self) -> Dataset:
        """The pictures to learn from: `train`, or `all` of an unsplit set."""
        return self["train" if "train" in self.parts or "all" not in self.parts else "all"]


def joined(sets: Sequence[Dataset], name: str) -> Dataset:
    """All pictures of `sets`, one set after the other."""
    return Dataset(
        np.concatenate([s.images for s in sets]), np.concatenate([s.labels for s in sets]), name
    )


def joined_splits(sets: Sequence[Splits], name: str) -> Splits:
    """Join data sets part by part: train with train, test with test, whole with whole.

    Raises DataError when some have parts and others have none.
    """
    names = list(dict.fromkeys(part for splits in sets for part in splits.parts))
    if "all" in names and len(names) > 1:
        whole = next(splits.name for splits in sets if "all" in splits.parts)
        raise DataError(
            f"{whole} is not split into train and test, but other sets are",
            "Split it first, with `digits ingest --test-fraction`",
        )
    parts = {
        part: joined([splits[part] for splits in sets if part in splits.parts], f"{name} {part}")
        for part in names
    }
    return Splits(name, parts)


def checked_images(images: NDArray[Any], name: str) -> Images:
    """`images` as (n, 28, 28) uint8; also takes (n, 784), (n, 28, 28, 1) and whole-number floats.

    Raises DataError for other shapes, values outside 0..255, fractions and NaN.
    """
    array = np.asarray(images)
    shape = array.shape
    if array.ndim >= 2 and array[:1].size == 784 and shape[1:] in ((784,), (28, 28), (28, 28, 1)):
        array = array.reshape(-1, 28, 28)
    elif shape[:1] != (0,):
        raise DataError(
            f"the pictures of {name} have shape {shape}", "Give (n, 28, 28) arrays of pixels"
        )
    if not len(array):
        raise DataError(f"{name} holds no pictures", "Give at least one")
    todo = "Give whole numbers from 0 (black) to 255 (white ink)"
    return _as_uint8(array, 255, f"the pixels of {name}", todo)


def checked_labels(labels: NDArray[Any], name: str) -> Labels:
    """`labels` as (n,) uint8; also takes one-hot (n, 10). Raises DataError outside 0..9."""
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 10 and _is_one_hot(array):
        array = array.argmax(axis=1)
    elif array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"the labels of {name} have shape {array.shape}", "Give one per picture")
    return _as_uint8(array, 9, f"the labels of {name}", "Give whole numbers from 0 to 9")


def _is_one_hot(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "biuf" and bool(
        np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()
    )


def _as_uint8(array: NDArray[Any], highest: int, what: str, todo: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 and highest == 255:
        return array
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what} are of type {array.dtype}", todo)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{what} hold NaN or infinity", todo)
    low, high = array.min(initial=0), array.max(initial=0)
    if low < 0 or high > highest:
        raise DataError(f"{what} run from {low:g} to {high:g}", todo)
    converted = array.astype(np.uint8)
    if array.dtype.kind == "f" and (converted != array).any():
        raise DataError(f"{what} hold fractions", todo)
    return converted
