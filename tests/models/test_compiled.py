"""Compiled models: as many outputs as announced, and the shapes they take."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import Splits
from digits.errors import ModelError
from digits.models import child
from digits.models.compile import TIMEOUT, compile_model, round_weights
from digits.models.compiled import BATCH, CompiledModel
from digits.models.families import REJECTOR, build
from digits.models.file import save_plain, write
from digits.models.metadata import ModelMetadata

SMALL = {"filters": (4,), "kernel_size": 3, "units": 8}


@pytest.fixture(scope="module")
def rejector() -> bytes:
    return compile_model(build(REJECTOR, SMALL))


def test_eleven_outputs(rejector: bytes, sample: Splits) -> None:
    images = sample["train"].images[: BATCH + 3]
    answers = CompiledModel(rejector, "rejector", 11).probabilities(images)
    assert (answers.shape, answers.dtype) == ((BATCH + 3, 11), np.float32)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    alone = CompiledModel(rejector, "rejector", 11).probabilities(images[-1:])
    np.testing.assert_allclose(alone, answers[-1:], atol=1e-6)


def test_no_pictures_no_answers(rejector: bytes) -> None:
    empty = np.empty((0, 28, 28), np.uint8)
    assert CompiledModel(rejector, "rejector", 11).probabilities(empty).shape == (0, 11)


def test_another_number_of_outputs_is_refused(rejector: bytes) -> None:
    picture = np.zeros((1, 28, 28), np.uint8)
    ten = compile_model(build("cnn", SMALL))
    for content, outputs in ((rejector, 10), (ten, 11), (rejector, 12)):
        with pytest.raises(ModelError, match="x: the compiled model cannot run"):
            CompiledModel(content, "x", outputs).probabilities(picture)
    assert CompiledModel(ten, "x").probabilities(picture).shape == (1, 10)  # ten by default


@pytest.mark.parametrize("share", [0, 0.1, 0.9])
def test_damage_is_refused(rejector: bytes, share: float) -> None:
    picture = np.zeros((1, 28, 28), np.uint8)
    for content in (rejector[: int(len(rejector) * share)], b"garbage" * 100):
        with pytest.raises(ModelError, match="x: the compiled model cannot run"):
            CompiledModel(content, "x", 11).probabilities(picture)


@pytest.mark.parametrize("shape", [(28, 28), (1, 784), (1, 28, 28, 1), (1, 27, 28), (0,)])
def test_another_shape_is_the_callers_mistake(rejector: bytes, shape: tuple[int, ...]) -> None:
    compiled = CompiledModel(rejector, "rejector", 11)
    with pytest.raises(ValueError, match=r"must have the shape \(n, 28, 28\)"):
        compiled.probabilities(np.zeros(shape, np.uint8))


def test_it_can_be_pickled_after_use(rejector: bytes, sample: Splits) -> None:
    images = sample["train"].images[:64]
    compiled = CompiledModel(rejector, "rejector", 11)
    expected = compiled.probabilities(images)  # it has an interpreter and a lock now
    again = pickle.loads(pickle.dumps(compiled))
    assert (again.name, again.outputs) == ("rejector", 11)
    np.testing.assert_allclose(again.probabilities(images), expected, atol=1e-6)


def test_compiling_in_a_process_of_its_own(tmp_path: Path, sample: Splits) -> None:
    """As with a backend of Keras that cannot compile (none is installed here)."""
    images, model = sample["test"].images[:20], build(REJECTOR, SMALL)
    save_plain(model, tmp_path / "model.h5")
    compiled = tmp_path / "model.tflite"
    child.run("digits.models.compile", tmp_path / "model.h5", compiled, TIMEOUT, "not compiled")
    found = CompiledModel(compiled.read_bytes(), "x", 11).probabilities(images)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-5)


def test_short_repr(rejector: bytes) -> None:
    assert len(repr(CompiledModel(rejector, "rejector", 11))) < 80


@pytest.mark.parametrize(
    ("family", "architecture"),
    [
        ("dense", {"units": (64, 32)}),
        ("cnn", SMALL | {"units": 64}),
        ("rnn", {"units": (16,), "bidirectional": True, "summary": 32}),
    ],
)
def test_rounded_weights_take_half_the_space_and_give_the_same_answers(
    family: str, architecture: dict[str, Any], sample: Splits, tmp_path: Path
) -> None:
    images = sample["test"].images[:100]
    model = build(family, architecture)
    exact, size = model.predict(images, verbose=0), _size(model, tmp_path)
    compiled = compile_model(model)
    round_weights(model)
    answers = model.predict(images, verbose=0)
    assert 0 < np.abs(answers - exact).max() < 0.01
    half = compile_model(model)
    assert len(half) < 0.75 * len(compiled)  # of these small ones, half is not weights
    assert _size(model, tmp_path) < 0.75 * size
    np.testing.assert_allclose(CompiledModel(half, "x").probabilities(images), answers, atol=1e-5)
    before = model.get_weights()
    round_weights(model)  # a second time, nothing changes
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def _size(model: Any, folder: Path) -> int:
    """Of a model file without the compiled model."""
    metadata = ModelMetadata(family="dense", preset="fast", settings={})
    write(folder / "m.h5", model, metadata, b"", np.array([], np.uint64))
    return (folder / "m.h5").stat().st_size


def test_a_model_that_normalizes_keeps_its_weights(sample: Splits) -> None:
    images = sample["test"].images[:100]
    model = build("dense", {"units": (16,), "normalized": True})
    before = model.predict(images, verbose=0)
    round_weights(model)
    answers = CompiledModel(compile_model(model), "x").probabilities(images)
    np.testing.assert_allclose(answers, before, atol=1e-5)


def test_weights_that_float16_cannot_hold_are_kept_as_they_are(sample: Splits) -> None:
    images = sample["test"].images[:10]
    model = build("dense", {"units": (16,)})
    round_weights(model)
    kernel, bias = model.layers[-1].get_weights()
    bias[0] = 1e5
    model.layers[-1].set_weights([kernel, bias])
    answers = CompiledModel(compile_model(model), "x").probabilities(images)
    np.testing.assert_allclose(answers, np.eye(10)[[0] * 10], atol=1e-5)
