"""Random augmentation: what holds for all of it, and each geometric field alone."""

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
from digits.models.families import build
from digits.training.augment import augmented
from digits.training.presets import STRONG_AUGMENT
from digits.training.recipe import Augment
from training.augmentations import augment_images, augmented_identity, only

Maps = NDArray[np.float32]
"""(n, 28, 28, 2): for each output pixel the source coordinates (x, y)."""

_STEP = 9.0  # gray levels per pixel of the ramps that source coordinates are read from: 0 to 243


def _sources(augment: Augment, count: int, seed: int = 0) -> Maps:
    """The source coordinates of `count` augmented images, read from two augmented ramps.

    Bilinear sampling of a ramp is exact, and the same seed transforms the n-th image of a batch in
    the same way whatever it shows. Valid only for sources inside the image.
    """
    down, across = np.mgrid[:28, :28].astype(np.float32) * _STEP
    x, y = (
        augment_images(augment, np.stack([ramp] * count), seed) / _STEP for ramp in (across, down)
    )
    return np.stack([x, y], axis=-1)


def _matrices(sources: Maps) -> NDArray[np.float64]:
    """(n, 2, 3): the affine map p' = M p + t about the center of each image; fails for others."""
    middle = sources[:, 8:20, 8:20].astype(float) - 13.5
    y, x = np.mgrid[8:20, 8:20] - 13.5
    known = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)
    flat = middle.reshape(len(sources), -1, 2).transpose(1, 0, 2).reshape(x.size, -1)
    found, _, _, _ = np.linalg.lstsq(known, flat, rcond=None)
    np.testing.assert_allclose(known @ found, flat, atol=1e-3)
    return found.T.reshape(len(sources), 2, 3)


def _box_sides(images: NDArray[np.generic]) -> NDArray[np.int64]:
    """(n, 2): width and height of the clearly visible foreground."""
    visible = images > 64
    return np.stack([visible.any(axis=1).sum(axis=1), visible.any(axis=2).sum(axis=1)], axis=1)


@pytest.fixture(scope="module")
def digits(sample: Splits) -> NDArray[np.uint8]:
    return sample["train"].images[:400]


def test_predictions_are_not_augmented(digits: NDArray[np.uint8]) -> None:
    model = build("dense", {"units": (16,)})
    trainee = augmented(model, STRONG_AUGMENT, 0)
    plain = model.predict(digits, verbose=0)
    assert (trainee.predict(digits, verbose=0) == plain).all()
    assert not np.allclose(np.asarray(trainee(digits, training=True)), plain, atol=0.01)


def test_a_fraction_of_the_images_is_augmented(digits: NDArray[np.uint8]) -> None:
    trainee = augmented_identity(STRONG_AUGMENT)
    for fraction, low, high in ((1.0, 0, 0), (0.5, 0.4, 0.6), (0.0, 1, 1)):
        trainee.layers[0].fraction.assign(fraction)
        seen = np.asarray(trainee(digits, training=True))
        same = (seen == digits).all(axis=(1, 2)).mean()
        assert low <= same <= high, fraction


def test_it_trains_the_weights_of_the_model(sample: Splits) -> None:
    model = build("dense", {"units": (16,)})
    before = model.get_weights()
    trainee = augmented(model, STRONG_AUGMENT, 0)
    trainee.compile("adam", "sparse_categorical_crossentropy")
    trainee.fit(sample["train"].images[:64], sample["train"].labels[:64], verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    assert len(model.get_weights()) == len(before)


def test_a_seed_gives_the_same_images(digits: NDArray[np.uint8]) -> None:
    first = augment_images(STRONG_AUGMENT, digits, seed=5)
    assert (first == augment_images(STRONG_AUGMENT, digits, seed=5)).all()
    assert (first != augment_images(STRONG_AUGMENT, digits, seed=6)).any(axis=(1, 2)).all()


def test_each_image_and_each_step_differs(digits: NDArray[np.uint8]) -> None:
    trainee = augmented_identity(Augment())
    same = np.stack([digits[0]] * 50)
    once, again = (np.asarray(trainee(same, training=True)) for _ in range(2))
    assert len(np.unique(once.reshape(50, -1), axis=0)) == 50
    assert (once != again).any(axis=(1, 2)).all()


def test_values_stay_in_range(digits: NDArray[np.uint8]) -> None:
    rough = only(**{f.name: 3 * getattr(STRONG_AUGMENT, f.name) for f in fields(Augment)})
    for augment in (STRONG_AUGMENT, rough):
        seen = augment_images(augment, digits)
        assert seen.shape == digits.shape
        assert np.isfinite(seen).all()
        assert seen.min() >= -1e-3
        assert seen.max() <= 255 + 1e-3


def test_zero_turns_a_field_off(digits: NDArray[np.uint8]) -> None:
    for augment in (only(), only(photometric=1.0)):
        np.testing.assert_allclose(augment_images(augment, digits), digits, atol=1e-3)


def test_rotation() -> None:
    matrices = _matrices(_sources(only(rotation=20), 200))
    angles = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert np.abs(angles).max() <= 20.01
    assert angles.min() < -18.5
    assert angles.max() > 18.5
    cos, sin = np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))
    zero = np.zeros_like(cos)
    plain = np.array([[cos, -sin, zero], [sin, cos, zero]]).transpose(2, 0, 1)
    np.testing.assert_allclose(matrices, plain, atol=1e-3)  # no zoom, no shift


