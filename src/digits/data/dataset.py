"""`Dataset`, images with their labels, and `Splits`, its train and test parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from .arrays import Images, Labels, as_images, as_labels

Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images of single digits with their labels.

    Two are equal when their images and labels are; the name does not count.

    Args:
        images: (n, 28, 28) pixel values, white ink on black, or anything else that `as_images`
            accepts. Kept as C-contiguous uint8, 0..255.
        labels: (n,) digits 0..9, or anything else that `as_labels` accepts. Kept as uint8.
        name: What to call the set in results, such as `mnist test`.

    Raises:
        DataError: If the arrays do not fit this description, or there is no image.
    """

    images: Images
    labels: Labels
    name: str = "data"

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_images(self.images, f"the images of {self.name}"))
        object.__setattr__(self, "labels", as_labels(self.labels, f"the labels of {self.name}"))
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{self.name} has {len(self.images):,} images but {len(self.labels):,} labels",
                "Give each image one label",
            )
        if not len(self):
            raise DataError(f"{self.name} contains no images", "Give at least one")

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self):,} pictures)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(10,) number of images of each digit."""
        return np.bincount(self.labels, minlength=10)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over shape, dtype and bytes of images and labels."""
        digest = hashlib.sha256()
        for array in (self.images, self.labels):
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            digest.update(array.data)
        return digest.hexdigest()

    @cached_property
    def digests(self) -> NDArray[np.uint64]:
        """(n,) 40-bit BLAKE2b hash of each image, to find the same image in another set.

        Two different images share one with a probability of 1e-12.
        """
        blake = hashlib.blake2b
        joined = b"".join(blake(i, digest_size=5).digest() + b"\0\0\0" for i in self.images)
        return np.frombuffer(joined, "<u8")

    def count_in(self, digests: NDArray[np.uint64]) -> int:
        """Count the images whose digests are among `digests`."""
        return int(np.isin(self.digests, digests).sum())

    def take(self, indices: Indices | slice) -> Dataset:
        """The images at `indices`, in that order."""
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def limit(self, count: int | None) -> Dataset:
        """The first `count` images (all if None or if there are fewer)."""
        return self if count is None else self.take(slice(count))

    def shuffled(self, seed: int) -> Dataset:
        """The same images in a random order that `seed` decides."""
        return self.take(np.random.default_rng(seed).permutation(len(self)))

    def held_out(self, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
        """Split at random into (kept, held out), stratified by digit; both keep the order.

        Args:
            fraction: Share to hold out, 0 < fraction < 1.
            seed: Decides which images are held out.

        Raises:
            DataError: If either part would be empty.
        """
        count = round(len(self) * fraction)
        if not 0 < count < len(self):
            raise DataError(
                f"{self.name} has {len(self):,} images, too few to hold out {fraction:.0%}",
                "Add images or choose another fraction",
            )
        shuffled = np.random.default_rng(seed).permutation(len(self))
        by_digit = shuffled[np.argsort(self.labels[shuffled], kind="stable")]
        # Evenly spaced positions in the list sorted by digit: exact in total and, within one
        # image, for each digit.
        held = np.zeros(len(self), bool)
        held[by_digit[((np.arange(count) + 0.5) / count * len(self)).astype(int)]] = True
        return self.take(~held), self.take(held)


class _NoSuchPartError(DataError, KeyError):
    """So that `in` and `get` of a Mapping work and the command line has its message."""


@dataclass(frozen=True, eq=False, repr=False)
class Splits(Mapping[str, Dataset]):
    """The parts of a data set by name: `train`, `test` or both; `all` if it is not split."""

    name: str
    parts: dict[str, Dataset]

    def __getitem__(self, part: str) -> Dataset:
        if part not in self.parts:
            raise _NoSuchPartError(
                f"{self.name} has no part '{part}'", f"Choose {' or '.join(self.parts)}"
            )
        return self.parts[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"Splits({self.name!r}, {self.sizes})"

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    @property
    def sizes(self) -> str:
        """The size of each part, for people: `train 4,000, test 1,000`."""
        return ", ".join(f"{name} {len(part):,}" for name, part in self.items())

    def part(self, name: str) -> Dataset:
        """`train`, `test` or `all` of it; a set that is not split is given whole.

        Raises:
            DataError: If it is split, but does not have this part.
        """
        if name == "all" or set(self) == {"all"}:
            sets = list(self.values())
            return joined(sets, self.name) if len(sets) > 1 else sets[0]
        return self[name]

    @property
    def for_training(self) -> Dataset:
        """The images to train on: `train`, or `all` of a set that is not split."""
        return self["train" if "train" in self or "all" not in self else "all"]


def as_dataset(value: Dataset | Sequence[ArrayLike], name: str = "data") -> Dataset:
    """Convert a tuple `(images, labels)` to a `Dataset`; a `Dataset` stays as it is.

    Args:
        value: Images and labels as `as_images` and `as_labels` accept them.
        name: What to call the set in results.

    Raises:
        DataError: If `value` is something else.
    """
    if isinstance(value, Dataset):
        return value
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise DataError(
            f"the data is {type(value).__name__}, not a data set",
            "Give a Dataset or a tuple (images, labels)",
        )
    images, labels = value
    return Dataset(images, labels, name)  # type: ignore[arg-type]  # converts them itself


def joined(sets: Sequence[Dataset], name: str) -> Dataset:
    """All images of `sets`, one set after the other."""
    return Dataset(
        np.concatenate([s.images for s in sets]), np.concatenate([s.labels for s in sets]), name
    )


def mended(splits: Splits, invert: bool, transpose: bool) -> Splits:
    """The same data set with its images inverted, or their rows and columns swapped, or both."""
    if not (invert or transpose):
        return splits

    def mend(images: Images) -> Images:
        images = 255 - images if invert else images
        return images.transpose(0, 2, 1) if transpose else images

    parts = {name: replace(part, images=mend(part.images)) for name, part in splits.items()}
    return Splits(splits.name, parts)


def joined_splits(sets: Sequence[Splits], name: str) -> Splits:
    """Join data sets part by part: train with train, test with test, whole with whole.

    Raises:
        DataError: If some are split and others are not.
    """
    names = list(dict.fromkeys(part for splits in sets for part in splits))
    if "all" in names and len(names) > 1:
        whole = next(splits.name for splits in sets if "all" in splits)
        raise DataError(
            f"{whole} is not split into train and test, but other sets are",
            "Split it first, with `digits ingest --test-fraction`",
        )
    parts = {
        part: joined([splits[part] for splits in sets if part in splits], f"{name} {part}")
        for part in names
    }
    return Splits(name, parts)
