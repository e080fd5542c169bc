"""Batches for the net that finds digits, and how well it does on generated pages."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recognition.finder.looks import detections, mask_of
from .synthetic.pages import store
from .synthetic.pages.targets import Targets

Batch = dict[str, NDArray[Any]]
"""Arrays of `Targets`, by name."""

_EVALUATED = 40  # pages at once
_MIN_FILES = 8  # of pages: while there are no more, none is deleted


def batch_of(found: Targets, indices: NDArray[np.intp]) -> Batch:
    """Some pages, as the net takes them."""
    names = [field.name for field in fields(found) if field.name != "kinds"]
    return {name: getattr(found, name)[indices] for name in names}


def batches(pages: Path, pixels: int, uses: int, seed: int) -> Iterator[Batch]:
    """Batches of random files in `pages`; a file that was used often enough is deleted.

    Args:
        pages: A folder of files.
        pixels: Of the pages in a batch, together.
        uses: Times that each file is used.
        seed: Of the order.
    """
    rng = np.random.default_rng([seed, 1])
    used: dict[Path, int] = {}
    while True:
        known = store.files(pages)
        if not known:
            time.sleep(0.5)
            continue
        path = min(known, key=lambda each: (used.get(each, 0), rng.random()))
        found = store.load(path)
        count, height, width = found.mask.shape
        size = min(max(1, pixels // (height * width)), count)
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            yield batch_of(found, order[start : start + size])
        used[path] = used.get(path, 0) + 1
        if used[path] >= uses and len(known) > _MIN_FILES:
            path.unlink(missing_ok=True)


def prefetched(made: Iterator[Batch], most: int = 6) -> Iterator[Batch]:
    """The same, made in a thread while the net learns."""
    ready: queue.Queue[Batch] = queue.Queue(most)

    def work() -> None:
        for batch in made:
            ready.put(batch)

    threading.Thread(target=work, daemon=True).start()
    while True:
        yield ready.get()


def evaluate(net: Any, validation: list[Targets], least: float = 0.3) -> dict[str, float]:
    """How well a net finds the digits of generated pages at one scale.

    Args:
        net: The Keras model.
        validation: Pages.
        least: The least score of a digit that counts as found.

    Returns:
        `dice` of the mask, over all ink; `found`, the share of digits that are found where they
        are; `right`, found and with the right label; `wrong`, detections where no digit is, a page.
    """
    shared = total = 0.0
    digits = found = right = wrong = pages = 0
    for part in validation:
        for start in range(0, len(part.mask), _EVALUATED):
            indices = np.arange(start, min(start + _EVALUATED, len(part.mask)))
            batch = batch_of(part, indices)
            mask, heads = (np.array(each) for each in net.predict_on_batch(batch["planes"]))
            ink, wanted = np.stack([mask_of(each) for each in mask]), batch["mask"] / 255
            shared += 2 * float((ink * wanted).sum())
            total += float(ink.sum() + wanted.sum())
            for each, truth in zip(heads, batch["digits"], strict=True):
                counts = _compared(each, truth, least)
                digits, found, right, wrong = (
                    a + b for a, b in zip((digits, found, right, wrong), counts, strict=True)
                )
            pages += len(indices)
    return {
        "val_dice": round(shared / max(total, 1), 4),
        "val_found": round(found / max(digits, 1), 4),
        "val_right": round(right / max(digits, 1), 4),
        "val_wrong": round(wrong / max(pages, 1), 4),
    }


def _compared(heads: NDArray[np.float32], truth: NDArray[np.float32], least: float) -> list[int]:
    """Digits, found ones, right ones, and detections where nothing is, of one page."""
    seen = detections(heads, least)
    middles = (seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2
    free = np.ones(len(seen), bool)
    digits = found = right = 0
    for label, x, y, wide, high in truth[truth[:, 0] > -2]:
        if label == -1:
            continue
        digits += 1
        near = np.abs(middles - [x, y]) < np.maximum(2.5, [0.35 * wide, 0.35 * high])
        matches = np.flatnonzero(near.all(axis=1) & free)
        if len(matches):
            free[matches[0]] = False
            found += 1
            right += int(seen.probabilities[matches[0]].argmax()) == int(label)
    for _, x, y, wide, high in truth[truth[:, 0] == -2]:
        inside = np.abs(middles - [x, y]) < [0.6 * wide + 2, 0.6 * high + 2]
        free &= ~inside.all(axis=1)
    return [digits, found, right, int(free.sum())]
