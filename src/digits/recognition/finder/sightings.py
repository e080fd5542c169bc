"""Digits as several looks at a picture show them: one list, each digit once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...imaging.foreground import Ink
from .ink import best_look
from .looks import Look, Planes, columns_of, detections

BEST_HEIGHT = 36.0
"""Pixels: of two looks at a digit, the one in which its height is nearer is believed more."""

_LEAST = 0.1  # a lower score in one look is not kept
_HEIGHTS = (8.0, 140.0)  # pixels: the net has seen digits of these heights
_FADE = 0.35  # of the trust for each doubling or halving of the height
_SAME = 0.45  # of both sides: middles that are nearer are of one digit
_INSIDE = 0.7  # of the smaller box: so much of it in a surer one, and it is the same


@dataclass(frozen=True, eq=False)
class Sightings:
    """Digits in a picture, the surest first.

    Attributes:
        scores: (n,) how sure it is that there is a digit, 0..1.
        probabilities: (n, 10) which digit it is, if there is one.
        boxes: (n, 4) left, top, right, bottom in pixels of the picture.
    """

    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    boxes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, kept: NDArray[np.integer] | NDArray[np.bool_]) -> Sightings:
        return Sightings(self.scores[kept], self.probabilities[kept], self.boxes[kept])

    @property
    def heights(self) -> NDArray[np.float32]:
        """(n,) in pixels of the picture."""
        return np.asarray(self.boxes[:, 3] - self.boxes[:, 1])

    @property
    def middles(self) -> NDArray[np.float32]:
        """(n, 2) x and y in pixels of the picture."""
        return np.asarray((self.boxes[:, :2] + self.boxes[:, 2:]) / 2)


def merged(looks: list[Look]) -> Sightings:
    """The digits that looks show, each once: a mean of the looks, weighted by their trust."""
    parts = [_of_look(look, number) for number, look in enumerate(looks)]
    scores, probabilities, boxes, trust, source = (
        np.concatenate([part[i] for part in parts]) for i in range(5)
    )
    order = np.argsort(-scores * (0.3 + trust), kind="stable")
    scores, probabilities, boxes, trust, source = (
        part[order] for part in (scores, probabilities, boxes, trust, source)
    )
    overlapping = columns_of(boxes)
    free = np.ones(len(boxes), bool)
    groups: list[NDArray[np.intp]] = []
    for first in range(len(boxes)):
        if not free[first]:
            continue
        others = overlapping(first)
        others = np.sort(others[free[others]])
        group = others[_same(boxes[first], boxes[others])]
        free[group] = False
        _, firsts = np.unique(source[group], return_index=True)  # the best of each look
        groups.append(group[np.sort(firsts)])
    seen = [_mean(group, scores, probabilities, trust) for group in groups]
    found = Sightings(
        np.array([score for score, _ in seen], np.float32),
        np.array([each for _, each in seen], np.float32).reshape(-1, 10),
        np.array([boxes[group[0]] for group in groups], np.float32).reshape(-1, 4),
    )
    return found[np.argsort(-found.scores, kind="stable")]


def of_ink(seen: Sightings, looks: list[Look], ink: Ink) -> Sightings:
    """Those whose ink is `dark` on lighter ground, or `light` on darker; with `auto`, all."""
    if ink == "auto" or not len(seen):
        return seen
    return seen[np.array([_is_dark(looks, box) == (ink == "dark") for box in seen.boxes])]


def _is_dark(looks: list[Look], box: NDArray[np.floating]) -> bool:
    """Whether the ink in a box is darker than what is around it."""
    look = best_look(looks, box)
    left, top, right, bottom = (int(side) for side in look.from_picture(box))
    part = np.s_[max(0, top - 2) : bottom + 3, max(0, left - 2) : right + 3]
    gray, mask = look.gray[part].astype(np.float32), look.mask[part]
    weight = mask.sum() + 1e-3, (1 - mask).sum() + 1e-3
    return bool((gray * mask).sum() / weight[0] < (gray * (1 - mask)).sum() / weight[1])


def _of_look(look: Look, number: int) -> tuple[NDArray[np.floating], ...]:
    """Scores, probabilities, boxes, trust, and the number of the look."""
    seen = detections(look.heads, _LEAST)
    heights = seen.boxes[:, 3] - seen.boxes[:, 1]
    trust = np.clip(1 - _FADE * np.abs(np.log2(heights / BEST_HEIGHT)), 0.05, 1)
    kept = (heights > _HEIGHTS[0]) & (heights < _HEIGHTS[1])
    boxes = look.to_picture(seen.boxes)
    source = np.full(int(kept.sum()), number)
    return seen.scores[kept], seen.probabilities[kept], boxes[kept], trust[kept], source


def _same(first: NDArray[np.floating], boxes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of `boxes` are of the digit in `first`, as itself is."""
    size = np.minimum(first[2:] - first[:2], boxes[:, 2:] - boxes[:, :2])
    away = np.abs(first[:2] + first[2:] - boxes[:, :2] - boxes[:, 2:]) / 2
    shared = np.minimum(first[2:], boxes[:, 2:]) - np.maximum(first[:2], boxes[:, :2])
    inside = np.maximum(shared, 0).prod(axis=1) > _INSIDE * size.prod(axis=1)
    return np.asarray((away < _SAME * size).all(axis=1) | inside)


def _mean(
    group: NDArray[np.intp], scores: Planes, probabilities: Planes, trust: Planes
) -> tuple[float, NDArray[np.floating]]:
    """The score and the probabilities of a digit over its looks."""
    weights = trust[group] * scores[group]
    score = float((scores[group] * trust[group]).sum() / trust[group].sum())
    return score, (probabilities[group] * weights[:, None]).sum(axis=0) / weights.sum()
