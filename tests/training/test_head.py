"""Fine-tuning the last layers: where a model is split, and what its head is fitted to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import Dataset, ModelError, Splits
from digits.models._keras import import_keras
from digits.models.families import build
from digits.models.foreign.load import load_model
from digits.training.callback import Callback
from digits.training.data import TrainingData
from digits.training.head import VARIATIONS, HeadTraining, split_model
from digits.training.presets import recipe_for
from digits.training.recipe import Recipe, fine_tuning

CNN = {"filters": (4, 8), "kernel_size": 3, "units": 16, "normalized": True}


def names(model: Any) -> list[str]:
    return [type(layer).__name__ for layer in model.layers if "Input" not in type(layer).__name__]


@pytest.mark.parametrize(
    ("family", "architecture", "layers", "expected"),
    [
        ("dense", {"units": (32, 16)}, 2, ["Dense", "Dense"]),
        ("dense", {"units": (32, 16)}, 1, ["Dense"]),
        (
            "dense",
            {"units": (16,), "normalized": True},
            2,
            ["Dense", "BatchNormalization", "ReLU", "Dense"],
        ),
        ("cnn", CNN | {"dropout": (0.1, 0.1)}, 2, ["Dense", "Dropout", "Dense"]),
        ("cnn", CNN | {"filters": (4, 64)}, 2, ["Dense"]),  # 7×7×64 features are too many
        ("rnn", {"units": (8,)}, 2, ["SimpleRNN", "Dense"]),
    ],
)
def test_a_model_is_split_in_front_of_its_last_layers(
    family: str, architecture: dict[str, Any], layers: int, expected: list[str], sample: Splits
) -> None:
    model = build(family, architecture)
    images = sample["test"].images[:20]
    whole = model.predict(images, verbose=0)
    body, head = split_model(model, layers)
    assert names(head) == expected
    np.testing.assert_allclose(head.predict(body.predict(images, verbose=0), verbose=0), whole)
    head.layers[-1].set_weights([weight * 0 for weight in head.layers[-1].get_weights()])
    assert np.allclose(model.predict(images, verbose=0), 0.1)  # they share their weights


def test_a_model_from_a_file_is_split(models: dict[str, Path]) -> None:
    _, head = split_model(load_model(models["cnn"]), 2)
    assert names(head) == ["Dense", "Dense"]


def test_a_model_that_ends_in_several_branches_cannot_be_split() -> None:
    keras = import_keras()
    pixels = keras.Input((28, 28))
    flat = keras.layers.Flatten()(pixels)
    branches = [keras.layers.Dense(10, activation="softmax")(flat) for _ in range(2)]
    model = keras.Model(pixels, keras.layers.Average()(branches))
    with pytest.raises(ModelError, match="--preset"):
        split_model(model, 2)


class _Log(Callback):
    def __init__(self) -> None:
        self.images, self.seconds, self.fractions = 0, 0.0, []  # type: ignore[var-annotated]

    def on_train_begin(self, model: Any, recipe: Recipe, images: int, seconds: float) -> None:
        self.images, self.seconds = images, seconds

    def on_prepare(self, fraction: float) -> None:
        self.fractions.append(fraction)


def test_the_head_is_fitted_to_variations_of_ones_own_pictures_and_to_mnist_as_it_is(
    sample: Splits,
) -> None:
    own, rest = sample["train"].limit(40), sample["train"].take(slice(40, 400))
    validation = sample["test"].limit(50)
    data = TrainingData(own, rest, validation, (), (own, rest), mixed=True)
    model, log = build("cnn", CNN), _Log()
    recipe = fine_tuning(recipe_for("cnn", "best"))
    with HeadTraining(model, recipe, data, 0, log) as prepared:
        assert not any(layer.trainable for layer in prepared.head.layers if "norm" in layer.name)
    assert all(layer.trainable for layer in prepared.head.layers)
    times = VARIATIONS // 40
    assert len(prepared.train) == log.images == 40 * (times + 1) + 360
    assert log.seconds > 0
    assert log.fractions == sorted(log.fractions)
    assert log.fractions[-1] == 1

    body, _ = split_model(model, 2)

    def features(images: Any) -> Any:
        return body.predict(images, verbose=0)

    np.testing.assert_allclose(prepared.train.images[:40], features(own.images), atol=1e-5)
    np.testing.assert_allclose(prepared.train.images[-360:], features(rest.images), atol=1e-5)
    assert prepared.validation is not None
    np.testing.assert_allclose(prepared.validation.images, features(validation.images), atol=1e-5)
    varied = prepared.train.images[40:-360].reshape(times, 40, -1)
    assert (prepared.train.labels[40:-360].reshape(times, 40) == own.labels).all()
    assert np.abs(varied[0] - varied[1]).mean() > 0.01  # of the same pictures


def test_many_pictures_get_one_variation_each(sample: Splits) -> None:
    own = sample["train"]
    many = Dataset(np.tile(own.images, (2, 1, 1)), np.tile(own.labels, 2))
    data = TrainingData(many, None, None, (), (many,), mixed=False)
    recipe = fine_tuning(recipe_for("dense", "classic"))
    with HeadTraining(build("dense", {"units": (8, 8)}), recipe, data, 0, Callback()) as prepared:
        assert len(prepared.train) == 2 * len(many)
        assert prepared.validation is None
