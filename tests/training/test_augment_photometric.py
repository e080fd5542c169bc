"""Photometric augmentation: each field does what its documentation says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits import Splits
from training.augmentations import augment_images, only


@pytest.fixture(scope="module")
def digits(sample: Splits) -> NDArray[np.uint8]:
    return sample["train"].images[:400]


def _brightness(images: NDArray[np.generic]) -> NDArray[np.float64]:
    return images.astype(float).mean(axis=(1, 2))


FIELDS = ("stroke", "neighbors", "frame", "coarse", "blur", "contrast", "noise")


@pytest.mark.parametrize("field", FIELDS)
def test_photometric_0_turns_all_off(field: str, digits: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(augment_images(only(**{field: 1.0}), digits), digits)


def test_photometric_is_a_fraction_of_the_images(digits: NDArray[np.uint8]) -> None:
    seen = augment_images(only(photometric=0.3, stroke=1.0), digits)
    changed = np.abs(seen - digits).max(axis=(1, 2)) > 1
    assert changed.mean() == pytest.approx(0.3, abs=0.08)


def test_stroke_grows_and_shrinks(digits: NDArray[np.uint8]) -> None:
    gain = _brightness(augment_images(only(photometric=1.0, stroke=1.0), digits)) / _brightness(
        digits
    )
    assert (gain > 1.2).mean() > 0.2
    assert (gain < 0.9).mean() > 0.2
    # By up to a pixel on each side: the new foreground touches the old one.
    beside = np.stack([cv2.dilate(p, np.ones((3, 3), np.uint8)) for p in digits]).astype(float)
    assert (augment_images(only(photometric=1.0, stroke=1.0), digits) <= beside + 1e-3).all()
    farther = augment_images(only(photometric=1.0, stroke=2.0), digits) > beside + 1
    assert farther.any(axis=(1, 2)).mean() == pytest.approx(0.25, abs=0.1)


def _edges(images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean of the four outermost rows and columns, which are empty in MNIST."""
    edge = np.ones((28, 28), bool)
    edge[4:-4, 4:-4] = False
    return images[:, edge].astype(float).mean(axis=1)


@pytest.mark.parametrize("field", ["neighbors", "frame"])
def test_neighbors_and_frames_are_at_the_edge(field: str, digits: NDArray[np.uint8]) -> None:
    seen = augment_images(only(photometric=1.0, **{field: 1.0}), digits)
    assert (seen >= digits - 1e-3).all()  # the digit stays whole
    more = _edges(seen) - _edges(digits)
    assert (more > 3).mean() > 0.4
    middle = np.s_[:, 13:15, 13:15]
    np.testing.assert_allclose(seen[middle], digits[middle], atol=1e-3)
    some = augment_images(only(photometric=1.0, **{field: 0.2}), digits)
    changed = (np.abs(some - digits).max(axis=(1, 2)) > 1).mean()
    twice = 1 if field == "neighbors" else 2  # a line for each axis
    assert changed <= 0.2 * twice + 0.1
    assert changed > 0.08


def _lost_through_16(images: NDArray[np.generic]) -> float:
    """Mean change of images that are resized to 16×16 and back."""
    images = images.astype(np.float32)
    small = [cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in images]
    return float(np.abs(np.stack([cv2.resize(image, (28, 28)) for image in small]) - images).mean())


def test_coarse_images_have_a_low_resolution(digits: NDArray[np.uint8]) -> None:
    seen = augment_images(only(photometric=1.0, coarse=1.0), digits)
    assert (np.abs(seen - digits).max(axis=(1, 2)) > 30).mean() > 0.9
    # Resizing to 16×16 and back changes them less than images of full resolution.
    assert _lost_through_16(seen) < 0.8 * _lost_through_16(digits)
    assert _brightness(seen).mean() == pytest.approx(_brightness(digits).mean(), rel=0.25)


def test_blur_softens(digits: NDArray[np.uint8]) -> None:
    seen = augment_images(only(photometric=1.0, blur=1.0), digits)
    steps = [np.abs(np.diff(p.astype(float), axis=2)).max(axis=(1, 2)) for p in (digits, seen)]
    assert (steps[1] <= steps[0] + 1e-3).all()
    assert steps[1].mean() < 0.8 * steps[0].mean()
    np.testing.assert_allclose(
        _brightness(seen), _brightness(digits), rtol=0.02
    )  # the brightness stays
    mean = np.stack([cv2.blur(p.astype(np.float32), (3, 3)) for p in digits])
    low, high = np.minimum(digits, mean), np.maximum(digits, mean)
    inner = np.s_[:, 1:-1, 1:-1]
    assert (seen[inner] >= low[inner] - 0.1).all()
    assert (seen[inner] <= high[inner] + 0.1).all()


def test_contrast_is_a_gain(digits: NDArray[np.uint8]) -> None:
    seen = augment_images(only(photometric=1.0, contrast=0.5), digits)
    assert (seen[digits == 0] == 0).all()  # the background stays black
    for before, after in zip(digits, seen, strict=True):  # one monotonic curve for each image
        tones, first = np.unique(before, return_index=True)
        curve = after.ravel()[first]
        assert (np.diff(curve) >= -1e-3).all()
        assert np.allclose(curve[np.searchsorted(tones, before)], after, atol=1e-3)
    spread = seen.max(axis=(1, 2)) / digits.max(axis=(1, 2))
    assert (spread < 0.9).mean() > 0.1  # paler
    assert spread.min() > np.exp(-0.5) - 0.01
    grays = [((p > 20) & (p < 235)).mean(axis=(1, 2)) for p in (digits, seen)]
    assert (grays[1] < 0.8 * grays[0]).mean() > 0.2  # harder


def test_noise_has_its_standard_deviation(digits: NDArray[np.uint8]) -> None:
    gray = np.full((400, 28, 28), 128, np.uint8)
    noise = augment_images(only(photometric=1.0, noise=25.0), gray) - 128
    spreads = noise.std(axis=(1, 2))
    assert (spreads < 1e-3).mean() == pytest.approx(0.5, abs=0.1)  # half of the images have none
    assert 20 < spreads.max() < 28
    assert np.abs(noise.mean()) < 0.5
    one = noise[spreads > 10][0]
    assert abs(np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1]) < 0.15  # white
