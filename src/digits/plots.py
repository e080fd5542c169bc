"""Pictures of data and results: curves, confusion, grids of digits, counts."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .data.dataset import Images, Labels, Splits
from .errors import DataError
from .evaluation import Probabilities, per_cent
from .evaluation import misread as misread_indices
from .files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 144
# Blue and vermilion of Okabe and Ito: told apart with every kind of colour blindness.
_BLUE, _RED, _INK, _FAINT = "#0072b2", "#d55e00", "#222222", "#c8c8c8"
_SCALE = 4  # pixels of the figure for each pixel of a digit in a grid
_CELL = 28 * _SCALE
_GAP = 20
_LINE = 24  # height of a line of text in a grid


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write `figure` to `path` as PNG, whole or not at all. Raises OutputError."""
    write_bytes(path, png(figure))


def png(figure: Figure) -> bytes:
    """`figure` as the content of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()


def curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss and accuracy over the epochs; a line marks the epoch whose weights were kept.

    history: one mapping for each epoch with `epoch`, `loss`, `accuracy`, `val_loss` and
    `val_accuracy`; the last two may be None. The kept epoch is the last that says it is `best`;
    where none does, that of the highest validation accuracy, or the latest without validation.
    Raises DataError when the history is empty.
    """
    from matplotlib.ticker import MaxNLocator

    if not history:
        raise DataError("there are no epochs to draw", "Train for one epoch at least")
    epochs = _column(history, "epoch")
    kept = _kept(history)
    held_out_any = any(epoch.get("val_accuracy") is not None for epoch in history)
    note = f"{'best epoch' if held_out_any else 'epoch kept'}: {epochs[kept]:g}"
    figure = _figure(9, 4)
    for place, name in enumerate(("loss", "accuracy"), 1):
        axes = figure.add_subplot(1, 2, place)
        training, held_out = _column(history, name), _column(history, f"val_{name}")
        mark = "o" if len(epochs) < 25 else ""
        axes.axvline(epochs[kept], color="#888888", lw=1, ls=":", label=note)
        axes.plot(epochs, training, color=_BLUE, marker=mark, ms=4, label="training")
        if not np.isnan(held_out).all():
            axes.plot(epochs, held_out, color=_RED, ls="--", marker=mark, ms=4, label="validation")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(color="#e6e6e6")
        _open(axes)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return figure


