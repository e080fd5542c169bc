"""Which programs are trusted, and what the cache is for."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.errors import ModelError, OutputError
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.compile import compile_program
from digits.models.find import shipped_folder
from digits.models.program import Program
from digits.models.ready import convert_file, ready


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache where nothing is known yet."""
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_model_saved_here_is_used_at_once(models: dict[str, Path]) -> None:
    started = time.monotonic()
    file = ready(models["cnn"])
    assert time.monotonic() - started < 1
    assert file.program == model_file.read(models["cnn"]).program


def test_the_shipped_models_are_used_at_once(own_cache: Path) -> None:
    for path in shipped_folder().glob("*.h5"):
        assert ready(path).program == model_file.read(path).program
    assert not own_cache.exists()


def test_somebody_elses_model_is_checked_once(
    own_cache: Path, models: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        first = ready(models["dense"])
    assert "compiling" in caplog.text
    assert first.metadata == model_file.read(models["dense"]).metadata
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert ready(models["dense"]).program
    assert caplog.text == ""


def test_a_program_that_lies_is_not_used(
    own_cache: Path, models: dict[str, Path], sample: Splits, tmp_path: Path
) -> None:
    """An honest checksum, honest weights, and the program of another network."""
    honest = model_file.read(models["dense"])
    keras = import_keras()
    liar = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    )
    model = keras.models.load_model(models["dense"], compile=False)
    model_file.write(
        tmp_path / "liar.h5", model, honest.metadata, compile_program(liar), honest.seen_digests()
    )
    found = Recognizer(tmp_path / "liar.h5").probabilities(sample["test"].images)
    expected = Recognizer(models["dense"]).probabilities(sample["test"].images)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_cache_that_cannot_be_written_costs_only_time(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "file" / "cache"))
    assert ready(models["dense"]).program


def test_a_damaged_cache_is_made_anew(own_cache: Path, models: dict[str, Path]) -> None:
    before = ready(models["dense"]).program
    (kept,) = own_cache.glob("*/*.h5")
    kept.write_bytes(b"half")
    after = ready(models["dense"]).program
    assert Program(after, "x").probabilities(np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)
    assert len(after) == pytest.approx(len(before), rel=0.05)


def test_convert(own_cache: Path, tmp_path: Path, models: dict[str, Path], sample: Splits) -> None:
    keras = import_keras()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(20, "relu"), layers.Dense(10)]  # 0..1 in, logits out
    )
    model.save(tmp_path / "old.h5")
    file = convert_file(tmp_path / "old.h5", tmp_path / "new.h5")
    assert file.family == "dense"
    pixels = sample["test"].images
    logits = model.predict(pixels.reshape(-1, 784) / 255, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = Recognizer(tmp_path / "new.h5").probabilities(pixels)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    plain = keras.models.load_model(tmp_path / "new.h5", compile=False)
    np.testing.assert_allclose(plain.predict(pixels, verbose=0), expected, atol=1e-5)
    with pytest.raises(OutputError, match="exists already"):
        convert_file(tmp_path / "old.h5", tmp_path / "new.h5")
    with pytest.raises(ModelError, match="is a model file of digits already"):
        convert_file(models["dense"], tmp_path / "copy.h5")


@pytest.mark.heavy
@pytest.mark.parametrize("family", ["dense", "cnn", "rnn"])
def test_shipped_programs_equal_keras_on_all_of_mnists_test_pictures(
    family: str, mnist: Splits
) -> None:
    path = shipped_folder() / f"{family}.h5"
    pictures = mnist["test"].images
    ours = Recognizer(path).probabilities(pictures)
    plain = import_keras().models.load_model(path, compile=False)
    theirs = plain.predict(pictures, batch_size=1000, verbose=0)
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all()
    assert np.abs(ours - theirs).max() <= 1e-4
