"""Out of the toolkit: every format is run by its own runtime before it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Run
from digits import Splits
from digits.errors import ModelError, OutputError
from digits.models import export
from digits.models.export import FORMATS, export_model


@pytest.mark.parametrize("to", FORMATS)
def test_every_format(models: dict[str, Path], sample: Splits, tmp_path: Path, to: str) -> None:
    pictures = sample["test"].images[:200]
    target = tmp_path / f"model{FORMATS[to]}"
    for path in models.values():
        difference = export_model(path, to, target, pictures, overwrite=True)
        assert difference <= 1e-4
    assert target.exists()
    assert [p.name for p in tmp_path.iterdir()] == [target.name]
    with pytest.raises(OutputError, match="exists already"):
        export_model(models["dense"], to, target, pictures)


def test_a_file_that_answers_differently_is_refused(
    models: dict[str, Path], sample: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AGREEMENT", -1.0)
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


def test_the_commands(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    done = run("export", models["dense"], "--to", "litert", "-o", "a.tflite")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote a.tflite: answers as in Keras on 1,000 digits")
    missing = run("export", "none.h5", "--to", "keras", "-o", "a.keras")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)
    (tmp_path / "text.h5").write_text("hello")
    for command in (("convert", "text.h5", "-o", "b.h5"), ("info", "text.h5")):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr == "Error: text.h5: it is no HDF5 file. Give a model file (.h5).\n"
