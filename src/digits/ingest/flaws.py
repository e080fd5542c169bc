"""Flaws of a data set that make models bad without an error: said once, with what mends them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..data.arrays import Images, Labels
from ..data.dataset import Dataset, Splits
from ..recognition import rejector
from ..recognition.rejector import NO_DIGIT

log = logging.getLogger(__name__)

WAYS = {
    "--invert": "dark on light",
    "--transpose": "with rows and columns swapped",
    "--invert --transpose": "dark on light, with rows and columns swapped",
}
"""Options that turn images over, and what images are that need them."""

_SAMPLE = 300  # images that are recognized
_SOME = 10  # images: of fewer, all may well be one digit
_FEW = 30  # images: of fewer, digits may well be missing
_LEGIBLE = 0.6  # share of labels that are recognized: so many, and images are as they should be
_BETTER = 0.3  # more than as they are: images should be inverted or transposed
_BY_CHANCE = 0.3  # fewer labels are recognized of labels in disorder
_REPEATED = 0.02  # share of all images that are one
_FRAME = 64  # of 255: all pixels of an image's edge are lighter than this with a frame around
_FRAMED = 0.9  # share of the images that have one
_MIXED = 0.02  # share of the images whose values go to 1 where those of others go to 255


class Flaw(NamedTuple):
    """What seems to be wrong, and what mends it."""

    problem: str
    remedy: str


def warn_of_flaws(splits: Splits) -> None:
    """Log a warning for each flaw of a data set."""
    for dataset in splits.values():
        for problem, remedy in find_flaws(dataset):
            log.warning("%s: %s. %s", dataset.name, problem, remedy)


def find_flaws(dataset: Dataset, ways: Iterable[str] = WAYS) -> list[Flaw]:
    """What seems to be wrong with a data set.

    The shipped rejector is the witness: images that it recognizes only when they are inverted or
    transposed are not as they should be, and labels that it hardly ever agrees with are in
    disorder.

    Args:
        dataset: The data set.
        ways: The `WAYS` that are there to mend it.
    """
    turned = _turned(dataset, ways)
    return [*turned, *_of_labels(dataset), *([] if turned else _of_images(dataset))]


def _turned(dataset: Dataset, ways: Iterable[str]) -> list[Flaw]:
    step = max(1, len(dataset) // _SAMPLE)
    images, labels = dataset.images[::step][:_SAMPLE], dataset.labels[::step][:_SAMPLE]
    shares = {way: share_recognized(_turn(images, way), labels) for way in ("", *ways)}
    best = max(shares, key=lambda way: shares[way])
    if shares[best] >= max(_LEGIBLE, shares[""] + _BETTER):
        problem = (
            f"the images seem to be {WAYS[best]}: {shares[best]:.0%} of the labels fit them so, "
            f"{shares['']:.0%} as they are"
        )
        return [Flaw(problem, f"Give {best}")]
    if shares[best] < _BY_CHANCE and len(labels) >= _FEW and np.ptp(labels):
        problem = f"the labels hardly ever fit the images: {shares['']:.0%} do"
        return [Flaw(problem, "Check whether they are in the same order")]
    return []


def _turn(images: Images, way: str) -> Images:
    """The images as these options make them."""
    if "--transpose" in way:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return 255 - images if "--invert" in way else images


def share_recognized(images: Images, labels: Labels) -> float:
    """The share of images whose label is what the rejector takes them for, were they digits."""
    guesses = rejector.probabilities(images)[:, :NO_DIGIT].argmax(axis=1)
    return float((guesses == labels).mean())


def _of_labels(dataset: Dataset) -> list[Flaw]:
    missing = np.flatnonzero(dataset.counts == 0).tolist()
    if len(missing) == 9 and len(dataset) >= _SOME:
        problem = f"all {len(dataset):,} labels are {dataset.labels[0]}"
        return [Flaw(problem, "Check the labels")]
    if missing and len(dataset) >= _FEW:
        *others, last = map(str, missing)
        problem = f"there is no {', '.join(others)}{' or ' if others else ''}{last}"
        return [
            Flaw(problem, "A model that learns from it alone never answers with what is missing")
        ]
    return []


def _of_images(dataset: Dataset) -> list[Flaw]:
    flaws = []
    images = dataset.images
    _, repeats = np.unique(dataset.digests, return_counts=True)
    if repeats.max() > max(5, _REPEATED * len(dataset)):
        problem = f"one image is there {repeats.max():,} times"
        flaws.append(Flaw(problem, "Remove its copies"))
    highest = images.max(axis=(1, 2))
    to_one = float(((highest > 0) & (highest <= 1)).mean())
    if _MIXED < to_one < 1 - _MIXED:
        problem = f"the values of {to_one:.0%} of the images go to 1, those of the others to 255"
        flaws.append(Flaw(problem, "Multiply the first by 255"))
    edges = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    framed = float((np.concatenate(edges, axis=1).min(axis=1) > _FRAME).mean())
    if framed > _FRAMED:
        problem = f"{framed:.0%} of the images have a light frame"
        flaws.append(Flaw(problem, "Cut it off: digits of MNIST have a dark edge"))
    return flaws