def test_zoom() -> None:
    matrices = _matrices(_sources(only(zoom=0.2), 200))
    zooms = matrices[:, [0, 1], [0, 1]]
    assert np.abs(zooms - 1).max() <= 0.2001
    assert (zooms.min(axis=0) < 0.85).all()
    assert (zooms.max(axis=0) > 1.15).all()
    assert np.corrcoef(zooms.T)[0, 1] == pytest.approx(0, abs=0.3)  # independent for each axis
    np.testing.assert_allclose(matrices[:, [0, 1, 0, 1], [1, 0, 2, 2]], 0, atol=1e-3)


def test_shift() -> None:
    matrices = _matrices(_sources(only(shift=0.1), 200))
    shifts = matrices[:, :, 2]
    assert np.abs(shifts).max() <= 2.801
    assert (shifts.min(axis=0) < -2).all()
    assert (shifts.max(axis=0) > 2).all()
    np.testing.assert_allclose(matrices[:, :, :2], np.stack([np.eye(2)] * 200), atol=1e-3)


def test_shear() -> None:
    matrices = _matrices(_sources(only(shear=0.3), 200))
    slopes = matrices[:, 0, 1]
    assert np.abs(slopes).max() <= 0.3001
    assert slopes.min() < -0.2
    assert slopes.max() > 0.2
    rest = matrices.copy()
    rest[:, 0, 1] = 0
    np.testing.assert_allclose(rest, np.stack([np.eye(2, 3)] * 200), atol=1e-3)


def test_elastic() -> None:
    moved = _sources(only(elastic=1.0), 200)[:, 6:22, 6:22] - np.mgrid[6:22, 6:22][::-1].transpose(
        1, 2, 0
    ).astype(np.float32)
    assert moved.std() == pytest.approx(1.0, abs=0.3)
    assert moved.mean() == pytest.approx(0, abs=0.1)
    steps = np.abs(np.diff(moved, axis=1))
    assert np.quantile(steps, 0.999) < 1.5  # smooth
    near = (moved[:, 1:] * moved[:, :-1]).mean() / moved.var()
    assert near > 0.9


def test_the_affine_is_that_of_opencv(digits: NDArray[np.uint8]) -> None:
    augment = only(rotation=15, zoom=0.15, shift=0.1, shear=0.2)
    matrices = _matrices(_sources(augment, len(digits), seed=3))
    seen = augment_images(augment, digits, seed=3)
    center = np.array([13.5, 13.5])
    for image, matrix, found in zip(digits, matrices, seen, strict=True):
        whole = matrix.copy()
        whole[:, 2] += center - matrix[:, :2] @ center
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(image.astype(np.float32), whole, (28, 28), flags=way)
        assert np.abs(expected - found).mean() < 1  # OpenCV rounds places to 1/32 pixel
        assert np.abs(expected - found).max() < 16


def test_stretch_widens_narrow_digits(sample: Splits, digits: NDArray[np.uint8]) -> None:
    ones = sample["train"].images[sample["train"].labels == 1][:200]
    before, after = _box_sides(ones), _box_sides(augment_images(only(stretch=1.0), ones))
    narrow = before[:, 0] <= 8
    assert narrow.sum() > 50
    wider = after[narrow, 0] / before[narrow, 0]
    assert wider.mean() > 1.5
    assert (wider > 0.99).all()
    assert np.abs(after[:, 1] - before[:, 1]).max() <= 2  # the long side stays
    lying = np.ascontiguousarray(ones.transpose(0, 2, 1))
    taller = _box_sides(augment_images(only(stretch=1.0), lying))[narrow, 1] / before[narrow, 0]
    assert taller.mean() > 1.5
    assert _box_sides(augment_images(only(stretch=1.0), digits)).max() <= 24
    seen = augment_images(only(stretch=0.25), ones)
    changed = np.abs(seen - ones).max(axis=(1, 2)) > 1
    assert changed.mean() == pytest.approx(0.25, abs=0.1)


_UNDER_JAX = """
import sys
import numpy as np
from digits import load
from digits.models._keras import import_keras
from digits.models.families import build
from digits.training.presets import STRONG_AUGMENT
from digits.training.recipe import Recipe
from digits.training.augment import augmented
from digits.training.fit import fit

keras = import_keras()
assert keras.backend.backend() == "jax"
import jax

some = load("sample")["train"].limit(256)
identity = keras.Sequential([keras.Input((28, 28)), keras.layers.Identity()])
plain = augmented(identity, STRONG_AUGMENT, 1)
state = [v.value for v in plain.non_trainable_variables]
augment = jax.jit(lambda state, x: plain.stateless_call([], state, x, training=True))
seen, later = augment(state, some.images)
again, other = (np.asarray(augment(s, some.images)[0]) for s in (state, later))
assert (seen == again).all() and (seen != other).any()
assert seen.shape == (256, 28, 28) and seen.min() >= -1e-3 and seen.max() <= 255.001
assert (np.abs(seen - some.images).max(axis=(1, 2)) > 5).all()

model = build("dense", {"units": (16,)})
recipe = Recipe(
    family="dense", preset="x", source="a test", architecture={"units": (16,)}, optimizer="adam",
    learning_rate=0.01, batch_size=256, epochs=6, augment=STRONG_AUGMENT,
)
fitted = fit(model, recipe, some)
losses = [epoch.loss for epoch in fitted.history]
assert losses[-1] < losses[0], losses
print("fine")
"""


def test_it_works_under_jax() -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs the package jax, which is not installed")
    # Compiling takes most of the time, and less without its optimizations.
    env = {**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _UNDER_JAX], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "fine", done.stderr[-2000:]