def confusion(matrix: NDArray[np.integer[Any]]) -> Figure:
    """The (10, 10) counts of true digit (rows) against answer (columns).

    Right answers stand on pale blue. Mistakes are coloured by their share of the row's pictures,
    on a scale of their own, so that a few among thousands still show.
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = np.ma.masked_where(np.eye(10, dtype=bool) | (counts == 0), share)
    norm = PowerNorm(0.5, vmin=0, vmax=float(wrong.max()) if wrong.count() else 1.0)
    figure = _figure(7.6, 6.4)
    axes = figure.add_subplot()
    axes.imshow(np.where(np.eye(10), 0.18, np.nan), cmap="Blues", vmin=0, vmax=1)
    shown = axes.imshow(wrong, cmap="Oranges", norm=norm)
    for (row, column), count in np.ndenumerate(counts):
        on_dark = row != column and count and norm(share[row, column]) > 0.7
        axes.text(
            column, row, f"{count:,}", ha="center", va="center", size=10 if count < 10_000 else 8,
            color="white" if on_dark else _INK if count else _FAINT,
            weight="bold" if row == column else "normal",
        )  # fmt: skip
    axes.set(xlabel="answer", ylabel="true digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{counts.trace():,} of {counts.sum():,} read right", pad=10)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(9) + 0.5, minor=True)
    axes.set_yticks(np.arange(9) + 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.grid(which="minor", color="white", lw=1.5)
    if wrong.count():
        bar = figure.colorbar(shown, shrink=0.8, label="mistakes, % of the true digit's pictures")
        bar.outline.set_visible(False)
    return figure


def grid(
    images: Images,
    titles: Sequence[str],
    correct: Sequence[bool] | NDArray[np.bool_] | None = None,
    heading: str = "",
    columns: int = 10,
) -> Figure:
    """Pictures (n, 28, 28) side by side, dark ink on white, each with its title above.

    A title may have several lines. Where `correct` is given, the titles of wrong ones are
    red, bold and crossed: never told by colour alone.
    """
    titles = [t if correct is None or correct[i] else f"{t} ✗" for i, t in enumerate(titles)]
    columns = max(1, min(columns, len(images)))
    lines = max((t.count("\n") + 1 for t in titles), default=1)
    top = (len(heading) > 0) * 2 * _LINE
    down, across = lines * _LINE + _CELL + _GAP, _CELL + _GAP
    height = top + -(-len(images) // columns) * down + _GAP // 2
    width = max(columns * across + _GAP, 12 * len(heading) + 2 * _GAP)
    canvas = np.full((height, width), 255, np.uint8)
    corners = [
        (top + down * (i // columns) + lines * _LINE + 2, _GAP + across * (i % columns))
        for i in range(len(images))
    ]
    for (y, x), image in zip(corners, images, strict=True):
        canvas[y - 2 : y + _CELL + 2, x - 2 : x + _CELL + 2] = 200
        canvas[y : y + _CELL, x : x + _CELL] = 255 - _enlarged(image, _SCALE)
    figure, axes = _canvas(canvas)
    axes.text(_GAP, _LINE, heading, size=11, va="center", color=_INK, parse_math=False)
    texts = []
    for i, ((y, x), title) in enumerate(zip(corners, titles, strict=True)):
        wrong = correct is not None and not correct[i]
        text = axes.text(
            x + _CELL / 2, y - 6, title, size=9, ha="center", va="bottom", linespacing=1.1,
            color=_RED if wrong else _INK, weight="bold" if wrong else "normal", parse_math=False,
        )  # fmt: skip
        texts.append(text)
    widest = max((text.get_window_extent().width for text in texts), default=1.0)
    for text in texts:
        text.set_fontsize(9 * min(1, (across - 6) / widest))
    return figure


def misread_gallery(
    images: Images, labels: Labels, probabilities: Probabilities, limit: int = 50
) -> Figure:
    """The wrong answers, worst first: label → answer, and how sure the model was of it.

    images (n, 28, 28), labels (n,), probabilities (n, 10). At most `limit` are shown.
    """
    wrong = misread_indices(labels, probabilities)
    shown = wrong[:limit]
    titles = [
        f"{labels[i]} → {probabilities[i].argmax()}\n{per_cent(probabilities[i].max())}"
        for i in shown
    ]
    if not len(wrong):
        return grid(images[:0], [], heading=f"None of {len(labels):,} pictures was misread")
    which = f"the {len(shown)} worst of {len(wrong):,}" if len(shown) < len(wrong) else len(wrong)
    return grid(images[shown], titles, heading=f"Misread: {which} (label → answer, how sure)")


def counts(splits: Splits | Mapping[str, NDArray[np.integer[Any]]]) -> Figure:
    """How many pictures of each digit there are, a panel for each part of the set.

    splits: a `Splits`, or the (10,) counts by name.
    """
    from matplotlib.ticker import MaxNLocator

    if isinstance(splits, Splits):
        splits = {part: data.counts for part, data in splits.parts.items()}
    figure = _figure(8, 0.6 + 2.3 * len(splits))
    for place, (name, numbers) in enumerate(splits.items(), 1):
        axes = figure.add_subplot(len(splits), 1, place)
        bars = axes.bar(range(10), numbers, color=_BLUE, width=0.75)
        axes.bar_label(bars, [f"{number:,}" for number in numbers], padding=2, size=9, color=_INK)
        axes.set_title(f"{name}: {sum(numbers):,} pictures", loc="left", size=11, parse_math=False)
        axes.set(ylabel="pictures", xticks=range(10), ylim=(0, 1.15 * max(1, *numbers)))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(axis="x", length=0)
        _open(axes)
    axes.set_xlabel("digit")
    return figure


def picture_grid(images: Images, columns: int = 10, scale: int = 2) -> Image.Image:
    """Pictures (n, 28, 28) as they are stored, in rows of `columns`, with a grey line between.

    scale: how many pixels wide each pixel becomes. Gives a picture of mode L.
    """
    columns = max(1, min(columns, len(images)))
    step = 28 * scale + scale
    rows = -(-len(images) // columns)
    canvas = np.full((rows * step + scale, columns * step + scale), 96, np.uint8)
    for i, image in enumerate(images):
        y, x = scale + i // columns * step, scale + i % columns * step
        canvas[y : y + 28 * scale, x : x + 28 * scale] = _enlarged(image, scale)
    return Image.fromarray(canvas)


def _figure(width: float, height: float) -> Figure:
    """A figure of `width` × `height` inches that no window system and no global state knows of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _canvas(pixels: NDArray[np.uint8]) -> tuple[Figure, Axes]:
    """A figure that shows (height, width) `pixels` one to one; its axes count in pixels."""
    height, width = pixels.shape
    figure = _figure(width / DPI, height / DPI)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    # As RGB: a colour map would shift some greys by one.
    rgb = pixels[:, :, None].repeat(3, axis=2)
    axes.imshow(rgb, interpolation="none", aspect="auto")
    axes.set_axis_off()
    return figure, axes


def _kept(history: Sequence[Mapping[str, Any]]) -> int:
    said = [i for i, epoch in enumerate(history) if epoch.get("best")]
    if said:
        return said[-1]
    judged = _column(history, "val_accuracy")
    if np.isnan(judged).all():
        return len(history) - 1
    return int(np.nanargmax(judged))


def _column(history: Sequence[Mapping[str, Any]], key: str) -> NDArray[np.float64]:
    return np.array([epoch.get(key) for epoch in history], np.float64)  # None becomes NaN


def _enlarged(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def _open(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
