"""Random variations of pictures: what each field does, alone, and that nothing else happens."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import fields

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits import Splits
from digits.models._keras import import_keras
from digits.models.builders import build
from digits.models.presets import WILD, Augment
from digits.training.augment import augmented

Maps = NDArray[np.float32]
"""(n, 28, 28, 2): of each pixel the place (x, y) in the original that it was taken from."""

_STEP = 9.0  # of the ramps from which the places are read: 0 to 243


def _only(**values: float) -> Augment:
    """Nothing but these fields."""
    return Augment(**{**{f.name: 0.0 for f in fields(Augment)}, **values})


def _varied(augment: Augment, images: NDArray[np.generic], seed: int = 0) -> NDArray[np.float32]:
    """What a model sees of `images` while it trains."""
    keras = import_keras()
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()])
    seen = augmented(model, augment, seed)(images, training=True)
    return np.asarray(keras.ops.convert_to_numpy(seen))


def _places(augment: Augment, count: int, seed: int = 0) -> Maps:
    """Where `augment` takes the pixels of `count` pictures from, read off two ramps.

    A bilinear look-up of a ramp is exact, and the same seed draws the same for the same place in a
    batch, whatever the pictures. Right only where that lies inside the picture.
    """
    down, across = np.mgrid[:28, :28].astype(np.float32) * _STEP
    x, y = (_varied(augment, np.stack([ramp] * count), seed) / _STEP for ramp in (across, down))
    return np.stack([x, y], axis=-1)


def _matrices(places: Maps) -> NDArray[np.float64]:
    """(n, 2, 3): the affine map p' = M p + t about the centre of each picture, which it must be."""
    middle = places[:, 8:20, 8:20].astype(float) - 13.5
    y, x = np.mgrid[8:20, 8:20] - 13.5
    known = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)
    flat = middle.reshape(len(places), -1, 2).transpose(1, 0, 2).reshape(x.size, -1)
    found, _, _, _ = np.linalg.lstsq(known, flat, rcond=None)
    np.testing.assert_allclose(known @ found, flat, atol=1e-3)
    return found.T.reshape(len(places), 2, 3)


def _ink(images: NDArray[np.generic]) -> NDArray[np.float64]:
    return images.astype(float).mean(axis=(1, 2))


def _box_sides(images: NDArray[np.generic]) -> NDArray[np.int64]:
    """(n, 2): width and height of the ink that is well visible."""
    inked = images > 64
    return np.stack([inked.any(axis=1).sum(axis=1), inked.any(axis=2).sum(axis=1)], axis=1)


@pytest.fixture(scope="module")
def digits(sample: Splits) -> NDArray[np.uint8]:
    return sample["train"].images[:400]


def test_outside_training_the_answers_are_the_same(digits: NDArray[np.uint8]) -> None:
    model = build("dense", {"units": (16,)})
    trainee = augmented(model, WILD, 0)
    plain = model.predict(digits, verbose=0)
    assert (trainee.predict(digits, verbose=0) == plain).all()
    assert not np.allclose(np.asarray(trainee(digits, training=True)), plain, atol=0.01)


def test_it_trains_the_models_own_weights(sample: Splits) -> None:
    model = build("dense", {"units": (16,)})
    before = model.get_weights()
    trainee = augmented(model, WILD, 0)
    trainee.compile("adam", "sparse_categorical_crossentropy")
    trainee.fit(sample["train"].images[:64], sample["train"].labels[:64], verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    assert len(model.get_weights()) == len(before)


def test_one_seed_gives_the_same_pictures(digits: NDArray[np.uint8]) -> None:
    first = _varied(WILD, digits, seed=5)
    assert (first == _varied(WILD, digits, seed=5)).all()
    assert (first != _varied(WILD, digits, seed=6)).any(axis=(1, 2)).all()


def test_each_picture_and_each_time_draws_its_own(digits: NDArray[np.uint8]) -> None:
    keras = import_keras()
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()])
    trainee = augmented(model, Augment(), 0)
    same = np.stack([digits[0]] * 50)
    once, again = (np.asarray(trainee(same, training=True)) for _ in range(2))
    assert len(np.unique(once.reshape(50, -1), axis=0)) == 50
    assert (once != again).any(axis=(1, 2)).all()


def test_values_stay_those_of_pixels(digits: NDArray[np.uint8]) -> None:
    rough = _only(**{f.name: 3 * getattr(WILD, f.name) for f in fields(Augment)})
    for augment in (WILD, rough):
        seen = _varied(augment, digits)
        assert seen.shape == digits.shape
        assert np.isfinite(seen).all()
        assert seen.min() >= -1e-3
        assert seen.max() <= 255 + 1e-3


