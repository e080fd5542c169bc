"""`digits eval` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conftest import Run
from digits import Recognizer, Splits
from digits.data.readers import save_npz


@pytest.fixture
def own(tmp_path: Path, sample: Splits) -> Path:
    """A set without parts: the last 200 of the sample's test pictures."""
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
    answers = Recognizer(models["cnn"]).probabilities(sample["test"].images).argmax(axis=1)
    assert first["correct"] == (answers == sample["test"].labels).sum()
    assert first["correct"] + first["incorrect"] == 1000
    assert first["accuracy_ci95"][0] < first["accuracy"] < first["accuracy_ci95"][1]
    assert np.trace(first["confusion"]) == first["correct"]
    text = run(*args).stdout
    assert "sample test" in text
    assert "joint" in text
    assert "precision" in text


def test_models_beside_each_other(run: Run, models: dict[str, Path]) -> None:
    args = ("eval", *(x for path in models.values() for x in ("-m", path)), "--data", "sample")
    found = [json.loads(line) for line in run(*args, "--format", "jsonl").stdout.splitlines()]
    assert [entry["model"] for entry in found] == [str(path) for path in models.values()]
    rows = run(*args, "--format", "csv").stdout.splitlines()
    assert rows[0].startswith("model,data,n,loss,accuracy")
    assert len(rows) == 4
    assert run(*args).stdout.count("sample test") == 6


def test_the_report(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    done = run("eval", "-m", models["dense"], "--data", "sample", "--report", "report")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("report: report/report.html\n")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.html", "report.json", "confusion.png", "grid.png", "misread.png"} <= names
    assert "curves.png" in names


def test_a_warning_when_the_model_has_seen_the_pictures(run: Run, models: dict[str, Path]) -> None:
    done = run("eval", "-m", models["dense"], "--data", "sample", "--split", "train")
    assert "learned from 2,000 of the 4,000 pictures of sample train" in done.stderr
    unseen = run("eval", "-m", models["dense"], "--data", "sample")
    assert "learned from" not in unseen.stderr


def test_bad_input(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no model")
    (tmp_path / "text.npz").write_text("no data")
    (tmp_path / "folder").mkdir()
    (tmp_path / "there.json").write_text("mine")
    good = ("-m", models["dense"])
    for says, *args in (
        ("no HDF5 file", "-m", "text.h5"),
        ("there is no model", "-m", "none.h5"),
        ("text.npz", *good, "--data", "text.npz"),
        ("folder", *good, "--data", "folder"),
        ("exists already", *good, "--data", "sample", "-o", "there.json"),
        ("cannot write", *good, "--data", "sample", "-o", "/proc/x/y.json"),
    ):
        done = run("eval", *args)
        assert done.returncode == 1, (args, done.stdout)
        errors = [line for line in done.stderr.splitlines() if not line.startswith("Warning")]
        assert len(errors) == 1
        assert errors[0].startswith("Error: ")
        assert says in errors[0]
    assert (tmp_path / "there.json").read_text() == "mine"
