"""Batches for the net that finds digits, and how well it does on generated pages."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recognition.finder.looks import detections, net_input, sigmoid
from .synthetic.pages import store
from .synthetic.pages.targets import IGNORED, STRIDE, Targets

Batch = dict[str, NDArray[Any]]


def batch_of(found: Targets, indices: NDArray[np.intp], rng: np.random.Generator | None) -> Batch:
    """The net's input and truth of some pages; with `rng`, their tones are varied."""
    gray = found.gray[indices]
    if rng is not None:
        gray = _varied(gray, rng)
    count, height, width = gray.shape
    mask = found.mask[indices].reshape(count, height // 2, 2, width // 2, 2)
    mask = mask.transpose(0, 1, 3, 2, 4).reshape(count, height // 2, width // 2, 4)
    heat = found.heat[indices].astype(np.float32)
    heat = np.where(heat == IGNORED, -1, heat / 254)
    owner = found.owner[indices].astype(np.intp)
    rows = np.arange(count)[:, None, None]
    digits = found.digits[indices][rows, np.maximum(owner, 1) - 1]
    y = (np.arange(height // STRIDE, dtype=np.float32)[:, None] + 0.5) * STRIDE
    x = (np.arange(width // STRIDE, dtype=np.float32)[None] + 0.5) * STRIDE
    boxes = np.stack(
        [
            (digits[..., 1] - x) / 16,
            (digits[..., 2] - y) / 16,
            np.log(np.maximum(digits[..., 4], 2) / 32),
            np.log(np.maximum(digits[..., 3], 2) / 32),
        ],
        axis=-1,
    )
    return {
        "picture": np.stack([net_input(each) for each in gray]),
        "mask": (mask / np.float32(255)).astype(np.float32),
        "heat": heat.astype(np.float32),
        "label": np.maximum(digits[..., 0], 0).astype(np.int32),
        "weight": found.weight[indices].astype(np.float32),
        "boxes": np.where(owner[..., None] > 0, boxes, 0).astype(np.float32),
    }


def _varied(gray: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pages in other tones: inverted, paler, with a little noise."""
    count = len(gray)
    shape = (count, 1, 1)
    tones = gray.astype(np.float32)
    tones = np.where(rng.random(shape) < 0.25, 255 - tones, tones)
    gain = np.where(rng.random(shape) < 0.5, rng.uniform(0.5, 1, shape), 1)
    tones = tones * gain + rng.uniform(0, 1, shape) * (255 - 255 * gain)
    noise = np.where(rng.random(shape) < 0.3, rng.uniform(0, 4, shape), 0).astype(np.float32)
    tones += rng.standard_normal(gray.shape, dtype=np.float32) * noise
    return np.asarray(np.clip(tones, 0, 255), np.uint8)


def batches(pages: Path, size: int, uses: int, seed: int) -> Iterator[Batch]:
    """Batches of random files in `pages`; a file that was used often enough is deleted."""
    rng = np.random.default_rng([seed, 1])
    used: dict[Path, int] = {}
    while True:
        known = store.files(pages)
        if not known:
            time.sleep(0.5)
            continue
        path = min(known, key=lambda each: (used.get(each, 0), rng.random()))
        found = store.load(path)
        order = rng.permutation(len(found.gray))
        for start in range(0, len(order) - size + 1, size):
            yield batch_of(found, order[start : start + size], rng)
        used[path] = used.get(path, 0) + 1
        if used[path] >= uses and len(known) > 8:
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


def evaluate(
    see: Callable[[Any], Any], validation: list[Targets], least: float = 0.3
) -> dict[str, float]:
    """How well a net finds the digits of generated pages at one scale.

    Args:
        see: The net: pictures (n, h, w, 2) to the logits of the mask and the heads.
        validation: Pages.
        least: The least score of a digit that counts as found.

    Returns:
        `dice` of the mask, over all ink; `found`, the share of digits that are found where they
        are; `right`, found and with the right label; `wrong`, detections where no digit is, a page.
    """
    shared = total = 0.0
    digits = found = right = wrong = pages = 0
    for part in validation:
        for start in range(0, len(part.gray), 32):
            indices = np.arange(start, min(start + 32, len(part.gray)))
            batch = batch_of(part, indices, None)
            mask, heads = (np.array(each) for each in see(batch["picture"]))
            ink = sigmoid(mask)
            shared += 2 * float((ink * batch["mask"]).sum())
            total += float(ink.sum() + batch["mask"].sum())
            for each, truth in zip(heads, part.digits[indices], strict=True):
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