def test_zero_is_none(digits: NDArray[np.uint8]) -> None:
    for augment in (_only(), _only(wild=1.0)):
        np.testing.assert_allclose(_varied(augment, digits), digits, atol=1e-3)


PAPER = ("stroke", "neighbours", "frame", "coarse", "blur", "contrast", "noise")


@pytest.mark.parametrize("field", PAPER)
def test_without_wild_there_is_no_paper(field: str, digits: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(_varied(_only(**{field: 1.0}), digits), digits)


def test_wild_is_the_share_of_pictures(digits: NDArray[np.uint8]) -> None:
    seen = _varied(_only(wild=0.3, stroke=1.0), digits)
    changed = np.abs(seen - digits).max(axis=(1, 2)) > 1
    assert changed.mean() == pytest.approx(0.3, abs=0.08)


def test_rotation() -> None:
    matrices = _matrices(_places(_only(rotation=20), 200))
    angles = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert np.abs(angles).max() <= 20.01
    assert (angles < -15).any()
    assert (angles > 15).any()
    cos, sin = np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))
    zero = np.zeros_like(cos)
    plain = np.array([[cos, -sin, zero], [sin, cos, zero]]).transpose(2, 0, 1)
    np.testing.assert_allclose(matrices, plain, atol=1e-3)  # about the centre, no zoom, no shift


def test_zoom() -> None:
    matrices = _matrices(_places(_only(zoom=0.2), 200))
    zooms = matrices[:, [0, 1], [0, 1]]
    assert np.abs(zooms - 1).max() <= 0.2001
    assert (zooms.min(axis=0) < 0.85).all()
    assert (zooms.max(axis=0) > 1.15).all()
    assert np.corrcoef(zooms.T)[0, 1] == pytest.approx(0, abs=0.3)  # each axis draws its own
    np.testing.assert_allclose(matrices[:, [0, 1, 0, 1], [1, 0, 2, 2]], 0, atol=1e-3)


def test_shift() -> None:
    matrices = _matrices(_places(_only(shift=0.1), 200))
    shifts = matrices[:, :, 2]
    assert np.abs(shifts).max() <= 2.801
    assert (shifts.min(axis=0) < -2).all()
    assert (shifts.max(axis=0) > 2).all()
    np.testing.assert_allclose(matrices[:, :, :2], np.stack([np.eye(2)] * 200), atol=1e-3)


def test_shear() -> None:
    matrices = _matrices(_places(_only(shear=0.3), 200))
    slopes = matrices[:, 0, 1]
    assert np.abs(slopes).max() <= 0.3001
    assert slopes.min() < -0.2
    assert slopes.max() > 0.2
    rest = matrices.copy()
    rest[:, 0, 1] = 0
    np.testing.assert_allclose(rest, np.stack([np.eye(2, 3)] * 200), atol=1e-3)


def test_elastic() -> None:
    moved = _places(_only(elastic=1.0), 200)[:, 6:22, 6:22] - np.mgrid[6:22, 6:22][::-1].transpose(
        1, 2, 0
    ).astype(np.float32)
    assert moved.std() == pytest.approx(1.0, abs=0.3)
    assert moved.mean() == pytest.approx(0, abs=0.1)
    assert np.abs(np.diff(moved, axis=1)).max() < 1.5  # smooth: neighbours move alike
    near = (moved[:, 1:] * moved[:, :-1]).mean() / moved.var()
    assert near > 0.9


def test_the_affine_is_that_of_opencv(digits: NDArray[np.uint8]) -> None:
    augment = _only(rotation=15, zoom=0.15, shift=0.1, shear=0.2)
    matrices = _matrices(_places(augment, len(digits), seed=3))
    seen = _varied(augment, digits, seed=3)
    centre = np.array([13.5, 13.5])
    for picture, matrix, found in zip(digits, matrices, seen, strict=True):
        whole = matrix.copy()
        whole[:, 2] += centre - matrix[:, :2] @ centre
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(picture.astype(np.float32), whole, (28, 28), flags=way)
        assert np.abs(expected - found).mean() < 1  # OpenCV rounds places to 1/32 pixel
        assert np.abs(expected - found).max() < 16


def test_stretch_pulls_the_ink_towards_a_square(sample: Splits, digits: NDArray[np.uint8]) -> None:
    ones = sample["train"].images[sample["train"].labels == 1][:200]
    before, after = _box_sides(ones), _box_sides(_varied(_only(stretch=1.0), ones))
    narrow = before[:, 0] <= 8
    assert narrow.sum() > 50
    wider = after[narrow, 0] / before[narrow, 0]
    assert wider.mean() > 1.5
    assert (wider > 0.99).all()
    assert np.abs(after[:, 1] - before[:, 1]).max() <= 2  # the long side stays
    assert _box_sides(_varied(_only(stretch=1.0), digits)).max() <= 24
    seen = _varied(_only(stretch=0.25), ones)
    changed = np.abs(seen - ones).max(axis=(1, 2)) > 1
    assert changed.mean() == pytest.approx(0.25, abs=0.1)


