"""Plots of data sets and results: curves, confusion matrix, image grids, counts."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .._io.files import write_bytes
from .._io.text import percent
from ..data.arrays import Images, Labels
from ..data.dataset import Splits
from ..errors import DataError
from ..evaluation.metrics import Probabilities, misread
from ..models.metadata import Epoch
from .drawing.style import scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 144
# Blue and vermilion of Okabe and Ito, distinguishable with every kind of color blindness.
_BLUE, _RED, _TEXT, _FAINT = "#0072b2", "#d55e00", "#222222", "#c8c8c8"
# Pixels of a grid.
_SCALE = 4  # for each pixel of an image
_CELL = 28 * _SCALE
_GAP = 20
_LINE = 24  # height of a line of text


def save(figure: Figure, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write `figure` as PNG, whole or not at all. Raises OutputError."""
    write_bytes(path, png(figure), overwrite=overwrite)


def png(figure: Figure) -> bytes:
    """`figure` as the content of a PNG file."""
    canvas: Any = figure.canvas  # of Agg, see `_figure`
    canvas.draw()  # `Figure.savefig` gives the same pixels, but draws everything twice
    content = io.BytesIO()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(content, "PNG")
    return content.getvalue()


def curves(history: Sequence[Epoch]) -> Figure:
    """Loss and accuracy over the epochs; a vertical line marks the epoch whose weights were kept.

    Args:
        history: The epochs. The kept one is the last with `best`, or the last of all without any.

    Raises:
        DataError: The history is empty.
    """
    from matplotlib.ticker import MaxNLocator

    if not history:
        raise DataError("there are no epochs to plot", "Train for at least one epoch")
    epochs = _column(history, "epoch")
    kept = [i for i, epoch in enumerate(history) if epoch.best] or [-1]
    validated = any(epoch.val_accuracy is not None for epoch in history)
    note = f"{'best epoch' if validated else 'epoch kept'}: {epochs[kept[-1]]:g}"
    figure = _figure(9, 4)
    for place, name in enumerate(("loss", "accuracy"), 1):
        axes = figure.add_subplot(1, 2, place)
        marker = "o" if len(epochs) < 25 else ""
        axes.axvline(epochs[kept[-1]], color="#888888", lw=1, ls=":", label=note)
        x, training = _course(history, name)
        axes.plot(x, training, color=_BLUE, marker=marker, ms=4, label="training")
        x, validation = _course(history, f"val_{name}")
        scored = ~np.isnan(validation)
        if scored.any():
            axes.plot(
                x[scored], validation[scored], color=_RED, ls="--", marker=marker, ms=4,
                label="validation",
            )  # fmt: skip
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.set_xlim(epochs.min() - (1 if history[0].points else 0.5), epochs.max() + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(color="#e6e6e6")
        _hide_box(axes)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return figure


def confusion(matrix: NDArray[np.integer[Any]]) -> Figure:
    """The confusion matrix.

    The diagonal is pale blue. Errors are colored by their share of the row, on a scale of their
    own, so that a few among thousands are still visible.

    Args:
        matrix: (10, 10) counts; rows are true digits, columns predicted ones.
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    errors = np.ma.masked_where(np.eye(10, dtype=bool) | (counts == 0), share)
    norm = PowerNorm(0.5, vmin=0, vmax=float(errors.max()) if errors.count() else 1.0)
    figure = _figure(7.6, 6.4)
    axes = figure.add_subplot()
    axes.imshow(np.where(np.eye(10), 0.18, np.nan), cmap="Blues", vmin=0, vmax=1)
    shown = axes.imshow(errors, cmap="Oranges", norm=norm)
    for (row, column), count in np.ndenumerate(counts):
        on_dark = row != column and count and norm(share[row, column]) > 0.7
        axes.text(
            column, row, f"{count:,}", ha="center", va="center", size=10 if count < 10_000 else 8,
            color="white" if on_dark else _TEXT if count else _FAINT,
            weight="bold" if row == column else "normal", in_layout=False,
        )  # fmt: skip
    axes.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{counts.trace():,} of {counts.sum():,} correct", pad=10)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(9) + 0.5, minor=True)
    axes.set_yticks(np.arange(9) + 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.grid(which="minor", color="white", lw=1.5)
    if errors.count():
        bar = figure.colorbar(shown, shrink=0.8, label="errors, % of the true digit")
        bar.outline.set_visible(False)
    return figure


def grid(
    images: Images,
    titles: Sequence[str],
    correct: Sequence[bool] | NDArray[np.bool_] | None = None,
    heading: str = "",
    columns: int = 10,
) -> Figure:
    """Images in rows, black on white, with a title above each.

    Args:
        images: (n, 28, 28), white on black.
        titles: One per image; may have several lines.
        correct: The titles of images that are not correct are red, bold and crossed: never
            marked by color alone.
        heading: Title of the figure.
        columns: Number of images in a row.
    """
    wrong = [correct is not None and not correct[i] for i in range(len(images))]
    titles = [f"{title} ✗" if bad else title for title, bad in zip(titles, wrong, strict=True)]
    columns = max(1, min(columns, len(images)))
    lines = max((title.count("\n") + 1 for title in titles), default=1)
    top = (len(heading) > 0) * 2 * _LINE
    down, across = lines * _LINE + _CELL + _GAP, _CELL + _GAP
    height = top + -(-len(images) // columns) * down + _GAP // 2
    width = max(columns * across + _GAP, 12 * len(heading) + 2 * _GAP)
    canvas = np.full((height, width), 255, np.uint8)
    corners = [
        (_GAP + across * (i % columns), top + down * (i // columns) + lines * _LINE + 2)
        for i in range(len(images))
    ]
    for (x, y), image in zip(corners, images, strict=True):
        canvas[y - 2 : y + _CELL + 2, x - 2 : x + _CELL + 2] = 200
        canvas[y : y + _CELL, x : x + _CELL] = 255 - scaled(image, _SCALE)
    figure, axes = _canvas(canvas)
    axes.text(_GAP, _LINE, heading, size=11, va="center", color=_TEXT, parse_math=False)
    _add_titles(axes, corners, titles, wrong, across - 6)
    return figure


def _add_titles(
    axes: Axes,
    corners: Sequence[tuple[int, int]],
    titles: Sequence[str],
    wrong: Sequence[bool],
    max_width: float,
) -> None:
    """Write a title above each image, all as large as lets the longest fit."""
    texts = [
        axes.text(
            x + _CELL / 2, y - 6, title, size=9, ha="center", va="bottom", linespacing=1.1,
            color=_RED if bad else _TEXT, weight="bold" if bad else "normal", parse_math=False,
        )
        for (x, y), title, bad in zip(corners, titles, wrong, strict=True)
    ]  # fmt: skip
    widest = max((text.get_window_extent().width for text in texts), default=1.0)
    for text in texts:
        text.set_fontsize(9 * min(1, max_width / widest))


def misread_gallery(
    images: Images, labels: Labels, probabilities: Probabilities, limit: int = 50
) -> Figure:
    """The incorrect predictions, the most confident first: label → prediction and its probability.

    Args:
        images: (n, 28, 28), white on black.
        labels: (n,) digits 0..9.
        probabilities: (n, 10).
        limit: Maximum number of images.
    """
    wrong = misread(labels, probabilities)
    shown = wrong[:limit]
    titles = [
        f"{labels[i]} → {probabilities[i].argmax()}\n{percent(probabilities[i].max())}"
        for i in shown
    ]
    if not len(wrong):
        return grid(images[:0], [], heading=f"None of {len(labels):,} pictures was misread")
    which = f"the {len(shown)} worst of {len(wrong):,}" if len(shown) < len(wrong) else len(wrong)
    return grid(images[shown], titles, heading=f"Misread: {which} (label → prediction, confidence)")


def counts(splits: Splits) -> Figure:
    """The number of images of each digit, in one panel for each part of a data set."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(8, 0.6 + 2.3 * len(splits.parts))
    for place, (name, part) in enumerate(splits.parts.items(), 1):
        axes = figure.add_subplot(len(splits.parts), 1, place)
        bars = axes.bar(range(10), part.counts, color=_BLUE, width=0.75)
        axes.bar_label(bars, [f"{n:,}" for n in part.counts], padding=2, size=9, color=_TEXT)
        axes.set_title(f"{name}: {len(part):,} pictures", loc="left", size=11, parse_math=False)
        axes.set(ylabel="pictures", xticks=range(10), ylim=(0, 1.15 * max(part.counts)))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(axis="x", length=0)
        _hide_box(axes)
    axes.set_xlabel("digit")
    return figure


def _figure(width: float, height: float) -> Figure:
    """A figure of `width` × `height` inches, outside of the global state of `pyplot`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _canvas(pixels: NDArray[np.uint8]) -> tuple[Figure, Axes]:
    """A figure that shows (height, width) `pixels` unscaled; its coordinates are pixels."""
    height, width = pixels.shape
    figure = _figure(width / DPI, height / DPI)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    # As RGB: a color map would shift some grays by one.
    rgb = pixels[:, :, None].repeat(3, axis=2)
    axes.imshow(rgb, interpolation="none", aspect="auto")
    axes.set_axis_off()
    return figure, axes


def _course(history: Sequence[Epoch], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A figure against the number of epochs: of each epoch, or of the points within it."""
    places, values = [], []
    for epoch in history:
        for point in epoch.points or ():
            places.append(epoch.epoch - 1 + point.fraction)
            values.append(getattr(point, name))
        if not epoch.points:
            places.append(float(epoch.epoch))
            values.append(getattr(epoch, name))
    return np.array(places), np.array(values, np.float64)  # None becomes NaN


def _column(history: Sequence[Epoch], name: str) -> NDArray[np.float64]:
    return np.array([getattr(epoch, name) for epoch in history], np.float64)  # None becomes NaN


def _hide_box(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
