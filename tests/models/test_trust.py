"""Which compiled models are trusted, and what the cache is for."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.errors import ModelError, OutputError
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.compile import compile_model
from digits.models.compiled import CompiledModel
from digits.models.find import shipped_folder
from digits.models.trust import convert_file, load_trusted
from models.damage import with_section

COMPILING = "compiling"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that knows no model yet."""
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _keras() -> None:
    """With Keras loaded, models are compiled in this process, which is faster."""
    import_keras()


def test_a_model_saved_here_is_used_as_it_is(
    models: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        file = load_trusted(models["cnn"])
    assert file.compiled == model_file.read(models["cnn"]).compiled
    assert COMPILING not in caplog.text


def test_the_shipped_models_are_used_as_they_are(own_cache: Path) -> None:
    for path in shipped_folder().glob("*.h5"):
        assert load_trusted(path).compiled == model_file.read(path).compiled
    assert not own_cache.exists()


def test_a_strangers_model_is_compiled_once_and_cached(
    own_cache: Path, models: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        first = load_trusted(models["dense"])
        assert COMPILING in caplog.text
        caplog.clear()
        assert load_trusted(models["dense"]) == first
        assert COMPILING not in caplog.text
    assert first.metadata == model_file.read(models["dense"]).metadata
    assert first.size == models["dense"].stat().st_size
    (cached,) = own_cache.glob("compiled-*/*.h5")
    cached.write_bytes(b"half")
    again = load_trusted(models["dense"]).compiled
    picture = np.zeros((1, 28, 28), np.uint8)
    assert CompiledModel(again, "x").probabilities(picture).shape == (1, 10)
    assert model_file.read(cached).compiled == again


def test_a_compiled_model_that_lies_is_not_used(
    own_cache: Path, models: dict[str, Path], sample: Splits, tmp_path: Path
) -> None:
    """Right checksum, right weights, and the compiled model of another network, or garbage."""
    honest = model_file.read(models["dense"])
    keras = import_keras()
    liar = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    )
    model = keras.models.load_model(models["dense"], compile=False)
    model_file.write(
        tmp_path / "liar.h5", model, honest.metadata, compile_model(liar), honest.training_digests()
    )
    content = models["dense"].read_bytes()
    (tmp_path / "garbage.h5").write_bytes(with_section(content, "compiled", b"garbage" * 100))
    images = sample["test"].images
    expected = Recognizer(models["dense"]).probabilities(images)
    for name in ("liar.h5", "garbage.h5"):
        found = Recognizer(tmp_path / name).probabilities(images)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_cache_that_cannot_be_written_costs_only_time(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "file" / "cache"))
    assert load_trusted(models["dense"]).compiled


def test_convert(
    own_cache: Path,
    tmp_path: Path,
    models: dict[str, Path],
    sample: Splits,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keras = import_keras()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(20, "relu"), layers.Dense(10)]  # 0..1 in, logits out
    )
    model_file.save_plain(model, tmp_path / "old.h5")
    file = convert_file(tmp_path / "old.h5", tmp_path / "new.h5")
    assert (file.family, file.metadata.converted_from) == ("dense", "old.h5")
    pixels = sample["test"].images
    logits = model.predict(pixels.reshape(-1, 784) / 255, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    with caplog.at_level(logging.INFO):
        found = Recognizer(tmp_path / "new.h5").probabilities(pixels)
    assert COMPILING not in caplog.text  # it is trusted
    np.testing.assert_allclose(found, expected, atol=1e-5)
    plain = keras.models.load_model(tmp_path / "new.h5", compile=False)
    np.testing.assert_allclose(plain.predict(pixels, verbose=0), expected, atol=1e-5)
    with pytest.raises(OutputError, match="exists already"):
        convert_file(tmp_path / "old.h5", tmp_path / "new.h5")
    with pytest.raises(ModelError, match="is a model file of digits already"):
        convert_file(models["dense"], tmp_path / "copy.h5")


@pytest.mark.heavy
@pytest.mark.parametrize("family", ["dense", "cnn", "rnn"])
def test_shipped_models_answer_as_keras_on_all_of_mnists_test_pictures(
    family: str, mnist: Splits
) -> None:
    path = shipped_folder() / f"{family}.h5"
    pictures = mnist["test"].images
    ours = Recognizer(path).probabilities(pictures)
    plain = import_keras().models.load_model(path, compile=False)
    theirs = plain.predict(pictures, batch_size=1000, verbose=0)
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all()
    assert np.abs(ours - theirs).max() <= 1e-4


def test_a_file_of_the_first_format_is_read_as_a_foreign_model(
    models: dict[str, Path], tmp_path: Path, sample: Splits
) -> None:
    """Its sections had other names; its weights are what they were."""
    content = models["dense"].read_bytes()
    assert content.startswith(b"DIGITS-MODEL 2\n")
    (tmp_path / "old.h5").write_bytes(content.replace(b"DIGITS-MODEL 2\n", b"DIGITS-MODEL 1\n", 1))
    images = sample["test"].images[:50]
    np.testing.assert_allclose(
        Recognizer(tmp_path / "old.h5").probabilities(images),
        Recognizer(models["dense"]).probabilities(images),
        atol=1e-5,
    )