def test_stroke_grows_and_shrinks(digits: NDArray[np.uint8]) -> None:
    gain = _ink(_varied(_only(wild=1.0, stroke=1.0), digits)) / _ink(digits)
    assert (gain > 1.2).mean() > 0.2
    assert (gain < 0.9).mean() > 0.2
    # By up to about a pixel on each side: what grew lies beside the ink.
    beside = np.stack([cv2.dilate(p, np.ones((3, 3), np.uint8)) for p in digits])
    assert (_varied(_only(wild=1.0, stroke=1.0), digits) <= beside + 1e-3).all()
    more = _ink(_varied(_only(wild=1.0, stroke=2.0), digits)) / _ink(digits)
    assert np.quantile(more, 0.9) > np.quantile(gain, 0.9) + 0.2


def _edges(images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean of the four outermost rows and columns, where MNIST has no ink."""
    edge = np.ones((28, 28), bool)
    edge[4:-4, 4:-4] = False
    return images[:, edge].astype(float).mean(axis=1)


@pytest.mark.parametrize("field", ["neighbours", "frame"])
def test_something_looks_in_from_the_edge(field: str, digits: NDArray[np.uint8]) -> None:
    seen = _varied(_only(wild=1.0, **{field: 1.0}), digits)
    assert (seen >= digits - 1e-3).all()  # on top of the digit, which is all there
    more = _edges(seen) - _edges(digits)
    assert (more > 3).mean() > 0.4
    middle = np.s_[:, 13:15, 13:15]
    np.testing.assert_allclose(seen[middle], digits[middle], atol=1e-3)
    some = _varied(_only(wild=1.0, **{field: 0.2}), digits)
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
    seen = _varied(_only(wild=1.0, coarse=1.0), digits)
    assert (np.abs(seen - digits).max(axis=(1, 2)) > 30).mean() > 0.9
    # Through 16 pixels and back it loses less than a picture that has 28 to lose.
    assert _lost_through_16(seen) < 0.8 * _lost_through_16(digits)
    assert _ink(seen).mean() == pytest.approx(_ink(digits).mean(), rel=0.25)


def test_blur_softens(digits: NDArray[np.uint8]) -> None:
    seen = _varied(_only(wild=1.0, blur=1.0), digits)
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
    seen = _varied(_only(wild=1.0, contrast=0.5), digits)
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
    noise = _varied(_only(wild=1.0, noise=25.0), grey) - 128
    spreads = noise.std(axis=(1, 2))
    assert (spreads < 1e-3).mean() == pytest.approx(0.5, abs=0.1)  # every second picture has none
    assert 20 < spreads.max() < 28
    assert np.abs(noise.mean()) < 0.5
    one = noise[spreads > 10][0]
    assert abs(np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1]) < 0.15  # no texture


_UNDER_JAX = """
import sys
import numpy as np
from digits import load
from digits.models._keras import import_keras
from digits.models.builders import build
from digits.models.presets import WILD, Recipe
from digits.training.augment import augmented
from digits.training.fit import Observer, fit

keras = import_keras()
assert keras.backend.backend() == "jax"
import jax

some = load("sample")["train"].limit(256)
plain = augmented(keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()]), WILD, 1)
state = [v.value for v in plain.non_trainable_variables]
vary = jax.jit(lambda state, x: plain.stateless_call([], state, x, training=True))
seen, later = vary(state, some.images)
again, other = (np.asarray(vary(s, some.images)[0]) for s in (state, later))
assert (seen == again).all() and (seen != other).any()
assert seen.shape == (256, 28, 28) and seen.min() >= -1e-3 and seen.max() <= 255.001
assert (np.abs(seen - some.images).max(axis=(1, 2)) > 5).all()

model = build("dense", {"units": (16,)})
recipe = Recipe(
    family="dense", preset="x", source="a test", architecture={"units": (16,)}, optimizer="adam",
    learning_rate=0.01, batch_size=256, epochs=6, augment=WILD,
)
fitted = fit(model, recipe, some, None, 0, Observer())
losses = [epoch.loss for epoch in fitted.history]
assert losses[-1] < losses[0], losses
print("fine")
"""


def test_it_works_under_jax() -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs the package jax, which is not installed")
    done = subprocess.run(
        [sys.executable, "-c", _UNDER_JAX], env={**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "fine", done.stderr[-2000:]
