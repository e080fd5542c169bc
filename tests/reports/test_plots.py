"""Plots: what they show is read back from the figures and the files."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from digits import Dataset, Splits
from digits.errors import DataError, OutputError
from digits.models.metadata import Epoch
from digits.reports import plots


def epochs(n, validated=True, best=()):
    """A history; the epochs whose numbers are in `best` are marked so."""
    return [
        Epoch(
            epoch=i,
            loss=0.5 / i,
            accuracy=0.9 + 0.01 * i,
            val_loss=0.6 / i if validated else None,
            val_accuracy=0.9 - 0.01 * i if validated else None,
            learning_rate=0.001,
            seconds=1.0,
            best=i in best,
        )
        for i in range(1, n + 1)
    ]


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(plots.png(figure))).convert("L"))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def assert_no_text_overlaps(figure):
    figure.canvas.draw()
    shown = [t for axes in figure.axes for t in [*axes.texts, axes.title] if t.get_text()]
    boxes = [text.get_window_extent() for text in shown]
    frame = figure.bbox
    for box in boxes:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_curves_show_both_lines_and_mark_the_last_best_epoch():
    history = epochs(5, best=(1, 3))
    figure = plots.curves(history)
    assert [axes.get_title() for axes in figure.axes] == ["Loss", "Accuracy"]
    assert legend(figure) == ["best epoch: 3", "training", "validation"]
    loss, accuracy = figure.axes
    np.testing.assert_allclose(loss.lines[1].get_ydata(), [e.loss for e in history])
    np.testing.assert_allclose(accuracy.lines[2].get_ydata(), [e.val_accuracy for e in history])


def test_curves_without_validation_mark_the_last_epoch_which_is_kept():
    assert legend(plots.curves(epochs(4, validated=False))) == ["epoch kept: 4", "training"]


def test_curves_of_one_epoch_can_be_drawn():
    figure = plots.curves(epochs(1))
    assert pixels(figure).min() < 50
    assert [x for x in figure.axes[0].get_xticks() if 0.5 <= x <= 1.5] == [1]


def test_curves_of_a_training_that_diverged_can_be_drawn():
    *history, last = epochs(3, best=(1, 2))
    last = replace(last, loss=float("nan"), val_loss=None, val_accuracy=None)
    figure = plots.curves([*history, last])
    assert legend(figure)[0] == "best epoch: 2"
    assert pixels(figure).shape[1] > 1000


def test_no_epochs_is_an_error():
    with pytest.raises(DataError):
        plots.curves([])


def test_confusion_writes_every_count_in_its_cell():
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 40, (10, 10)) + np.diag(np.full(10, 1200))
    figure = plots.confusion(matrix)
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        assert text.get_text() == f"{matrix[int(row), int(column)]:,}"
    assert f"{matrix.trace():,} of {matrix.sum():,} correct" in figure.axes[0].get_title()
    assert_no_text_overlaps(figure)


def test_one_mistake_among_thousands_shows_in_color():
    flawless = np.diag(np.full(10, 6000))
    flawed = flawless.copy()
    flawed[4, 9] = 1
    colors = []
    for matrix in (flawless, flawed):
        figure = plots.confusion(matrix)
        content = Image.open(io.BytesIO(plots.png(figure))).convert("RGB")
        x, y = figure.axes[0].transData.transform((8.6, 4.4))
        colors.append(np.asarray(content.getpixel((int(x), content.height - int(y))), int))
    assert (colors[0] > 240).all()
    assert abs(colors[0] - colors[1]).max() > 60


@pytest.mark.parametrize("matrix", [np.zeros((10, 10), int), np.full((10, 10), 12345)])
def test_confusion_at_its_ends_can_be_drawn(matrix):
    assert_no_text_overlaps(plots.confusion(matrix))


def test_grid_shows_the_pictures_themselves_in_dark_ink(sample):
    image = sample["test"].images[3]
    shown = pixels(plots.grid(image[None], ["3"]))
    expected = 255 - image.repeat(4, axis=0).repeat(4, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(shown, expected.shape)[:, ::2]
    assert any((window == expected).all() for row in windows for window in row)


@pytest.mark.parametrize("n", [1, 3, 10, 23])
def test_grid_titles_do_not_overlap(sample, n):
    images = sample["test"].images[:n]
    titles = [f"picture #{i}\n8 → 8 (> 99.9 %)" for i in range(n)]
    figure = plots.grid(images, titles, np.zeros(n, bool), heading="A heading that is quite long")
    assert_no_text_overlaps(figure)


def test_grid_tells_wrong_ones_by_more_than_color(sample):
    figure = plots.grid(sample["test"].images[:2], ["7 → 7", "2 → 3"], [True, False])
    right, wrong = figure.axes[0].texts[1:]
    assert (right.get_text(), right.get_weight()) == ("7 → 7", "normal")
    assert (wrong.get_text(), wrong.get_weight()) == ("2 → 3 ✗", "bold")


def test_titles_are_taken_literally(sample):
    figure = plots.grid(sample["test"].images[:1], ["$\\bad{$"])
    assert pixels(figure).size
    part = sample["test"].limit(3)
    assert pixels(plots.counts(Splits("odd", {"$\\bad{$": part}))).size


def test_gallery_shows_the_worst_first(sample):
    data = sample["test"].take(np.arange(0, 1000, 100))
    given = np.full((10, 10), 0.01)
    wrong = {1: 0.7, 4: 0.99995, 8: 0.91}
    for i, label in enumerate(data.labels):
        answer = (label + 1) % 10 if i in wrong else label
        given[i, answer] = wrong.get(i, 0.91)
    titles = texts(plots.misread_gallery(data.images, data.labels, given).axes[0])
    expected = [
        f"{data.labels[i]} → {(data.labels[i] + 1) % 10}\n{sure}"
        for i, sure in ((4, ">99.9%"), (8, "91.0%"), (1, "70.0%"))
    ]
    assert titles[1:] == expected
    assert titles[0].startswith("Misread: 3 ")
    limited = texts(plots.misread_gallery(data.images, data.labels, given, limit=2).axes[0])
    assert limited[1:] == expected[:2]
    assert "2 worst of 3" in limited[0]


def test_gallery_of_a_flawless_model_says_so(sample):
    data = sample["test"].limit(20)
    figure = plots.misread_gallery(data.images, data.labels, np.eye(10)[data.labels])
    assert texts(figure.axes[0]) == ["None of 20 pictures was misread"]
    assert_no_text_overlaps(figure)


def test_counts_have_a_bar_for_each_digit_of_each_part(sample):
    figure = plots.counts(sample)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "train: 4,000 pictures",
        "test: 1,000 pictures",
    ]
    for axes, data in zip(figure.axes, sample.values(), strict=True):
        assert [bar.get_height() for bar in axes.patches] == list(data.counts)
        assert texts(axes) == [f"{count:,}" for count in data.counts]
    assert_no_text_overlaps(figure)


def test_digits_that_are_missing_have_a_count_of_zero():
    sevens = Dataset(np.zeros((3, 28, 28)), [7, 7, 7])
    figure = plots.counts(Splits("sevens", {"all": sevens}))
    assert texts(figure.axes[0]) == ["0"] * 7 + ["3", "0", "0"]


def test_save_writes_a_png_whole_or_not_at_all(tmp_path, sample):
    figure = plots.grid(sample["test"].images[:1], ["7"])
    plots.save(figure, tmp_path / "new" / "grid.png")
    with Image.open(tmp_path / "new" / "grid.png") as picture:
        assert picture.format == "PNG"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["grid.png"]
    with pytest.raises(OutputError):
        plots.save(figure, tmp_path / "new")
