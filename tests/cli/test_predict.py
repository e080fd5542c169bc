"""`digits predict` as a user types it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Run
from digits import Recognizer, Splits


@pytest.fixture
def pictures(tmp_path: Path, sample: Splits) -> Path:
    """Twelve digits, dark ink on white, numbered so that only natural order keeps them in order."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, image in enumerate(sample["test"].images[:12]):
        Image.fromarray(255 - image).save(folder / f"{i}.png")
    return folder


def test_formats_agree(run: Run, models: dict[str, Path], pictures: Path, sample: Splits) -> None:
    args = ("predict", "pictures", "-m", models["cnn"])
    done = run(*args, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["path"] for r in records] == [f"pictures/{i}.png" for i in range(12)]
    expected = Recognizer(models["cnn"]).probabilities(sample["test"].images[:12])
    for record, row in zip(records, expected, strict=True):
        assert set(record) == {"path", "digit", "confidence", "probabilities"}
        assert record["digit"] == row.argmax()
        np.testing.assert_allclose(record["probabilities"], row, atol=1e-5)
    assert json.loads(run(*args, "--format", "json").stdout) == records
    rows = list(csv.DictReader(io.StringIO(run(*args, "--format", "csv").stdout)))
    assert [int(row["digit"]) for row in rows] == [r["digit"] for r in records]
    text = run(*args, "--top-k", 2).stdout.splitlines()
    assert text[0].startswith(f"pictures/0.png: {records[0]['digit']} (")
    assert text[0].count("%") == 2
    top = json.loads(run(*args, "--top-k", 3, "--format", "jsonl").stdout.splitlines()[0])["top"]
    assert [t["confidence"] for t in top] == sorted((t["confidence"] for t in top), reverse=True)


def test_files_globs_stdin_and_output(run: Run, models: dict[str, Path], pictures: Path) -> None:
    model = ("-m", models["dense"], "--format", "jsonl")
    done = run("predict", "pictures/1?.png", "pictures/3.png", *model, "-o", "out.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    lines = (pictures.parent / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines] == [
        "pictures/10.png", "pictures/11.png", "pictures/3.png",
    ]  # fmt: skip
    again = run("predict", "pictures", *model, "-o", "out.jsonl")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    piped = run("predict", "-", *model, input=(pictures / "3.png").read_bytes())
    record = json.loads(piped.stdout)
    assert record["path"] == "-"
    assert record["probabilities"] == json.loads(lines[2])["probabilities"]


def test_bad_pictures_do_not_stop_the_good(
    run: Run, models: dict[str, Path], pictures: Path
) -> None:
    (pictures / "0.png").write_bytes(b"")
    (pictures / "1.png").write_text("hello")
    whole = (pictures / "2.png").read_bytes()
    (pictures / "2.png").write_bytes(whole[: len(whole) // 2])
    Image.new("L", (50, 50), 255).save(pictures / "3.png")
    done = run("predict", "pictures", "nowhere.png", "-m", models["dense"], "--format", "jsonl")
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(r) for r in records[:3]] == [{"path", "error"}] * 3
    blank = records[3]
    assert (blank["digit"], blank["reason"]) == (None, "no ink found")
    assert all(r["digit"] is not None for r in records[4:12])
    assert "error" in records[12]
    errors = done.stderr.splitlines()
    assert len(errors) == 4
    assert all(line.startswith("Error: ") for line in errors)
    text = run("predict", "pictures/3.png", "-m", models["dense"])
    assert (text.returncode, text.stdout) == (0, "pictures/3.png: no digit (no ink found)\n")


def test_nothing_to_read(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for says, *args in (
        ("it is a folder", "empty"),
        ("none.png", "none.png"),
        ("there is no model", "some.png", "-m", "none.h5"),
    ):
        done = run("predict", *args, *(() if "-m" in args else ("-m", models["dense"])))
        assert done.returncode == 1, args
        assert says in done.stderr
        assert done.stderr.startswith("Error: ")
    assert run("predict").returncode == 2


def test_a_reader_that_has_had_enough(run: Run, models: dict[str, Path], pictures: Path) -> None:
    """`digits predict … | head -1` ends without a word."""
    import subprocess
    import sys

    command = f"{sys.executable} -m digits predict pictures -m {models['dense']} | head -1"
    done = subprocess.run(
        command, shell=True, cwd=pictures.parent, capture_output=True, text=True, check=False
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
