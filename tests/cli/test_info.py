"""`digits models`, `digits info`, and the command itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conftest import Run
from digits.models.find import shipped_folder


def test_info(run: Run, models: dict[str, Path]) -> None:
    text = run("info", models["cnn"]).stdout
    for word in ("cnn, preset notebook", "rmsprop", "sample train (2,000)", "on sample test"):
        assert word in text
    found = json.loads(run("info", models["cnn"], "--format", "json").stdout)
    augment = found["settings"]["augment"]
    assert augment.items() >= {"rotation": 10, "zoom": 0.1, "shift": 0.1, "wild": 0}.items()


def test_models_lists_yours_and_the_shipped(
    run: Run, models: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "dense.h5")
    (tmp_path / "models" / "broken.h5").write_text("x")
    found = json.loads(run("models", "--format", "json").stdout)
    assert [r["path"] for r in found[:2]] == ["models/broken.h5", "models/dense.h5"]
    assert "no model that digits wrote" in found[0]["error"]
    assert found[1]["family"] == "dense"
    assert {Path(r["path"]).stem for r in found[2:]} == {"cnn", "dense", "judge", "rnn"}
    assert "models/dense.h5" in run("models").stdout


def test_your_own_model_goes_before_the_shipped_one(
    run: Run, models: dict[str, Path], tmp_path: Path
) -> None:
    assert (
        str(shipped_folder()) in json.loads(run("info", "dense", "--format", "json").stdout)["path"]
    )
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "dense.h5")
    assert json.loads(run("info", "dense", "--format", "json").stdout)["path"] == "models/dense.h5"


@pytest.mark.parametrize("family", ["dense", "cnn", "rnn"])
def test_the_shipped_models_read_digits(run: Run, family: str) -> None:
    """The sample's digits were trained on, so this asks only whether the models are whole."""
    done = run("eval", "-m", family, "--data", "sample", "--format", "json")
    assert json.loads(done.stdout)["data"][0]["accuracy"] > 0.93
    assert "learned from 1,000 of the 1,000 pictures" in done.stderr


def test_help_and_version(run: Run) -> None:
    assert run("--version").stdout.startswith("digits 0.")
    for args in (("-h",), ("train", "-h"), ("data", "-h"), ("data", "show", "--help")):
        done = run(*args)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage: digits" in done.stdout
    assert run("nonsense").returncode == 2
