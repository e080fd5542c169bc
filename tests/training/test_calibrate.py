"""Calibration: predictions stay the same, and confidence matches accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits import Dataset, Splits
from digits.models._keras import import_keras
from digits.models.families import build
from digits.training.calibrate import calibrate


@pytest.fixture
def held_out(sample: Splits) -> Dataset:
    return sample["test"]


@pytest.fixture(scope="module")
def trained(sample: Splits) -> Any:
    """A quickly trained model whose last layer is a dense softmax."""
    import_keras().utils.set_random_seed(0)
    model = build("dense", {"units": (32,)})
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(sample["train"].images, sample["train"].labels, epochs=4, verbose=0)
    return model


@pytest.fixture
def model(trained: Any) -> Any:
    """A copy that a test may change."""
    copy = build("dense", {"units": (32,)})
    copy.set_weights(trained.get_weights())
    return copy


def _loss(model: Any, data: Dataset) -> float:
    of_truth = model.predict(data.images, verbose=0)[np.arange(len(data)), data.labels]
    return float(-np.log(np.maximum(of_truth, 1e-30)).mean())


def _scale_logits(model: Any, factor: float) -> None:
    """Multiply the logits."""
    last = model.layers[-1]
    last.set_weights([factor * weight for weight in last.get_weights()])


@pytest.mark.parametrize("factor", [3.0, 0.4])
def test_over_and_underconfidence_is_corrected(
    model: Any, held_out: Dataset, factor: float
) -> None:
    calibrate(model, held_out)
    best = _loss(model, held_out)
    _scale_logits(model, factor)
    before, digits = (
        _loss(model, held_out),
        model.predict(held_out.images, verbose=0).argmax(axis=1),
    )
    temperature = calibrate(model, held_out)
    assert temperature == pytest.approx(factor, rel=0.05)
    assert _loss(model, held_out) == pytest.approx(best, abs=0.002)
    assert _loss(model, held_out) < before - 0.01
    assert (model.predict(held_out.images, verbose=0).argmax(axis=1) == digits).all()


def test_a_calibrated_model_stays_as_it_is(model: Any, held_out: Dataset) -> None:
    calibrate(model, held_out)
    before = model.get_weights()
    assert calibrate(model, held_out) == pytest.approx(1, abs=0.04)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, rtol=0.04, atol=1e-6)


def test_only_the_last_layer_changes(model: Any, held_out: Dataset) -> None:
    _scale_logits(model, 3)
    *before, kernel, bias = model.get_weights()
    temperature = calibrate(model, held_out)
    *after, new_kernel, new_bias = model.get_weights()
    assert temperature is not None
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    np.testing.assert_allclose(new_kernel * temperature, kernel, rtol=1e-5)
    np.testing.assert_allclose(new_bias * temperature, bias, rtol=1e-5)


@pytest.mark.parametrize("output", ["softmax layer", "sigmoid"])
def test_another_output_is_left_alone(held_out: Dataset, output: str) -> None:
    layers = import_keras().layers
    outputs = {
        "softmax layer": [layers.Dense(10), layers.Softmax()],
        "sigmoid": [layers.Dense(10, activation="sigmoid")],
    }
    model = import_keras().Sequential(
        [layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), *outputs[output]]
    )
    before = model.get_weights()
    assert calibrate(model, held_out) is None
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
