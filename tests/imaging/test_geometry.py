from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits import PictureError, Splits
from digits.imaging.decode import Picture
from digits.imaging.geometry import has_mnist_geometry, mnist_image
from digits.recognition.preprocess import preprocess
from drawing import Pixels, drawn_large, far, jpeg, png


def test_mnist_comes_back_pixel_for_pixel_in_both_inks(sample: Splits) -> None:
    for image in sample["train"].images:
        for ink in ("auto", "light"):
            assert np.array_equal(mnist_image(Picture("", image), ink), image)
        for ink in ("auto", "dark"):
            assert np.array_equal(mnist_image(Picture("", 255 - image), ink), image)
    for image in sample["test"].images:
        assert np.array_equal(preprocess(png(image)).image, image)
        assert np.array_equal(preprocess(png(255 - image)).image, image)


@pytest.mark.heavy
def test_all_of_mnist_passes_through(mnist: Splits) -> None:
    for dataset in mnist.values():
        for image in dataset.images:
            assert np.array_equal(mnist_image(Picture("", image)), image)
            assert np.array_equal(mnist_image(Picture("", 255 - image)), image)


@pytest.mark.parametrize("margins", [(30, 30, 30, 30), (5, 90, 200, 10), (0, 0, 0, 0)])
@pytest.mark.parametrize("dark", [True, False])
def test_a_large_drawing_anywhere_becomes_the_digit_it_shows(
    sample: Splits, margins: tuple[int, int, int, int], dark: bool
) -> None:
    distances = []
    for digit in sample["test"].images[::19]:
        large = drawn_large(digit, 9, margins)
        image = preprocess(png(255 - large if dark else large)).image
        if not image.any():  # a 1 that fills the whole picture is a black square
            distances.append(9.0)
            continue
        assert image.max() >= 250
        assert has_mnist_geometry(image)
        assert np.array_equal(preprocess(png(image)).image, image)
        distances.append(far(image, digit))
    assert np.median(distances) < 0.25  # thin strokes are thickened
    assert np.mean(np.array(distances) < 0.5) > 0.85


def test_pale_ink_on_unevenly_lit_paper(sample: Splits) -> None:
    digit = sample["test"].images[7]
    ink = drawn_large(digit, 8, (60, 40, 60, 40)) / 255
    height, width = ink.shape
    paper = 120 + 100 * np.linspace(0, 1, width) + 20 * np.linspace(0, 1, height)[:, None]
    noise = np.random.default_rng(0).normal(0, 2, ink.shape)
    photo = np.clip(paper * (1 - 0.3 * ink) + noise, 0, 255).astype(np.uint8)
    assert far(preprocess(png(photo)).image, digit) < 0.35
    assert far(preprocess(png(255 - photo)).image, digit) < 0.35


def test_dust_does_not_move_the_box(sample: Splits) -> None:
    digit = sample["test"].images[7]
    large = drawn_large(digit, 8, (60, 60, 60, 60))
    clean = preprocess(png(255 - large)).image
    large[3:6, 3:6] = large[-9:-7, 5:9] = 255
    dusty = preprocess(png(255 - large)).image
    assert far(dusty, clean) < 0.05


def test_colors_depth_and_format_do_not_matter(sample: Splits) -> None:
    digit = sample["test"].images[3]
    large = drawn_large(digit, 6, (20, 20, 20, 20))
    share = (large / 255)[..., None]
    yellow, blue = np.array([250, 240, 200]), np.array([20, 30, 160])
    photo = np.rint(yellow + (blue - yellow) * share).astype(np.uint8)
    assert far(preprocess(png(photo)).image, digit) < 0.35
    deep = (1000 + (255 - large.astype(np.uint16)) * 4).astype(np.uint16)
    assert far(preprocess(png(deep)).image, digit) < 0.35
    assert far(preprocess(jpeg(photo, 60)).image, digit) < 0.35


def rgba(gray: Pixels | int, alpha: Pixels) -> Pixels:
    tones = np.broadcast_to(np.asarray(gray, np.uint8), alpha.shape)
    return np.dstack([tones, tones, tones, alpha])


