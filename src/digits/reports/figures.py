"""The figures of a report: embedded in the page and saved as PNG files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._io.text import percent
from ..data.dataset import Dataset
from ..evaluation.evaluate import Evaluation
from ..evaluation.metrics import Probabilities, Score, misread
from . import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_IMAGES = 50  # in the grid of examples, and in that of the misread

Key = tuple[int, int | None, str]
"""Which figure: index of the model, index of the data set or None, kind."""


@dataclass(frozen=True)
class ReportFigure:
    """A figure that is drawn when its content is needed.

    Attributes:
        file: Name of its PNG file.
        alt: Text for those who cannot see it.
        draw: Returns the figure.
    """

    file: str
    alt: str
    draw: Callable[[], Figure] = field(repr=False)

    @cached_property
    def content(self) -> bytes:
        """The content of the PNG file."""
        return plots.png(self.draw())


def report_figures(evaluations: Sequence[Evaluation]) -> dict[Key, ReportFigure]:
    """All figures of the report, each with its own file name."""
    models = _name_parts([evaluation.model for evaluation in evaluations])
    figures: dict[Key, ReportFigure] = {}
    for m, evaluation in enumerate(evaluations):
        if evaluation.metadata and evaluation.metadata.history:
            file = "-".join(["curves", *models[m]]) + ".png"
            alt = "Loss and accuracy over the epochs of training"
            curves = partial(plots.curves, evaluation.metadata.history)
            figures[m, None, "curves"] = ReportFigure(file, alt, curves)
        sets = _name_parts([data.name for data in evaluation.data])
        rows = zip(evaluation.data, evaluation.scores, evaluation.probabilities, strict=True)
        for d, (data, score, probabilities) in enumerate(rows):
            for kind, alt, draw in _figures(data, score, probabilities):
                file = "-".join([kind, *models[m], *sets[d]]) + ".png"
                figures[m, d, kind] = ReportFigure(file, alt, draw)
    return figures


def examples(n: int) -> NDArray[np.int64]:
    """Indices of the examples among `n` images: spread evenly, as many sets are sorted by digit."""
    return np.linspace(0, n - 1, min(n, MAX_IMAGES)).astype(np.int64)


def _figures(
    data: Dataset, score: Score, probabilities: Probabilities
) -> Iterator[tuple[str, str, Callable[[], Figure]]]:
    """Kind, description and drawing of all figures of one model on one data set."""
    alt = "Confusion matrix, also given as a table"
    yield "confusion", alt, partial(plots.confusion, score.confusion)

    predicted = probabilities.argmax(axis=1)
    shown = examples(len(data))
    correct = (predicted == data.labels)[shown]
    titles = [f"{data.labels[i]} → {predicted[i]}" for i in shown]
    heading = "Label → prediction; ✗ marks errors"
    alt = f"{len(shown)} pictures, {correct.sum()} of them predicted correctly: "
    draw = partial(plots.grid, data.images[shown], titles, correct, heading)
    yield "grid", alt + ", ".join(titles), draw

    worst = misread(data.labels, probabilities)[:MAX_IMAGES]
    titles = [
        f"{data.labels[i]} → {predicted[i]} ({percent(probabilities[i].max())})" for i in worst
    ]
    alt = "Misread, most confident first: " + ", ".join(titles) if titles else "None was misread"
    arguments = data.images, data.labels, probabilities, MAX_IMAGES
    yield "misread", alt, partial(plots.misread_gallery, *arguments)


def _name_parts(names: Sequence[str]) -> list[list[str]]:
    """What distinguishes each of `names` in a file name; nothing for a single one."""
    if len(names) == 1:
        return [[]]
    short = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") for name in names]
    if len(set(short)) == len(short) and all(short):
        return [[name] for name in short]
    return [[f"{number}-{name}".strip("-")] for number, name in enumerate(short, 1)]
