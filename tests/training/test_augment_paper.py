"""Random variations of the pen, the paper and the camera: each field does what its words say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from variations import only, varied

from digits import Splits


@pytest.fixture(scope="module")
def digits(sample: Splits) -> NDArray[np.uint8]:
    return sample["train"].images[:400]


def _ink(images: NDArray[np.generic]) -> NDArray[np.float64]:
    return images.astype(float).mean(axis=(1, 2))


PAPER = ("stroke", "neighbours", "frame", "coarse", "blur", "contrast", "noise")


@pytest.mark.parametrize("field", PAPER)
def test_without_wild_there_is_no_paper(field: str, digits: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(varied(only(**{field: 1.0}), digits), digits)


def test_wild_is_the_share_of_pictures(digits: NDArray[np.uint8]) -> None:
    seen = varied(only(wild=0.3, stroke=1.0), digits)
    changed = np.abs(seen - digits).max(axis=(1, 2)) > 1
    assert changed.mean() == pytest.approx(0.3, abs=0.08)


def test_stroke_grows_and_shrinks(digits: NDArray[np.uint8]) -> None:
    gain = _ink(varied(only(wild=1.0, stroke=1.0), digits)) / _ink(digits)
    assert (gain > 1.2).mean() > 0.2
    assert (gain < 0.9).mean() > 0.2
    # By up to about a pixel on each side: what grew lies beside the ink.
    beside = np.stack([cv2.dilate(p, np.ones((3, 3), np.uint8)) for p in digits]).astype(float)
    assert (varied(only(wild=1.0, stroke=1.0), digits) <= beside + 1e-3).all()
    farther = varied(only(wild=1.0, stroke=2.0), digits) > beside + 1
    assert farther.any(axis=(1, 2)).mean() == pytest.approx(0.25, abs=0.1)


def _edges(images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean of the four outermost rows and columns, where MNIST has no ink."""
    edge = np.ones((28, 28), bool)
    edge[4:-4, 4:-4] = False
    return images[:, edge].astype(float).mean(axis=1)


@pytest.mark.parametrize("field", ["neighbours", "frame"])
def test_something_looks_in_from_the_edge(field: str, digits: NDArray[np.uint8]) -> None:
    seen = varied(only(wild=1.0, **{field: 1.0}), digits)
    assert (seen >= digits - 1e-3).all()  # on top of the digit, which is all there
    more = _edges(seen) - _edges(digits)
    assert (more > 3).mean() > 0.4
    middle = np.s_[:, 13:15, 13:15]
    np.testing.assert_allclose(seen[middle], digits[middle], atol=1e-3)
    some = varied(only(wild=1.0, **{field: 0.2}), digits)
    changed = (np.abs(some - digits).max(axis=(1, 2)) > 1).mean()
    twice = 1 if field == "neighbours" else 2  # a line for each axis
    assert changed <= 0.2 * twice + 0.1
    assert changed > 0.08


def _lost_through_16(images: NDArray[np.generic]) -> float:
    """Mean change of pictures that are scaled to 16 pixels and back."""
    pictures = images.astype(np.float32)
    small = [cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in pictures]
    return float(np.abs(np.stack([cv2.resize(p, (28, 28)) for p in small]) - pictures).mean())


def test_coarse_looks_like_fewer_pixels(digits: NDArray[np.uint8]) -> None:
    seen = varied(only(wild=1.0, coarse=1.0), digits)
    assert (np.abs(seen - digits).max(axis=(1, 2)) > 30).mean() > 0.9
    # Through 16 pixels and back it loses less than a picture that has 28 to lose.
    assert _lost_through_16(seen) < 0.8 * _lost_through_16(digits)
    assert _ink(seen).mean() == pytest.approx(_ink(digits).mean(), rel=0.25)


def test_blur_softens(digits: NDArray[np.uint8]) -> None:
    seen = varied(only(wild=1.0, blur=1.0), digits)
    steps = [np.abs(np.diff(p.astype(float), axis=2)).max(axis=(1, 2)) for p in (digits, seen)]
    assert (steps[1] <= steps[0] + 1e-3).all()
    assert steps[1].mean() < 0.8 * steps[0].mean()
    np.testing.assert_allclose(_ink(seen), _ink(digits), rtol=0.02)  # it moves ink, no more
    mean = np.stack([cv2.blur(p.astype(np.float32), (3, 3)) for p in digits])
    low, high = np.minimum(digits, mean), np.maximum(digits, mean)
    inner = np.s_[:, 1:-1, 1:-1]
    assert (seen[inner] >= low[inner] - 0.1).all()
    assert (seen[inner] <= high[inner] + 0.1).all()


def test_contrast_is_a_gain(digits: NDArray[np.uint8]) -> None:
    seen = varied(only(wild=1.0, contrast=0.5), digits)
    assert (seen[digits == 0] == 0).all()  # the ground stays black
    for before, after in zip(
        digits, seen, strict=True
    ):  # a curve: equal tones stay equal, in order
        tones, first = np.unique(before, return_index=True)
        curve = after.ravel()[first]
        assert (np.diff(curve) >= -1e-3).all()
        assert np.allclose(curve[np.searchsorted(tones, before)], after, atol=1e-3)
    spread = seen.max(axis=(1, 2)) / digits.max(axis=(1, 2))
    assert (spread < 0.9).mean() > 0.1  # paler
    assert spread.min() > np.exp(-0.5) - 0.01
    greys = [((p > 20) & (p < 235)).mean(axis=(1, 2)) for p in (digits, seen)]
    assert (greys[1] < 0.8 * greys[0]).mean() > 0.2  # harder


def test_noise_has_its_spread(digits: NDArray[np.uint8]) -> None:
    grey = np.full((400, 28, 28), 128, np.uint8)
    noise = varied(only(wild=1.0, noise=25.0), grey) - 128
    spreads = noise.std(axis=(1, 2))
    assert (spreads < 1e-3).mean() == pytest.approx(0.5, abs=0.1)  # every second picture has none
    assert 20 < spreads.max() < 28
    assert np.abs(noise.mean()) < 0.5
    one = noise[spreads > 10][0]
    assert abs(np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1]) < 0.15  # no texture
