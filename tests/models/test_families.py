"""The builders: pixels in, probabilities out, with the layers that the architecture names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

from digits import Splits
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.compile import compile_model
from digits.models.compiled import CompiledModel
from digits.models.families import FAMILIES, REJECTOR, TABLE, build
from digits.models.find import shipped_folder
from digits.training.presets import PRESETS, REJECTOR_RECIPE, recipe_for
from models.foreign.keras_files import rebuilt_answers

RECIPES = [*(r for presets in PRESETS.values() for r in presets.values()), REJECTOR_RECIPE]
STACKED = {
    "filters": (4, 6), "convolutions": (1, 2), "kernel_size": 3, "normalized": True, "units": 8,
    "dropout": (0.2, 0.3),
}  # fmt: skip


def _kinds(model: Any) -> Counter[str]:
    return Counter(type(layer).__name__ for layer in model.layers)


def _filters(model: Any) -> list[int]:
    return [layer.filters for layer in model.layers if hasattr(layer, "filters")]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: f"{r.family} {r.preset}")
def test_every_recipe_builds(recipe: Any, sample: Splits) -> None:
    model = build(recipe.family, recipe.architecture)
    assert model.name == recipe.family
    answers = np.asarray(model(sample["test"].images[:3]))
    assert answers.shape == (3, TABLE[recipe.family].outputs)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_convolutions_in_a_row_before_each_pooling() -> None:
    model = build("cnn", {**STACKED, "filters": (4, 6, 7), "convolutions": (1, 2, 3)})
    assert _filters(model) == [4, 6, 6, 7, 7, 7]
    assert _kinds(model)["MaxPooling2D"] == 3
    order = [type(layer).__name__ for layer in model.layers if hasattr(layer, "filters")
             or type(layer).__name__ == "MaxPooling2D"]  # fmt: skip
    assert order == ["Conv2D", "MaxPooling2D", *["Conv2D"] * 2, "MaxPooling2D", *["Conv2D"] * 3,
                     "MaxPooling2D"]  # fmt: skip
    once = build("cnn", {"filters": (4, 6), "kernel_size": 3, "units": 8})
    assert _filters(once) == [4, 6]


def test_the_first_convolutions_have_no_padding() -> None:
    shapes = {}
    for unpadded in (None, 0, 1, 2):
        model = build("cnn", {**STACKED, "first_kernel_size": 5, "unpadded": unpadded})
        shapes[unpadded] = [layer.output.shape[1] for layer in model.layers
                            if hasattr(layer, "filters")]  # fmt: skip
    assert shapes == {0: [28, 14, 14], 1: [24, 12, 12], 2: [24, 10, 10], None: [24, 12, 12]}


def test_normalization_stands_between_each_convolution_and_its_relu() -> None:
    model = build("cnn", STACKED)
    kinds = [type(layer).__name__ for layer in model.layers]
    for i, kind in enumerate(kinds):
        if kind == "Conv2D":
            assert kinds[i + 1 : i + 3] == ["BatchNormalization", "ReLU"]
            assert not model.layers[i].use_bias  # that of the normalization is enough
            assert model.layers[i].activation.__name__ == "linear"
    assert _kinds(model)["BatchNormalization"] == 3
    plain = build("cnn", {**STACKED, "normalized": False})
    assert _kinds(plain)["BatchNormalization"] == 0
    assert all(layer.use_bias for layer in plain.layers if hasattr(layer, "filters"))


def test_the_rejector_is_a_cnn_with_one_output_more() -> None:
    cnn, rejector = build("cnn", STACKED), build(REJECTOR, STACKED)
    assert _kinds(cnn) == _kinds(rejector)
    assert (cnn.output_shape, rejector.output_shape) == ((None, 10), (None, 11))
    assert rejector.count_params() - cnn.count_params() == 8 + 1


def test_a_trained_normalized_cnn_is_compiled_and_rebuilt_alike(
    sample: Splits, tmp_path: Path
) -> None:
    """Only after training do the averages of the normalization differ from 0 and 1."""
    import_keras().utils.set_random_seed(0)
    model, rng = build("cnn", STACKED), np.random.default_rng(0)
    for variable in model.weights:
        low, high = (0.01, 0.1) if "moving_variance" in variable.path else (-0.1, 0.1)
        if "moving" in variable.path:
            variable.assign(rng.uniform(low, high, variable.shape))
    images = sample["test"].images[:200]
    expected = model.predict(images, verbose=0)
    assert expected.std(axis=0).max() > 0.01  # it does not give the same answer to all
    found = CompiledModel(compile_model(model), "x").probabilities(images)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model_file.save_plain(model, tmp_path / "m.h5")
    np.testing.assert_allclose(rebuilt_answers(tmp_path / "m.h5", images), expected, atol=1e-5)


def test_normalization_after_pooling() -> None:
    model = build("cnn", {**STACKED, "normalized": "after pooling"})
    order = [type(layer).__name__ for layer in model.layers[2:11]]
    assert order == ["Conv2D", "MaxPooling2D", "BatchNormalization", "ReLU",
                     "Conv2D", "BatchNormalization", "ReLU", "Conv2D", "MaxPooling2D"]  # fmt: skip


def test_a_first_convolution_without_padding_halves_evenly() -> None:
    model = build("cnn", {**STACKED, "filters": (4, 6, 8), "convolutions": (1, 1, 1),
                          "first_kernel_size": 5})  # fmt: skip
    sides = [layer.output.shape[1] for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert sides == [24, 12, 6]
    assert [layer.kernel_size[0] for layer in model.layers if hasattr(layer, "filters")] == [
        5,
        3,
        3,
    ]


def test_fixed_filters_are_cosine_patterns_and_stay(sample: Splits) -> None:
    model = build("cnn", {**STACKED, "fixed_filters": 24})
    (patterns,) = model.get_layer("fixed_filters").get_weights()
    assert patterns.shape == (5, 5, 1, 48)
    flat = patterns[..., :24].reshape(25, 24)
    np.testing.assert_allclose(flat.T @ flat, np.eye(24), atol=1e-6)  # orthonormal
    np.testing.assert_allclose(flat.sum(axis=0), 0, atol=1e-6)  # blind to the ground
    np.testing.assert_array_equal(patterns[..., 24:], -patterns[..., :24])
    reference = cv2.idct(np.eye(1, 25, 1, np.float32).reshape(5, 5))
    assert any(np.allclose(flat[:, i], reference.ravel(), atol=1e-6) for i in range(24))
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    some = sample["train"].limit(32)
    model.train_on_batch(some.images, some.labels)
    np.testing.assert_array_equal(model.get_layer("fixed_filters").get_weights()[0], patterns)


def test_dense_layers_normalized() -> None:
    model = build("dense", {"units": (9, 7), "normalized": True, "momentum": 0.8})
    kinds = [type(layer).__name__ for layer in model.layers[1:]]
    assert kinds == ["Flatten", *["Dense", "BatchNormalization", "ReLU"] * 2, "Dense"]
    assert {layer.momentum for layer in model.layers if hasattr(layer, "momentum")} == {0.8}
    assert model.count_params() == 784 * 9 + 4 * 9 + 9 * 7 + 4 * 7 + 7 * 10 + 10


def test_rows_read_both_ways_and_all_looked_at() -> None:
    model = build("rnn", {"units": (5, 6), "bidirectional": True, "summary": 8})
    assert [layer.output.shape[1:] for layer in model.layers] == [
        (28, 28), (28, 10), (28, 12), (28 * 12,), (8,), (10,)
    ]  # fmt: skip
    assert _kinds(model)["Bidirectional"] == 2
    ending = build("rnn", {"units": (5, 6), "bidirectional": True})
    assert [layer.output.shape[1:] for layer in ending.layers[1:]] == [(28, 10), (12,), (10,)]


SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("dense", {"units": (9, 7)}),
    "dense, normalized": ("dense", {"units": (9, 7), "normalized": True}),
    "cnn": ("cnn", {"filters": (4, 6), "kernel_size": 5, "units": 8, "activation": None}),
    "cnn, dropout": ("cnn", {**STACKED, "normalized": False}),
    "cnn, normalized": ("cnn", {**STACKED, "normalized_units": True}),
    "cnn, after pooling": (
        "cnn", {**STACKED, "normalized": "after pooling", "first_kernel_size": 5}
    ),
    "cnn, fixed filters": ("cnn", {**STACKED, "fixed_filters": 4}),
    "cnn, without padding": ("cnn", {**STACKED, "first_kernel_size": 5, "unpadded": 2}),
    "rnn": ("rnn", {"units": (5,)}),
    "rnn, two rows": ("rnn", {"units": (5,), "rows": 2, "summary": 6}),
    "rnn, both ways": ("rnn", {"units": (5, 6), "bidirectional": True, "summary": 8}),
    "rejector": (REJECTOR, STACKED),
}  # fmt: skip


def test_every_setting_of_the_recipes_is_among_the_small_architectures() -> None:
    known = {(family, name) for family, architecture in SMALL.values() for name in architecture}
    for recipe in RECIPES:
        family = "cnn" if recipe.family == REJECTOR else recipe.family
        assert {(family, name) for name in recipe.architecture} <= known | {(family, "momentum")}


@pytest.mark.parametrize("name", SMALL)
def test_every_architecture_is_compiled_and_rebuilt_alike(
    name: str, sample: Splits, tmp_path: Path
) -> None:
    family, architecture = SMALL[name]
    import_keras().utils.set_random_seed(1)
    model = build(family, architecture)
    images = sample["test"].images[::50]
    expected = model.predict(images, verbose=0)
    compiled = CompiledModel(compile_model(model), "x", TABLE[family].outputs)
    np.testing.assert_allclose(compiled.probabilities(images), expected, atol=1e-5)
    model_file.save_plain(model, tmp_path / "m.h5")
    plain = import_keras().models.load_model(tmp_path / "m.h5", compile=False)
    np.testing.assert_allclose(plain.predict(images, verbose=0), expected, atol=1e-5)
    if family in FAMILIES:
        np.testing.assert_allclose(rebuilt_answers(tmp_path / "m.h5", images), expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_shipped_models_are_what_their_settings_and_weights_make(
    family: str, sample: Splits
) -> None:
    path = shipped_folder() / f"{family}.h5"
    file = model_file.read(path)
    images = sample["test"].images[:50]
    expected = CompiledModel(file.compiled, family).probabilities(images)
    np.testing.assert_allclose(rebuilt_answers(path, images), expected, atol=1e-4)
    assert file.metadata.settings is not None
    model = build(family, file.metadata.settings["architecture"])
    with h5py.File(path) as opened:
        sizes: list[int] = []
        opened["model_weights"].visititems(
            lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None
        )
    assert model.count_params() == sum(sizes)


@pytest.mark.parametrize(("family", "most"), [("cnn", 1_200_000), ("dense", 2_000_000)])
def test_the_best_models_stay_small(family: str, most: int) -> None:
    assert build(family, recipe_for(family, "best").architecture).count_params() <= most
    assert (shipped_folder() / "cnn.h5").stat().st_size <= 10_000_000


def test_the_best_rnn_is_made_of_simple_cells_and_dense_layers() -> None:
    model = build("rnn", recipe_for("rnn", "best").architecture)
    kinds = set(_kinds(model))
    assert kinds <= {"Rescaling", "Reshape", "Bidirectional", "Flatten", "Dense"}
    inner = {type(layer.forward_layer).__name__ for layer in model.layers
             if hasattr(layer, "forward_layer")}  # fmt: skip
    assert inner == {"SimpleRNN"}
