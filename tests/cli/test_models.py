"""`digits models`, and the models that it lists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from commands import Run


def test_your_own_models_come_before_the_shipped(
    run: Run, models: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "dense.h5")
    (tmp_path / "models" / "broken.h5").write_text("x")
    broken, dense, *shipped = json.loads(run("models", "--format", "json").stdout)
    assert (broken["path"], dense["path"]) == ("models/broken.h5", "models/dense.h5")
    assert set(broken) == {"path", "error"}
    assert "models/" not in broken["error"]
    assert dense["family"] == "dense"
    assert dense["test"] == "sample test"
    assert dense["bytes"] == models["dense"].stat().st_size
    assert {Path(r["path"]).stem for r in shipped} == {"cnn", "dense", "rnn"}
    text = run("models").stdout.splitlines()
    assert len(text) == 6
    assert broken["error"] in text[1]
    assert f"{dense['accuracy']:.2%}" in text[2]


@pytest.mark.parametrize("family", ["dense", "cnn", "rnn"])
def test_the_shipped_models_recognize_digits(run: Run, family: str) -> None:
    """They were trained on the digits of the sample: this only checks that the files are whole."""
    done = run("eval", "-m", family, "--data", "sample", "--format", "json")
    assert json.loads(done.stdout)["data"][0]["accuracy"] > 0.99
    assert "was trained on 1,000 of the 1,000 pictures" in done.stderr
