"""Figures in false colors give back the values that were drawn; other pictures are left alone."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from digits import Recognizer, Splits
from digits.imaging.colormaps import MAPS, undo_colormap
from drawing import Pixels, drawn_large


def in_colors(values: Pixels, name: str) -> Image.Image:
    colors = matplotlib.colormaps[name](np.arange(256))[:, :3]
    return Image.fromarray((colors * 255).round().astype(np.uint8)[values])


@pytest.fixture
def digit(sample: Splits) -> Pixels:
    return drawn_large(sample["test"].images[0], 8, (40, 40, 40, 40))


@pytest.mark.parametrize("name", [name + way for name in MAPS for way in ("", "_r")])
def test_values_of_every_map_come_back(name: str, digit: Pixels) -> None:
    restored = undo_colormap(in_colors(digit, name))
    assert restored is not None
    # The map that is drawn backward cannot be told from the other; either way the ground is dark.
    assert np.corrcoef(np.asarray(restored).ravel(), digit.ravel())[0, 1] > 0.97


def test_what_is_outside_of_the_figure_keeps_its_gray(digit: Pixels) -> None:
    page = Image.new("RGB", (digit.shape[1] + 60, digit.shape[0] + 60), (250, 250, 250))
    page.paste(in_colors(digit, "jet"), (30, 30))
    restored = undo_colormap(page)
    assert restored is not None
    assert restored.getpixel((5, 5)) == 250
    assert restored.getpixel((40, 40)) == 0


def test_other_pictures_are_left_alone(digit: Pixels) -> None:
    rng = np.random.default_rng(0)
    ink = (digit / 255)[..., None]
    blue_pen = (np.array([235, 232, 220]) * (1 - ink) + np.array([20, 40, 160]) * ink).astype(
        np.uint8
    )
    yellow_paper = (np.array([240, 220, 90]) * (1 - ink) + 30 * ink).astype(np.uint8)
    noisy = np.clip(yellow_paper + rng.normal(0, 4, yellow_paper.shape), 0, 255).astype(np.uint8)
    rainbow = np.asarray(in_colors(rng.integers(0, 256, (200, 200), np.uint8), "jet"))  # no ground
    for pixels in (blue_pen, yellow_paper, noisy, rainbow):
        assert undo_colormap(Image.fromarray(pixels)) is None


@pytest.mark.parametrize("colors", ["viridis", "jet", "turbo", "coolwarm", "gray"])
@pytest.mark.parametrize("extras", ["none", "title", "color bar"])
def test_the_digit_in_a_saved_figure_is_read(colors: str, extras: str, sample: Splits) -> None:
    index = 7
    figure = Figure(dpi=100)
    axes = figure.add_subplot()
    shown = axes.imshow(sample["test"].images[index], cmap=colors)
    if extras == "title":
        axes.set_title("Label: 5, prediction: 3")
    elif extras == "color bar":
        figure.colorbar(shown)
    file = io.BytesIO()
    figure.savefig(file)
    assert Recognizer().predict(file.getvalue()).digit == sample["test"].labels[index]
