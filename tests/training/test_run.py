"""`train` from a data set to a saved model. What each stage does is tested with that stage."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import Dataset, ModelError, OutputError, Recognizer, Splits, train
from digits.models.file import read
from digits.models.metadata import DatasetInfo
from digits.training.callback import Callback
from digits.training.recipe import Recipe
from digits.training.trained import Trained


class _Watch(Callback):
    recipe: Recipe
    images: int

    def on_train_begin(self, model: Any, recipe: Recipe, images: int, seconds: float) -> None:
        self.recipe, self.images = recipe, images


@pytest.fixture(scope="module")
def watch() -> _Watch:
    return _Watch()


@pytest.fixture(scope="module")
def trained(sample: Splits, watch: _Watch) -> Trained:
    """A dense model, too sure of itself: few images for many epochs."""
    return train(
        "dense", sample, preset="classic", limit=1000, epochs=12, batch_size=50, learning_rate=0.01,
        optimizer="rmsprop", validation_fraction=0.2, seed=1, callback=watch,
    )  # fmt: skip


def _probabilities(trained: Trained, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return Recognizer.from_compiled(trained.compiled, "trained").probabilities(images)


def test_the_compiled_model_is_scored(trained: Trained, sample: Splits) -> None:
    test = sample["test"]
    answers = _probabilities(trained, test.images)
    expected = trained.model.predict(test.images, verbose=0)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    (score,) = trained.scores
    assert (score.name, score.n) == ("sample test", 1000)
    assert score.accuracy == (answers.argmax(axis=1) == test.labels).mean() > 0.8


def test_the_metadata(trained: Trained, sample: Splits, watch: _Watch) -> None:
    metadata, (score,) = trained.metadata, trained.scores
    learned = sample["train"].limit(1000)
    assert metadata.data == (DatasetInfo.of(learned),)
    assert metadata.validation_pictures == 200
    assert watch.images == 800
    assert trained.training_digests.tolist() == learned.digests.tolist()
    (test,) = metadata.test
    assert (test.name, test.n, test.accuracy, test.loss) == (
        score.name, score.n, score.accuracy, score.loss,
    )  # fmt: skip
    assert (metadata.family, metadata.preset, metadata.seed) == ("dense", "classic", 1)
    assert metadata.settings == trained.recipe.settings() == watch.recipe.settings()
    assert trained.recipe.optimizer == "rmsprop"
    assert len(trained.history) == trained.recipe.epochs == 12
    assert metadata.started_from is None


def test_it_is_calibrated_on_the_validation_images(trained: Trained, sample: Splits) -> None:
    assert trained.metadata.temperature is not None
    assert trained.metadata.temperature > 1.1  # it was too sure
    _, held_out = sample["train"].limit(1000).held_out(0.2, 1)
    best = next(e for e in reversed(trained.history) if e.best)
    answers = _probabilities(trained, held_out.images)
    of_truth = answers[np.arange(200), held_out.labels]
    assert best.val_loss is not None  # measured before the calibration
    assert -np.log(np.maximum(of_truth, 1e-30)).mean() < best.val_loss - 0.003
    assert (answers.argmax(axis=1) == held_out.labels).mean() == pytest.approx(best.val_accuracy)


def test_it_is_short_to_look_at(trained: Trained) -> None:
    accuracy = f"{trained.scores[0].accuracy:.2%}"
    assert repr(trained) == f"<Trained dense classic, sample test: {accuracy}>"


def test_saving(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "models" / "m.h5"
    folder = trained.save(path)
    assert folder == tmp_path / "models" / "m-run"
    file = read(path)
    assert json.dumps(file.metadata.to_json()) == json.dumps(trained.metadata.to_json())
    assert file.training_digests().tolist() == sorted(trained.training_digests.tolist())
    assert Recognizer(path).metadata == file.metadata
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["settings"]["learning_rate"] == 0.01
    with (folder / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["val_accuracy"]) for row in rows] == [
        epoch.val_accuracy for epoch in trained.history
    ]

    first = path.read_bytes()
    path.write_bytes(first[:-1])  # an earlier version
    trained.save(path)
    assert (path.parent / "m.h5.bak").read_bytes() == first[:-1]
    assert path.read_bytes() == first


def test_a_model_that_cannot_be_saved_there_is_saved_elsewhere(
    trained: Trained, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        trained.save_or_rescue(tmp_path / "file" / "m.h5")
    assert caught.value.path == str(tmp_path / "file" / "m.h5")
    rescued = caught.value.remedy.removeprefix("The model was saved as ").removesuffix(" instead")
    assert read(rescued).family == "dense"


def test_arrays_as_keras_users_have_them(sample: Splits) -> None:
    """Floats 0..1 in Fortran order; a small set gets more epochs, and too few to calibrate on."""
    x = np.asfortranarray(sample["train"].images[:250] / np.float32(255))
    y = sample["train"].labels[:250].astype(np.int64)
    trained = train("dense", (x, y), min_steps=6, batch_size=100)
    assert [score.n for score in trained.scores] == [50]
    assert trained.metadata.data[0].fingerprint
    assert len(trained.history) == trained.recipe.epochs == 3
    assert trained.metadata.validation_pictures == 10
    assert trained.metadata.temperature is None


def _slanted(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Each row moved to the left the more, the lower it is: digits that lean to the right."""
    return np.stack([np.roll(images[:, y], round(0.7 * (14 - y)), axis=1) for y in range(28)], 1)


def test_fine_tuning(
    sample: Splits, models: dict[str, Path], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    """It learns somebody's own handwriting (slanted digits) and does not forget MNIST."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("DIGITS_MNIST_MIRRORS", "http://127.0.0.1:9/mnist.npz")
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    own = Dataset(_slanted(sample["train"].images[3000:]), sample["train"].labels[3000:], "own")
    before = Recognizer(models["cnn"])
    with caplog.at_level(logging.WARNING):
        trained = train(data=own, start=models["cnn"])
    new, old = trained.scores
    assert (new.name, new.n, old.name) == ("own", 200, "sample test")
    of_own = before.probabilities(own.images).argmax(axis=1) == own.labels
    assert new.accuracy > of_own.mean() + 0.1
    of_mnist = before.probabilities(sample["test"].images).argmax(axis=1)
    assert old.accuracy > (of_mnist == sample["test"].labels).mean() - 0.02
    started_from = trained.metadata.started_from
    assert started_from is not None
    assert started_from.path == str(models["cnn"])
    assert started_from.data == read(models["cnn"]).metadata.data
    assert [score.name for score in trained.before] == ["own", "sample test"]
    assert trained.before[1].accuracy == (of_mnist == sample["test"].labels).mean()
    assert not trained.is_better  # it lost a point on MNIST
    assert len(trained.history) == 3
    known = read(models["cnn"]).training_digests()
    assert np.isin(known, trained.training_digests).all()

    with pytest.raises(ModelError, match="is a cnn, not a dense") as caught:
        train("dense", own, start=models["cnn"])
    assert caught.value.path == str(models["cnn"])


def test_training_images_in_the_test_set_are_reported(
    sample: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    some = Splits("some", {"train": sample["train"].limit(60), "test": sample["train"].limit(20)})
    train("dense", some, preset="classic", epochs=1)
    assert "was trained on 20 of the 20 pictures of sample train" in caplog.text
