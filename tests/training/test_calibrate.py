"""Calibration: the answers stay, and how sure they are fits what happens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits import Dataset, Recognizer, Splits, train
from digits.models._keras import import_keras
from digits.models.builders import build
from digits.training.calibrate import calibrate


@pytest.fixture
def held(sample: Splits) -> Dataset:
    return sample["test"]


@pytest.fixture(scope="module")
def trained(sample: Splits) -> Any:
    """A quickly trained model with a dense softmax end."""
    import_keras().utils.set_random_seed(0)
    model = build("dense", {"units": (32,)})
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(sample["train"].images, sample["train"].labels, epochs=4, verbose=0)
    return model


@pytest.fixture
def model(trained: Any) -> Any:
    """A copy of it, to be changed."""
    copy = build("dense", {"units": (32,)})
    copy.set_weights(trained.get_weights())
    return copy


def _loss(model: Any, data: Dataset) -> float:
    right = model.predict(data.images, verbose=0)[np.arange(len(data)), data.labels]
    return float(-np.log(np.maximum(right, 1e-30)).mean())


def _sharpened(model: Any, times: float) -> None:
    """Multiply the sums before the softmax."""
    last = model.layers[-1]
    last.set_weights([times * weight for weight in last.get_weights()])


@pytest.mark.parametrize("times", [3.0, 0.4])
def test_too_sure_or_not_sure_enough_is_put_right(model: Any, held: Dataset, times: float) -> None:
    calibrate(model, held)
    best = _loss(model, held)
    _sharpened(model, times)
    before, digits = _loss(model, held), model.predict(held.images, verbose=0).argmax(axis=1)
    temperature = calibrate(model, held)
    assert temperature == pytest.approx(times, rel=0.05)
    assert _loss(model, held) == pytest.approx(best, abs=0.002)
    assert _loss(model, held) < before - 0.01
    assert (model.predict(held.images, verbose=0).argmax(axis=1) == digits).all()


def test_what_fits_is_left_as_it_is(model: Any, held: Dataset) -> None:
    calibrate(model, held)
    before = model.get_weights()
    assert calibrate(model, held) == pytest.approx(1, abs=0.04)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, rtol=0.04, atol=1e-6)


def test_only_the_last_layer_changes(model: Any, held: Dataset) -> None:
    _sharpened(model, 3)
    *before, kernel, bias = model.get_weights()
    temperature = calibrate(model, held)
    *after, new_kernel, new_bias = model.get_weights()
    assert temperature is not None
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    np.testing.assert_allclose(new_kernel * temperature, kernel, rtol=1e-5)
    np.testing.assert_allclose(new_bias * temperature, bias, rtol=1e-5)


@pytest.mark.parametrize("end", ["softmax layer", "sigmoid"])
def test_another_end_is_left_alone(held: Dataset, end: str) -> None:
    layers = import_keras().layers
    ends = {
        "softmax layer": [layers.Dense(10), layers.Softmax()],
        "sigmoid": [layers.Dense(10, activation="sigmoid")],
    }
    model = import_keras().Sequential(
        [layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), *ends[end]]
    )
    before = model.get_weights()
    assert calibrate(model, held) is None
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_training_calibrates_where_pictures_are_held_out(sample: Splits) -> None:
    trained = train(
        "dense", sample, limit=1000, epochs=12, learning_rate=0.01, validation_fraction=0.2, seed=1
    )
    assert trained.metadata["temperature"] > 1.1  # too sure
    _, held = sample["train"].limit(1000).held_out(0.2, 1)
    best = next(e for e in reversed(trained.history) if e.best)
    # What is saved and scored is the calibrated model: the recorded losses are from before it.
    assert best.val_loss is not None
    assert _loss(trained.model, held) < best.val_loss - 0.003
    answers = Recognizer.from_program(trained.program, "x").probabilities(held.images)
    expected = trained.model.predict(held.images, verbose=0)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert (answers.argmax(axis=1) == held.labels).mean() == pytest.approx(best.val_accuracy)


def test_without_held_out_pictures_nothing_is_calibrated(sample: Splits) -> None:
    trained = train("dense", sample, epochs=1, limit=300)
    assert trained.metadata["validation_pictures"] == 0
    assert "temperature" in trained.metadata
    assert trained.metadata["temperature"] is None
