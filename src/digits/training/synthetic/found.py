"""What the finder makes of generated pages: examples for the rejector, and for what joins them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as numbers

import numpy as np
from numpy.typing import NDArray

from ..._io.workers import map_chunks
from ...data.arrays import Images, Labels
from ...data.dataset import Dataset
from ...imaging.decode import decode
from ...imaging.geometry import Box, to_mnist_geometry
from ...recognition.finder import find_digits, find_foreground
from .pages.page import Page, PageMaker

_KINDS = ("single", "drawn", "lines", "none", "plot")
_SHARES = (0.25, 0.08, 0.07, 0.55, 0.05)  # a page of lines gives a dozen digits, a page of none one
_SMALLEST = 14.0  # pixels of a digit's height
_NEAR = 0.35  # of the sides of a digit: what is found nearer to its middle is that digit
_PAGES = 40  # of one seed


@dataclass(frozen=True, eq=False)
class Candidates:
    """What the finder takes for digits.

    Attributes:
        images: (n, 28, 28) uint8 in MNIST's geometry.
        finder: (n, 11) float32: the finder's probabilities of ten digits and of none.
        labels: (n,) uint8: digits, or the label of no digit.
        mistaken: Share of the pages without digits on which the finder takes something for one.
    """

    images: Images
    finder: NDArray[np.float32]
    labels: Labels
    mistaken: float


Example = tuple[NDArray[np.uint8], NDArray[np.float32], int]


def find_on_pages(digits: Dataset, count: int, no_digit: int, seed: int = 0) -> Candidates:
    """Generate pages and let the finder find digits on them.

    Args:
        digits: The digits to write pages with.
        count: Number of candidates; half of them are digits.
        no_digit: The label of what the finder takes for a digit and is none.
        seed: Of everything random.
    """
    half = count // 2
    found: dict[bool, list[Example]] = {True: [], False: []}
    mistakes: list[bool] = []
    seeds = ((seed, number) for number in numbers())
    for pages in map_chunks(_examples, seeds, shared=(digits, no_digit)):
        for has_digits, examples in pages:
            if not has_digits:
                mistakes.append(bool(examples))
            for example in examples:
                kept = found[example[-1] != no_digit]
                if len(kept) < half:
                    kept.append(example)
        if min(map(len, found.values())) >= half:
            break
    images, rows, labels = zip(*found[True], *found[False], strict=True)
    share = float(np.mean(mistakes))
    return Candidates(np.stack(images), np.stack(rows), np.array(labels, np.uint8), share)


def _examples(
    shared: tuple[Dataset, int], seeds: Sequence[tuple[int, int]]
) -> list[tuple[bool, list[Example]]]:
    """For each page whether it has digits, and what the finder takes for one."""
    digits, no_digit = shared
    pages: list[tuple[bool, list[Example]]] = []
    for seed in seeds:
        maker = PageMaker(digits, seed, smallest=_SMALLEST)
        for _ in range(_PAGES):
            kind = maker.draw.choice(_KINDS, _SHARES)
            sides = 32 * maker.draw.integer(3, 10), 32 * maker.draw.integer(3, 10)
            page = maker.page(sides, kind)
            examples: list[Example] = []
            for image, row, box in _seen(page):
                label = _label(page, box, no_digit)
                if label is not None and image.any():
                    examples.append((image, row, label))
            pages.append((bool(page.digits), examples))
    return pages


def _seen(page: Page) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], Box]]:
    """The 28×28 that the finder makes of a page, what it takes each for, and where it is."""
    picture = decode(page.gray)
    if page.kind == "lines":
        for digit in find_digits(picture):
            yield digit.image, digit.probabilities, digit.box
        return
    found = find_foreground(picture)
    scale = page.gray.shape[1] / found.mask.shape[1]
    left, top, right, bottom = (round(side * scale) for side in found.box)
    image = to_mnist_geometry(found.mask, found.box)
    yield image, found.probabilities, (left, top, right, bottom)


def _label(page: Page, box: Box, no_digit: int) -> int | None:
    """The label of the digit in a box; None for one that is cut off."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for digit in page.digits:
        left, top, right, bottom = digit.box
        wide, high = max(right - left, 4), max(bottom - top, 4)
        if (
            abs(x - (left + right) / 2) < _NEAR * wide
            and abs(y - (top + bottom) / 2) < _NEAR * high
        ):
            return digit.label if digit.label >= 0 else None
    return no_digit
