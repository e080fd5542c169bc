"""`digits eval`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from commands import Run
from digits import Recognizer, Splits
from digits.data.formats.npz import save_npz


@pytest.fixture
def own(tmp_path: Path, sample: Splits) -> Path:
    """An unsplit set: the last 200 of the sample's test pictures."""
    path = tmp_path / "own.npz"
    save_npz(Splits("own", {"all": sample["test"].take(slice(800, None))}), path)
    return path


def test_one_model_on_two_sets(
    run: Run, models: dict[str, Path], own: Path, sample: Splits
) -> None:
    args = ("eval", "-m", models["cnn"], "--data", "sample", "--data", own)
    found = json.loads(run(*args, "--format", "json").stdout)
    assert found["model"] == str(models["cnn"])
    assert [entry["name"] for entry in found["data"]] == ["sample test", "own.npz"]
    assert [entry["n"] for entry in found["data"]] == [1000, 200]
    assert found["joint"]["n"] == 1200
    first = found["data"][0]
    predicted = Recognizer(models["cnn"]).probabilities(sample["test"].images).argmax(axis=1)
    assert first["correct"] == (predicted == sample["test"].labels).sum()
    assert first["correct"] + first["incorrect"] == 1000
    assert first["accuracy_ci95"][0] < first["accuracy"] < first["accuracy_ci95"][1]
    assert np.trace(first["confusion"]) == first["correct"]
    header, *rows = run(*args).stdout.splitlines()
    assert header.split() == "model data loss accuracy 95% interval correct incorrect".split()
    low, high = first["accuracy_ci95"]
    assert f"{first['accuracy']:.2%}  {low:.2%} to {high:.2%} " in rows[0]
    assert rows[2].split()[1] == "joint"
    assert rows[4] == "per digit on joint"
    assert len(rows) == 16


def test_several_models(run: Run, models: dict[str, Path]) -> None:
    args = ("eval", *(x for path in models.values() for x in ("-m", path)), "--data", "sample")
    found = [json.loads(line) for line in run(*args, "--format", "jsonl").stdout.splitlines()]
    paths = [str(path) for path in models.values()]
    assert [entry["model"] for entry in found] == paths
    rows = [*csv.DictReader(run(*args, "--format", "csv").stdout.splitlines())]
    assert [row["model"] for row in rows] == paths
    assert float(rows[0]["accuracy"]) == found[0]["data"][0]["accuracy"]
    assert run(*args).stdout.count("sample test") == 6


def test_report(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    args = ("eval", "-m", models["dense"], "--data", "sample", "--limit", 20)
    done = run(*args, "--report", "report", "--format", "json", "-o", "scores.json")
    assert (done.returncode, done.stdout) == (0, "report: report/report.html\n")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {
        "report.html", "report.json", "confusion.png", "curves.png", "grid.png", "misread.png",
    }  # fmt: skip
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["data"][0]["n"] == 20


def test_a_warning_if_the_model_was_trained_on_the_pictures(
    run: Run, models: dict[str, Path]
) -> None:
    args = ("eval", "-m", models["dense"], "--data", "sample")
    warned = run(*args, "--split", "train")
    assert "was trained on 4,000 of the 4,000 pictures of sample train" in warned.stderr
    assert run(*args).stderr == run(*args, "--split", "train", "-q").stderr == ""


def test_bad_input(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no model")
    (tmp_path / "text.npz").write_text("no data")
    (tmp_path / "folder").mkdir()
    (tmp_path / "existing.json").write_text("mine")
    good = ("-m", models["dense"])
    for path, *args in (
        ("text.h5", "-m", "text.h5"),
        ("none.h5", "-m", "none.h5"),
        ("text.npz", *good, "--data", "text.npz"),
        ("folder", *good, "--data", "folder"),
        ("existing.json", *good, "--data", "sample", "-o", "existing.json"),
        ("/proc/x/y.json", *good, "--data", "sample", "-o", "/proc/x/y.json"),
        ("existing.json/report.html", *good, "--data", "sample", "--report", "existing.json"),
    ):
        done = run("eval", *args)
        assert (done.returncode, done.stdout) == (1, ""), args
        (error,) = (line for line in done.stderr.splitlines() if not line.startswith("Warning"))
        assert error.startswith(f"Error: {path}: ")
    assert (tmp_path / "existing.json").read_text() == "mine"
