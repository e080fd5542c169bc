"""A folder of generated pages: one process fills it, another learns from it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from ....data.dataset import Dataset
from .page import PageMaker
from .targets import Targets, targets

SHAPES = ((128, 128), (64, 256))
"""Height and width of the pages, multiples of 32; both have as many pixels."""

SHAPE_SHARES = (0.75, 0.25)
CHUNK = 256
"""Pages in a file."""

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


def chunks(digits: Dataset, seed: int) -> Iterator[Targets]:
    """Files of pages without end; each is of one shape."""
    maker = PageMaker(digits, seed)
    while True:
        shape = maker.draw.choice(SHAPES, SHAPE_SHARES)
        yield targets([maker.page(shape) for _ in range(CHUNK)])
        maker.hands.refresh(_REFRESH)


def fill(folder: Path, digits: Dataset, seed: int, most: int, parent: int | None = None) -> None:
    """Keep `most` files in `folder`, until the process `parent` has ended.

    Args:
        folder: Made if it does not exist.
        digits: MNIST's training digits.
        seed: Of the pages.
        most: Files. While there are so many, none is made.
        parent: A process; without one this never ends.
    """
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number, found in enumerate(chunks(digits, seed)):
        while len(files(folder)) >= most:
            if parent is not None and os.getppid() != parent:
                return
            time.sleep(0.5)
        save(found, folder / f"pages-{time.time_ns():020d}-{number:06d}.npz")
        if parent is not None and os.getppid() != parent:
            return
