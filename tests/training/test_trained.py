"""Where a trained model is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits import OutputError
from digits.models.metadata import Epoch
from digits.training.trained import check_output, history_csv


def test_the_output_is_checked_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_output(None, "rnn") == Path("models/rnn.h5")
    assert check_output(None) == Path("models/cnn.h5")
    assert check_output(None, start="dense") == Path("models/dense.h5")
    assert check_output("new/m.h5") == Path("new/m.h5")
    for path, message in (("m.keras", "cannot end in .keras"), ("m", "ends in .h5")):
        with pytest.raises(OutputError, match=message) as caught:
            check_output(tmp_path / path)
        assert caught.value.path == str(tmp_path / path)
    with pytest.raises(OutputError, match="cannot write"):
        check_output("/proc/nothing/m.h5")
    assert not list(tmp_path.rglob("*.h5"))


def test_history_as_csv() -> None:
    epoch = Epoch(1, 0.5, 0.75, None, None, 0.001, 2.0, True)
    header, line = history_csv([epoch]).splitlines()
    assert header == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,best"
    assert line == "1,0.5,0.75,,,0.001,2.0,True"
