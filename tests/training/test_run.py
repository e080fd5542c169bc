"""Training through the public door, on real digits."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from digits import Dataset, Recognizer, Splits, train
from digits.errors import DataError, ModelError, OutputError
from digits.models.file import read
from digits.models.recipe import Augment
from digits.training.fit import Epoch, Observer
from digits.training.run import check_output, history_csv


def _weights(trained: object) -> np.ndarray:
    return np.concatenate([w.ravel() for w in trained.model.get_weights()])  # type: ignore[attr-defined]


@pytest.mark.parametrize(("family", "least"), [("dense", 0.85), ("cnn", 0.93), ("rnn", 0.75)])
def test_every_family_learns(sample: Splits, family: str, least: float) -> None:
    epochs = {"dense": 20, "cnn": 5, "rnn": 4}[family]
    trained = train(family, sample, epochs=epochs, preset="classic", batch_size=50)
    assert trained.scores[0].name == "sample test"
    assert trained.scores[0].accuracy > least


def test_one_seed_decides_everything(sample: Splits) -> None:
    same = [train("cnn", sample, limit=800, epochs=1, seed=3) for _ in range(2)]
    other = train("cnn", sample, limit=800, epochs=1, seed=4)
    assert (_weights(same[0]) == _weights(same[1])).all()
    assert (_weights(same[0]) != _weights(other)).any()


def test_the_recipe_is_what_was_really_used(sample: Splits, tmp_path: Path) -> None:
    trained = train(
        "cnn", sample, preset="notebook", limit=500, epochs=2, batch_size=100, learning_rate=0.002,
        optimizer="adam", augment=Augment(rotation=5, zoom=0, shift=0), validation_fraction=0.1,
    )  # fmt: skip
    settings = json.loads((trained.save(tmp_path / "m.h5") / "settings.json").read_text())
    used = settings["settings"]
    assert (used["epochs"], used["batch_size"], used["optimizer"]) == (2, 100, "adam")
    assert used["augment"].items() >= {"rotation": 5, "zoom": 0, "shift": 0}.items()
    assert settings["validation_pictures"] == 50
    with (tmp_path / "m-run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[0]["learning_rate"]) == pytest.approx(0.002)
    assert float(rows[1]["val_accuracy"]) == trained.history[1].val_accuracy


def test_the_best_validation_epoch_is_kept(sample: Splits) -> None:
    trained = train(
        "dense",
        sample,
        preset="classic",
        limit=600,
        epochs=12,
        learning_rate=0.05,
        validation_fraction=0.2,
    )
    _, held = sample["train"].limit(600).held_out(0.2, 0)
    best = max(trained.history, key=lambda e: (e.val_accuracy, -(e.val_loss or 0)))
    assert trained.history[-1] != best, "the test needs a run whose last epoch is not its best"
    answers = Recognizer.from_program(trained.program, "x").probabilities(held.images)
    assert (answers.argmax(axis=1) == held.labels).mean() == pytest.approx(best.val_accuracy)


def test_the_stop_rule(sample: Splits) -> None:
    trained = train("dense", sample, preset="classic", epochs=50, until_accuracy=0.8)
    assert len(trained.history) < 50
    answers = Recognizer.from_program(trained.program, "x").probabilities(sample["train"].images)
    assert (answers.argmax(axis=1) == sample["train"].labels).mean() > 0.8
    for limit in (4000, 3010):  # whole and broken calls of Keras
        by_steps = train("rnn", sample, limit=limit, check_every=30, until_accuracy=0.6)
        assert len(by_steps.history) < by_steps.recipe.epochs


class _Interrupt(Observer):
    """Presses Ctrl-C in the middle of an epoch."""

    def __init__(self, in_epoch: int) -> None:
        self.in_epoch = in_epoch

    def step(self, epoch: int, share: float) -> None:
        if epoch == self.in_epoch and threading.current_thread() is threading.main_thread():
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_keeps_the_best_epoch(sample: Splits, tmp_path: Path) -> None:
    trained = train("dense", sample, preset="classic", epochs=50, observer=_Interrupt(in_epoch=4))
    assert trained.fitted.interrupted
    assert len(trained.history) == 3
    trained.save(tmp_path / "m.h5")
    assert read(tmp_path / "m.h5").metadata["interrupted"]
    three = train("dense", sample, preset="classic", epochs=3)
    assert (_weights(trained) == _weights(three)).all()
    with pytest.raises(KeyboardInterrupt):
        train("dense", sample, epochs=2, observer=_Interrupt(in_epoch=1))


def test_fine_tuning_learns_the_new_and_keeps_the_old(
    sample: Splits, models: dict[str, Path], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    """Somebody's own hand: the sample's digits, mirrored."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("DIGITS_MNIST_MIRRORS", "http://127.0.0.1:9/mnist.npz")
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    mirrored = sample["train"].images[2000:, :, ::-1].copy()
    own = Splits("own", {"all": Dataset(mirrored, sample["train"].labels[2000:], "own")})
    before = Recognizer(models["cnn"])
    with caplog.at_level(logging.INFO):
        trained = train(start=models["cnn"], data=own)
    new, old = trained.scores
    assert (new.name, new.n, old.name) == ("own", 400, "sample test")
    own_before = before.probabilities(mirrored).argmax(axis=1) == own["all"].labels
    assert new.accuracy > own_before.mean() + 0.1
    old_before = before.probabilities(sample["test"].images).argmax(axis=1)
    assert old.accuracy > (old_before == sample["test"].labels).mean() - 0.02
    assert "held out" in caplog.text
    assert "mixing in" in caplog.text
    assert trained.recipe.learning_rate == pytest.approx(0.0003)
    assert trained.metadata["started_from"]["path"] == str(models["cnn"])
    alone = train(start=models["cnn"], data=own, mix=0, epochs=1)
    assert [d["name"] for d in alone.metadata["data"]] == ["own"]
    with pytest.raises(ModelError, match="is a cnn, not a dense"):
        train("dense", own, start=models["cnn"])


def test_an_earlier_model_is_kept(sample: Splits, tmp_path: Path) -> None:
    trained = train("dense", sample, limit=200, epochs=1)
    path = tmp_path / "models" / "dense.h5"
    trained.save(path)
    first = path.read_bytes()
    train("dense", sample, limit=200, epochs=1, seed=1).save(path)
    assert (path.parent / "dense.h5.bak").read_bytes() == first != path.read_bytes()


def test_a_model_that_cannot_be_saved_there_is_saved_elsewhere(
    sample: Splits, tmp_path: Path
) -> None:
    trained = train("dense", sample, limit=200, epochs=1)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="The model was saved as") as caught:
        trained.save_or_rescue(tmp_path / "file" / "m.h5")
    rescued = Path(str(caught.value).split("saved as ")[1].split(" instead")[0])
    assert read(rescued).family == "dense"


def test_what_cannot_be_trained_on(sample: Splits, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only a test part"):
        train("dense", Splits("t", {"test": sample["test"]}))
    with pytest.raises(DataError, match="does not exist"):
        train("dense", tmp_path / "none.npz")
    with pytest.raises(OutputError, match=r"ends in \.h5"):
        check_output(tmp_path / "model.keras")
    with pytest.raises(OutputError, match="cannot write"):
        check_output("/proc/nothing/m.h5")
    assert check_output(None, "rnn") == Path("models/rnn.h5")


def test_history_as_csv() -> None:
    epoch = Epoch(1, 0.5, 0.75, None, None, 0.001, 2.0, True)
    header, line = history_csv([epoch]).splitlines()
    assert header == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,best"
    assert line == "1,0.5,0.75,,,0.001,2.0,True"