@pytest.mark.parametrize("tone", [0, 120, 255])
def test_ink_that_is_in_alpha_only(sample: Splits, tone: int) -> None:
    for digit in sample["test"].images[::49]:
        assert np.array_equal(preprocess(png(rgba(tone, digit))).image, digit)
        assert np.array_equal(preprocess(png(rgba(tone, 255 - digit))).image, digit)  # a stencil
        large = drawn_large(digit, 5, (9, 30, 40, 9))
        assert np.array_equal(
            preprocess(png(rgba(tone, large))).image, preprocess(png(large)).image
        )


def test_a_card_on_a_clear_ground(sample: Splits) -> None:
    large = drawn_large(sample["test"].images[3], 6, (20, 20, 20, 20))
    card = np.pad(255 - large, 80)
    alpha = np.pad(np.full_like(large, 255), 80)
    assert far(preprocess(png(rgba(card, alpha))).image, preprocess(png(255 - large)).image) < 0.3


def test_a_veil_of_alpha_is_no_ink(sample: Splits) -> None:
    digit = sample["test"].images[3]
    alpha = np.full_like(digit, 255)
    alpha[0] = alpha[-1] = 200
    assert far(preprocess(png(rgba(255 - digit, alpha))).image, digit) < 0.05


def test_the_ink_can_be_told(sample: Splits) -> None:
    large = drawn_large(sample["test"].images[3], 6, (30, 30, 30, 30))
    for pixels, right, wrong in ((255 - large, "dark", "light"), (large, "light", "dark")):
        found = [preprocess(png(pixels), ink).image for ink in ("auto", right)]
        assert np.array_equal(*found)
        assert not preprocess(png(pixels), wrong).has_ink


def noise(mean: float, spread: float) -> Pixels:
    values = np.random.default_rng(0).normal(mean, spread, (200, 150))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((28, 28), np.uint8),
        np.full((28, 28), 255, np.uint8),
        np.full((300, 500), 128, np.uint8),
        np.full((16, 1), 7, np.uint8),
        np.full((1, 900), 7, np.uint8),
        np.zeros((50, 40, 4), np.uint8),
        noise(190, 3),
        np.repeat(np.linspace(90, 220, 100).astype(np.uint8)[None], 80, axis=0),
    ],
    ids=["black", "white", "gray", "pixel", "line", "clear", "paper", "shade"],
)
@pytest.mark.parametrize("ink", ["auto", "dark", "light"])
def test_a_blank_picture_has_no_ink(pixels: Pixels, ink: Any) -> None:
    seen = preprocess(png(pixels), ink)
    assert not seen.has_ink
    assert not seen.image.any()
    assert seen.box == (0, 0, 0, 0)


def test_our_own_note_makes_any_picture_pass() -> None:
    from PIL.PngImagePlugin import PngInfo

    pixels = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    info = PngInfo()
    info.add_text("digits", "28x28 dark ink")
    for ink in ("auto", "dark", "light"):
        assert np.array_equal(preprocess(png(pixels, pnginfo=info), ink).image, 255 - pixels)
    # An editor may keep the note while it changes the size: then it says nothing.
    pixels[:] = 255
    pixels[5:20, 9:12] = 0
    enlarged = np.kron(pixels, np.ones((2, 2), np.uint8))
    assert has_mnist_geometry(preprocess(png(enlarged, pnginfo=info)).image)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (15, 3)])
def test_a_picture_of_few_pixels_is_too_small(shape: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="the picture is too small"):
        preprocess(np.zeros(shape, np.uint8))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_pixels_are_preprocessed(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(16, 40)), data.draw(st.integers(1, 40))
    depth = data.draw(st.sampled_from([(), (3,), (4,)]))
    low, high = sorted(data.draw(st.tuples(st.integers(0, 255), st.integers(0, 255))))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    pixels = rng.integers(low, high + 1, (height, width, *depth)).astype(np.uint8)
    seen = preprocess(pixels, data.draw(st.sampled_from(["auto", "dark", "light"])))
    assert seen.image.shape == (28, 28)
    assert seen.image.dtype == np.uint8
    assert seen.has_ink == seen.image.any() == seen.mask.any()
