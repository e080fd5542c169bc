"""A checkpoint: a model that can be used, and a training that goes on from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import Callback, DataError, ModelError, OutputError, Recognizer, Splits, train
from digits.models.file import read as read_model
from digits.training import checkpoint
from digits.training.run import resume
from digits.training.trained import Trained

FEW: dict[str, Any] = {"epochs": 3, "limit": 300, "batch_size": 50, "seed": 4}


class _Stop(Callback):
    """Ctrl-C once so many whole epochs are in the checkpoint."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_checkpoint(self, epochs: int) -> None:
        if epochs == self.epochs:
            raise KeyboardInterrupt


def _begun(path: Path, data: Any = "sample", epochs: int = 1, **options: Any) -> None:
    """Begin a training and interrupt it."""
    with pytest.raises(KeyboardInterrupt):
        train("dense", data, checkpoint=path, callback=_Stop(epochs), **{**FEW, **options})


def _weights(trained: Trained) -> Any:
    return np.concatenate([weights.ravel() for weights in trained.model.get_weights()]).tolist()


@pytest.fixture(scope="module")
def whole() -> Trained:
    """The training without an interruption."""
    return train("dense", "sample", **FEW)


def test_a_training_is_resumed_to_the_same_model(whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoint.h5"
    _begun(path)
    with pytest.raises(KeyboardInterrupt):
        resume(path, callback=_Stop(2))
    resumed = resume(path)
    assert _weights(resumed) == _weights(whole)
    assert resumed.metadata.test == whole.metadata.test
    assert resumed.metadata.temperature == whole.metadata.temperature
    assert resumed.recipe.epochs == whole.recipe.epochs
    assert [epoch.loss for epoch in resumed.history] == [epoch.loss for epoch in whole.history]
    assert set(resumed.training_digests) == set(whole.training_digests)
    assert _weights(resume(path)) == _weights(whole)  # only calibration and testing are left


def test_a_fine_tuning_is_resumed_to_the_same_model(whole: Trained, tmp_path: Path) -> None:
    whole.save(tmp_path / "start.h5")
    path = tmp_path / "checkpoint.h5"
    options = {"start": tmp_path / "start.h5", "mix": 100, "batch_size": 20}
    expected = train(None, "sample", **{**FEW, **options})
    with pytest.raises(KeyboardInterrupt):
        train(None, "sample", checkpoint=path, callback=_Stop(2), **{**FEW, **options})
    resumed = resume(path)
    assert _weights(resumed) == _weights(expected)
    assert resumed.metadata.started_from == expected.metadata.started_from


def test_it_is_a_model_that_can_be_used(sample: Splits, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "checkpoint.h5"
    _begun(path, epochs=2)
    metadata = read_model(path).metadata
    assert (metadata.family, len(metadata.history), metadata.test) == ("dense", 2, ())
    answers = Recognizer(path).probabilities(sample["test"].images).argmax(axis=1)
    assert (answers == sample["test"].labels).mean() > 0.6


def test_epochs_are_the_number_in_all(whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.h5"
    _begun(path, epochs=2)
    assert not checkpoint.read(path).finished
    with pytest.raises(ModelError, match=r"2 epochs are done already\. Give --epochs 2 or more"):
        resume(path, epochs=1)
    assert [epoch.epoch for epoch in resume(path, epochs=2).history] == [1, 2]
    assert [epoch.epoch for epoch in resume(path, epochs=5).history] == [1, 2, 3, 4, 5]
    assert checkpoint.read(path).finished
    assert checkpoint.read(path).recipe.epochs == 5


def test_other_data_stop_it(sample: Splits, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.h5"
    _begun(path, sample)
    with pytest.raises(DataError, match="the data of this training has no name"):
        resume(path)
    with pytest.raises(DataError, match="not the pictures that this training began with"):
        resume(path, data=Splits("sample", {"train": sample["test"], "test": sample["train"]}))
    assert len(resume(path, data=sample).history) == 3


def test_an_earlier_checkpoint_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.h5"
    _begun(path, epochs=2)
    earlier = path.read_bytes()
    _begun(path, seed=5)
    assert (tmp_path / "checkpoint.h5.bak").read_bytes() == earlier
    _begun(path, seed=5, epochs=2)
    resume(path)
    kept = checkpoint.read(tmp_path / "checkpoint.h5.bak")
    assert len(kept.state.history) == 1  # of the training before, not of an epoch before


def test_what_is_no_checkpoint_is_refused(whole: Trained, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no training to resume"):
        checkpoint.read(tmp_path / "none.h5")
    whole.save(tmp_path / "model.h5")
    with pytest.raises(ModelError, match="a model, not a checkpoint"):
        checkpoint.read(tmp_path / "model.h5")
    path = tmp_path / "checkpoint.h5"
    _begun(path)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ModelError, match="damaged"):
        checkpoint.read(path)
    path.write_bytes(content.replace(b"variable0", b"nothing00"))
    with pytest.raises(ModelError, match="damaged"):
        checkpoint.read(path)


def test_a_checkpoint_that_cannot_be_written_ends_the_training(tmp_path: Path) -> None:
    class Full(Callback):
        def on_checkpoint(self, epochs: int) -> None:
            path.rename(kept)
            path.mkdir()

    path, kept = tmp_path / "checkpoint.h5", tmp_path / "kept.h5"
    with pytest.raises(OutputError, match="is a folder"):
        train("dense", "sample", checkpoint=path, callback=Full(), **FEW)
    assert len(checkpoint.read(kept).state.history) == 1


def test_two_trainings_cannot_write_one_checkpoint(tmp_path: Path) -> None:
    class Second(Callback):
        def on_checkpoint(self, epochs: int) -> None:
            with pytest.raises(OutputError, match="another process is writing to it"):
                train("dense", "sample", checkpoint=path, **FEW)
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint.h5"
    with pytest.raises(KeyboardInterrupt):
        train("dense", "sample", checkpoint=path, callback=Second(), **FEW)
    assert len(resume(path).history) == 3  # it is free again


def test_room_is_checked_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digits.training.job.ROOM_PER_WEIGHT", 10**12)
    with pytest.raises(
        OutputError, match=r"not enough room: [\d,]+ MB are needed and [\d,]+ MB are"
    ):
        train("dense", "sample", checkpoint=tmp_path / "run" / "checkpoint.h5", **FEW)
    assert not list(tmp_path.iterdir())


def test_saving_a_training_again_keeps_the_model_before(
    whole: Trained, models: dict[str, Path], tmp_path: Path
) -> None:
    """As when it was killed after the first time, and resumed."""
    path = tmp_path / "m.h5"
    path.write_bytes(models["dense"].read_bytes())
    for _ in range(2):
        whole.save(path)
        assert (tmp_path / "m.h5.bak").read_bytes() == models["dense"].read_bytes()
