"""A folder of generated pages: one process fills it, another learns from it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from ....data.dataset import Dataset
from ....recognition.finder.looks import FinderNet, detections, net_input
from .page import Page, PageMaker
from .targets import Targets, targets

SHAPES = ((128, 128), (256, 256))
"""Height and width of the pages, multiples of 32."""

SHAPE_SHARES = (0.55, 0.45)
"""Of the files."""

PIXELS = 256 * 128 * 128
"""Of the pages in a file, together."""

_MINED = 0.28  # of the pages
_MINING_TRIES = 6  # after which a page is taken that the net is not wrong about
_MISTAKEN = 0.2  # of the score: such a detection is a mistake
_REFRESH = 0.06  # of the glyphs are replaced after each file


def save(found: Targets, path: Path) -> None:
    """Write `found` to a file at once; a reader never sees a part of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        np.savez(file, **{field.name: getattr(found, field.name) for field in fields(found)})
    part.replace(path)


def load(path: Path) -> Targets:
    """Read what `save` wrote."""
    with np.load(path) as file:
        return Targets(**{field.name: file[field.name] for field in fields(Targets)})


def files(folder: Path) -> list[Path]:
    """The files of pages in a folder, oldest first."""
    return sorted(folder.glob("pages-*.npz"))


def chunks(
    digits: Dataset, seed: int | Sequence[int], net: FinderNet | None = None
) -> Iterator[Targets]:
    """Files of pages without end; each is of one shape.

    Args:
        digits: MNIST's training digits.
        seed: Of the pages.
        net: Where given, a third of the pages hold no digit and something that this net takes for
            one: hard negatives, mined from its own errors.
    """
    maker = PageMaker(digits, seed)
    while True:
        shape = maker.draw.choice(SHAPES, SHAPE_SHARES)
        count = PIXELS // (shape[0] * shape[1])
        yield targets([_page(maker, shape, net) for _ in range(count)])
        maker.hands.refresh(_REFRESH)


def _page(maker: PageMaker, shape: tuple[int, int], net: FinderNet | None) -> Page:
    if net is None or not maker.draw.chance(_MINED):
        return maker.page(shape)
    for _ in range(_MINING_TRIES):
        page = maker.page(shape, "none")
        _, heads = net.run(net_input(page.gray))
        if len(detections(heads, _MISTAKEN)):
            break
    return page


def fill(
    folder: Path,
    digits: Dataset,
    seed: int | Sequence[int],
    most: int,
    parent: int | None = None,
    net: FinderNet | None = None,
) -> None:
    """Keep `most` files in `folder`, until the process `parent` has ended.

    Args:
        folder: Made if it does not exist.
        digits: MNIST's training digits.
        seed: Of the pages.
        most: Files. While there are so many, none is made.
        parent: A process; without one this never ends.
        net: See `chunks`.
    """
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number, found in enumerate(chunks(digits, seed, net)):
        while len(files(folder)) >= most:
            if parent is not None and os.getppid() != parent:
                return
            time.sleep(0.5)
        save(found, folder / f"pages-{time.time_ns():020d}-{number:06d}.npz")
        if parent is not None and os.getppid() != parent:
            return
