"""Export: every format is run by its own runtime before it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits import Splits
from digits.errors import ModelError, OutputError
from digits.models import export
from digits.models.export import FORMATS, export_model


@pytest.mark.parametrize("family", ["dense", "cnn", "rnn"])
@pytest.mark.parametrize("to", FORMATS)
def test_every_format(
    models: dict[str, Path], sample: Splits, tmp_path: Path, family: str, to: str
) -> None:
    target = tmp_path / f"model{FORMATS[to].suffix}"
    assert export_model(models[family], to, target, sample["test"].images[:200]) <= 1e-4
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("to", ["saved-model", "keras"])
def test_an_earlier_export_is_replaced_only_if_asked(
    models: dict[str, Path], sample: Splits, tmp_path: Path, to: str
) -> None:
    target, images = tmp_path / f"model{FORMATS[to].suffix}", sample["test"].images[:9]
    export_model(models["dense"], to, target, images)
    with pytest.raises(OutputError, match="exists already"):
        export_model(models["dense"], to, target, images)
    export_model(models["dense"], to, target, images, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_a_file_that_answers_differently_is_refused(
    models: dict[str, Path], sample: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="answers differently"):
        export_model(models["dense"], "litert", tmp_path / "a.tflite", sample["test"].images[:50])
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(
    models: dict[str, Path], sample: Splits, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="something else"):
        export_model(
            models["dense"], "saved-model", tmp_path / "mine", sample["test"].images[:9], True
        )
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
