"""The pictures of a report: drawn once, shown in the page and kept as PNG files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import plots
from ..data.dataset import Dataset
from ..evaluation import Probabilities, Score, misread, per_cent
from .chapter import Chapter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 50  # pictures in the grid
GALLERY = 50  # pictures in the gallery of the misread

# Which picture: (number of the model, number of the data set or None, kind)
Key = tuple[int, int | None, str]


@dataclass(frozen=True)
class Picture:
    """A PNG picture: its file name, its content, and what it shows in words."""

    file: str
    content: bytes
    alt: str


def drawn(chapters: Sequence[Chapter], datasets: Sequence[Dataset]) -> dict[Key, Picture]:
    """All pictures of the report, each under a file name of its own."""
    models = _told_apart([chapter.evaluation.model for chapter in chapters])
    sets = _told_apart([data.name for data in datasets])
    pictures: dict[Key, Picture] = {}
    for m, chapter in enumerate(chapters):
        if chapter.history:
            file = "-".join(["curves", *models[m]]) + ".png"
            alt = "Loss and accuracy over the epochs of training"
            pictures[m, None, "curves"] = Picture(
                file, plots.png(plots.curves(chapter.history)), alt
            )
        for d, data in enumerate(datasets):
            score, given = chapter.evaluation.scores[d], chapter.evaluation.probabilities[d]
            for kind, figure, alt in _of_set(data, score, given):
                file = "-".join([kind, *models[m], *sets[d]]) + ".png"
                pictures[m, d, kind] = Picture(file, plots.png(figure), alt)
    return pictures


def shown_in_grid(n: int) -> NDArray[np.int64]:
    """Indices of the pictures in the grid: spread evenly, as many sets are sorted by digit."""
    return np.linspace(0, n - 1, min(n, GRID)).astype(np.int64)


def _of_set(data: Dataset, score: Score, given: Probabilities) -> Iterator[tuple[str, Figure, str]]:
    answers = given.argmax(axis=1)
    right = answers == data.labels
    yield "confusion", plots.confusion(score.confusion), "Confusion matrix; the table has its text"

    shown = shown_in_grid(len(data))
    titles = [f"{data.labels[i]} → {answers[i]}" for i in shown]
    heading = "Label → answer; ✗ marks the wrong"
    alt = f"{len(shown)} pictures spread over the set, {right[shown].sum()} of them read right: "
    figure = plots.grid(data.images[shown], titles, right[shown], heading)
    yield "grid", figure, alt + ", ".join(titles)

    worst = misread(data.labels, given)[:GALLERY]
    told = [f"{data.labels[i]} → {answers[i]} ({per_cent(given[i].max())})" for i in worst]
    alt = "Misread, worst first: " + ", ".join(told) if told else "No picture was misread"
    yield "misread", plots.misread_gallery(data.images, data.labels, given, GALLERY), alt


def _told_apart(names: Sequence[str]) -> list[list[str]]:
    """For each name, what a file name needs to tell it from the others: nothing if it is alone."""
    if len(names) == 1:
        return [[]]
    short = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") for name in names]
    if len(set(short)) == len(short) and all(short):
        return [[name] for name in short]
    return [[f"{number}-{name}".strip("-")] for number, name in enumerate(short, 1)]
