"""Export: every format is run by its own runtime before it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits import Splits
from digits.errors import ModelError, OutputError
from digits.models import export
from digits.models.compiled import CompiledModel
from digits.models.export import FORMATS, export_model
from digits.models.families import build
from digits.models.file import save_plain

ARCHITECTURES = {
    "dense": {"units": (9, 7), "normalized": True},
    "cnn": {"filters": (4, 6), "kernel_size": 3, "units": 8, "dropout": (0.2, 0.3)},
    "rnn": {"units": (5,)},
}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("family", ARCHITECTURES)
def test_every_format(sample: Splits, tmp_path: Path, family: str, to: str) -> None:
    source, target = tmp_path / "plain.h5", tmp_path / f"model{FORMATS[to].suffix}"
    save_plain(build(family, ARCHITECTURES[family]), source)
    assert export_model(source, to, target, sample["test"].images[:200]) <= 1e-4
    assert {path.name for path in tmp_path.iterdir()} == {source.name, target.name}


def test_a_model_file_of_ours(models: dict[str, Path], sample: Splits, tmp_path: Path) -> None:
    target = tmp_path / "model.tflite"
    export_model(models["cnn"], "litert", target, sample["test"].images[:200])
    answers = CompiledModel(target.read_bytes(), "x").probabilities(sample["test"].images)
    assert (answers.argmax(axis=1) == sample["test"].labels).mean() > 0.9


def test_a_damaged_or_missing_model(
    models: dict[str, Path], sample: Splits, tmp_path: Path
) -> None:
    images = sample["test"].images[:9]
    damaged = bytearray(models["dense"].read_bytes())
    damaged[-1000] ^= 1  # a weight: HDF5 itself would not notice
    (tmp_path / "bad.h5").write_bytes(damaged)
    with pytest.raises(ModelError, match=r"bad\.h5: the file is damaged"):
        export_model(tmp_path / "bad.h5", "keras", tmp_path / "a.keras", images)
    with pytest.raises(ModelError, match=r"none\.h5: there is no such model"):
        export_model(tmp_path / "none.h5", "keras", tmp_path / "a.keras", images)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.h5"]


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


def test_what_is_beside_an_export_is_left_alone(
    models: dict[str, Path], sample: Splits, tmp_path: Path
) -> None:
    target, images = tmp_path / "model", sample["test"].images[:9]
    export_model(models["dense"], "saved-model", target, images)
    (tmp_path / "model.old").mkdir()
    (tmp_path / "model.old" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match=r"model\.old: something is in the way"):
        export_model(models["dense"], "saved-model", target, images, overwrite=True)
    assert (tmp_path / "model.old" / "letter.txt").read_text() == "dear"
    assert (target / "saved_model.pb").is_file()


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
