"""`digits info`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from commands import Run
from digits import Recognizer
from digits.models.find import shipped_folder


def test_text_and_json_hold_the_metadata(run: Run, models: dict[str, Path]) -> None:
    metadata = Recognizer(models["cnn"]).metadata
    assert metadata is not None
    (test,) = metadata.test
    text = run("info", models["cnn"]).stdout
    for words in (
        str(models["cnn"]),
        f"cnn, preset {metadata.preset}",
        "filters 8-16",
        "sample train (4,000)",
        f"accuracy {test.accuracy:.2%}, loss {test.loss:.4f}, 1,000 pictures",
        "random weights",
    ):
        assert words in text
    found = json.loads(run("info", models["cnn"], "--format", "json").stdout)
    assert found == {"path": str(models["cnn"])} | json.loads(json.dumps(metadata.to_json()))


def test_your_own_model_goes_before_the_shipped_one(
    run: Run, models: dict[str, Path], tmp_path: Path
) -> None:
    def path() -> str:
        return str(json.loads(run("info", "dense", "--format", "json").stdout)["path"])

    assert path() == str(shipped_folder() / "dense.h5")
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "dense.h5")
    assert path() == "models/dense.h5"


def test_what_is_no_model_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no model")
    for name in ("text.h5", "none.h5"):
        done = run("info", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"Error: {name}: ")
