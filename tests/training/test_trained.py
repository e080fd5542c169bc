"""Where a trained model is saved, and whether it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from digits import OutputError
from digits.models.metadata import Epoch, ModelMetadata, ScoreInfo, StartedFrom
from digits.training.presets import recipe_for
from digits.training.trained import Trained, check_output, history_csv


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


def _fine_tuned(
    before: list[tuple[int, float]], after: list[tuple[int, float]], mixed: bool
) -> Trained:
    """What fine-tuning gave, from (errors, loss) on each test set of 1,000."""

    def scores(known: list[tuple[int, float]]) -> tuple[ScoreInfo, ...]:
        return tuple(ScoreInfo("test", 1000, loss, 1 - wrong / 1000) for wrong, loss in known)

    metadata = ModelMetadata(
        family="cnn",
        preset="fast",
        test=scores(after),
        started_from=StartedFrom("old.h5", (), scores(before)),
    )
    nothing: Any = None
    return Trained(nothing, recipe_for("cnn"), (), metadata, b"", nothing, mixed)


@pytest.mark.parametrize(
    ("before", "after", "mixed", "better"),
    [
        ([(5, 0.1)], [(4, 0.2)], False, True),  # fewer errors
        ([(5, 0.1)], [(5, 0.2)], False, False),  # as many, with a higher loss
        ([(5, 0.2)], [(5, 0.1)], False, True),
        ([(5, 0.1)], [(6, 0.0)], False, False),
        ([(5, 0.1), (9, 0.1)], [(6, 0.1), (7, 0.1)], False, True),  # one's own sets together
        ([(5, 0.1), (9, 0.1)], [(4, 0.1), (10, 0.1)], True, True),  # MNIST loses little
        ([(5, 0.1), (9, 0.1)], [(4, 0.1), (11, 0.1)], True, False),
        ([(5, 0.1), (9, 0.1)], [(5, 0.1), (0, 0.0)], True, False),  # only MNIST gains
    ],
)
def test_fine_tuning_pays_by_the_test_sets(
    before: list[tuple[int, float]], after: list[tuple[int, float]], mixed: bool, better: bool
) -> None:
    assert _fine_tuned(before, after, mixed).is_better is better


def test_without_a_model_to_start_from_any_is_better() -> None:
    nothing: Any = None
    metadata = ModelMetadata(family="cnn", preset="fast", test=(ScoreInfo("test", 10, 9.0, 0.0),))
    assert Trained(nothing, recipe_for("cnn"), (), metadata, b"", nothing).is_better
