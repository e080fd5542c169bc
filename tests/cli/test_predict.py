"""`digits predict` as a user types it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from commands import Run
from digits import Recognizer, Splits
from digits.imaging.decode import decode
from drawing import in_a_row, on_paper, page, png


@pytest.fixture
def pictures(tmp_path: Path, sample: Splits) -> Path:
    """Twelve digits, dark ink on white, numbered so that only natural order keeps them in order."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, image in enumerate(sample["test"].images[:12]):
        Image.fromarray(255 - image).save(folder / f"{i}.png")
    return folder


def test_formats_agree(run: Run, models: dict[str, Path], pictures: Path, sample: Splits) -> None:
    # A model so quickly trained is not sure of all of them.
    args = ("predict", "pictures", "-m", models["cnn"], "--min-confidence", 0)
    done = run(*args, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["path"] for r in records] == [f"pictures/{i}.png" for i in range(12)]
    expected = Recognizer(models["cnn"]).predict_images(sample["test"].images[:12], 0)
    for record, prediction in zip(records, expected, strict=True):
        assert list(record) == ["path", "digit", "confidence", "probabilities"]
        assert record == {"path": record["path"], **prediction.to_json()}
        assert record["confidence"] == max(record["probabilities"])
    assert json.loads(run(*args, "--format", "json").stdout) == records
    rows = list(csv.DictReader(io.StringIO(run(*args, "--format", "csv").stdout)))
    assert [int(row["digit"]) for row in rows] == [r["digit"] for r in records]
    text = run(*args, "--top-k", 2).stdout.splitlines()
    assert text[0].startswith(f"pictures/0.png: {records[0]['digit']} (")
    assert text[0].count("%") == 2
    assert text[0].split(", ")[0] == run(*args).stdout.splitlines()[0]
    top = json.loads(run(*args, "--top-k", 3, "--format", "jsonl").stdout.splitlines()[0])["top"]
    assert [t["confidence"] for t in top] == sorted(records[0]["probabilities"])[:-4:-1]


def test_a_submission_of_the_rows_of_a_csv(run: Run, tmp_path: Path, sample: Splits) -> None:
    test = sample["test"].limit(12)
    rows = [",".join(map(str, row)) for row in test.images.reshape(-1, 784).tolist()]
    (tmp_path / "test.csv").write_text("\n".join(rows), encoding="utf-8")
    done = run("predict", "test.csv", "--format", "submission", "-o", "submission.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "submission.csv").read_text(encoding="utf-8").splitlines() == [
        "ImageId,Label",
        *(f"{number},{label}" for number, label in enumerate(test.labels, 1)),
    ]
    refused = run("data", "info", "--data", "test.csv")
    assert refused.returncode == 1
    assert "there are no labels. Recognize its pictures with `digits predict" in refused.stderr


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
    args = ("-m", models["dense"], "--min-confidence", 0)
    done = run("predict", "pictures", "nowhere.png", *args, "--format", "jsonl")
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(r) for r in records[:3]] == [{"path", "error"}] * 3
    blank = records[3]
    assert (blank["digit"], blank["reason"]) == (None, "no_ink")
    assert all(r["digit"] is not None for r in records[4:12])
    assert "error" in records[12]
    errors = done.stderr.splitlines()
    assert len(errors) == 4
    assert all(line.startswith("Error: ") for line in errors)
    text = run("predict", "pictures/3.png", "-m", models["dense"])
    assert (text.returncode, text.stdout) == (0, "pictures/3.png: no ink found\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root opens anything")
def test_a_locked_folder_is_said_and_the_rest_read(
    run: Run, models: dict[str, Path], tmp_path: Path, sample: Splits
) -> None:
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "0.png").write_bytes(png(sample["test"].images[0]))
    (tmp_path / "set" / "a").chmod(0)
    try:
        done = run("predict", "set", "-m", models["cnn"])
    finally:
        (tmp_path / "set" / "a").chmod(0o700)
    assert (done.returncode, done.stdout[:13]) == (1, "set/b/0.png: ")
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == [
        "Error: set/a: it is locked: permission denied. Change its permissions, or copy it."
    ]


def test_no_digit_in_every_format(
    run: Run, models: dict[str, Path], tmp_path: Path, sample: Splits
) -> None:
    """A blank page, two pictures of something else, a number, and a digit to compare with."""
    rng = np.random.default_rng(0)
    word = np.zeros((160, 200), np.uint8)
    cv2.putText(word, "M", (50, 120), 0, 3, 255, 6, cv2.LINE_AA)
    zigzag = np.zeros((200, 200), np.uint8)
    cv2.polylines(zigzag, [rng.integers(30, 170, (14, 2)).astype(np.int32)], False, 255, 4)
    digits = list(sample["test"].images[:3])
    inks = {
        "blank": np.zeros((100, 120), np.uint8),
        "digit": np.pad(digits[1], 20),
        "letter": word,
        "number": page(digits, in_a_row(digits, 8), 4, 40).ink,
        "zigzag": zigzag,
    }
    for name, ink in inks.items():
        (tmp_path / f"{name}.png").write_bytes(png(on_paper(ink)))
    args = ("predict", *(f"{name}.png" for name in inks), "-m", models["cnn"])
    done = run(*args, "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    records = dict(zip(inks, map(json.loads, done.stdout.splitlines()), strict=True))
    assert records["digit"]["digit"] is not None
    assert "reason" not in records["digit"]
    refused = {name: r for name, r in records.items() if name != "digit"}
    for name, record in refused.items():
        assert set(record) == {"path", "digit", "confidence", "probabilities", "reason"}, name
        assert record["digit"] is None, name
        assert record["confidence"] < 0.5, name
        assert len(record["probabilities"]) == 10, name
    reasons = {name: record["reason"] for name, record in refused.items()}
    assert set(reasons.values()) == {"no_ink", "no_digit", "several"}
    assert (reasons["blank"], reasons["zigzag"]) == ("no_ink", "no_digit")
    assert reasons["number"] == "several"
    rows = list(csv.DictReader(io.StringIO(run(*args, "--format", "csv").stdout)))
    assert [row["digit"] for row in rows].count("") == 4
    assert [row["reason"] for row in rows] == [r.get("reason", "") for r in records.values()]
    lines = run(*args).stdout.splitlines()
    assert lines[1].startswith("digit.png: ")
    assert lines[1].endswith("%)")
    sentences = {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}
    assert sentences["blank.png"] == "no ink found"
    assert sentences["zigzag.png"] == "no digit"
    assert sentences["number.png"] == "several digits; use `digits read`"


def test_the_limit(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "blank.png").write_bytes(png(np.full((50, 50), 255, np.uint8)))
    ink = np.zeros((160, 200), np.uint8)
    cv2.putText(ink, "S", (50, 120), 0, 3, 255, 5, cv2.LINE_AA)
    (tmp_path / "letter.png").write_bytes(png(255 - ink))
    args = ("predict", "blank.png", "letter.png", "-m", models["cnn"], "--format", "jsonl")
    lines = run(*args, "--min-confidence", "0").stdout.splitlines()
    blank, letter = map(json.loads, lines)
    assert blank["digit"] is None  # there is nothing to guess from
    assert letter["digit"] == np.argmax(letter["probabilities"])
    assert "reason" not in letter
    assert run(*args, "--min-confidence", "-1").returncode == 2


def test_a_strict_limit_refuses_but_keeps_the_probabilities(
    run: Run, models: dict[str, Path], pictures: Path
) -> None:
    args = ("predict", "pictures", "-m", models["dense"], "--format", "jsonl")
    strict = run(*args, "--min-confidence", "1").stdout.splitlines()
    plain = run(*args, "--min-confidence", "0").stdout.splitlines()
    found = 0
    for line, other in zip(strict, plain, strict=True):
        record, sure = json.loads(line), json.loads(other)
        if record["digit"] is None:
            found += 1
            assert record["reason"] == "unsure"
            assert record["probabilities"] == sure["probabilities"]
    assert found > 6
    first, second = np.argsort(json.loads(plain[0])["probabilities"])[:-3:-1]
    text = run(*args[:-2], "--min-confidence", "1").stdout.splitlines()
    assert text[0] == f"pictures/0.png: not sure: {first} or {second}"


def test_show(run: Run, models: dict[str, Path], pictures: Path, tmp_path: Path) -> None:
    args = ("predict", "pictures/3.png", "pictures/4.png", "-m", models["dense"])
    show = ("--show", "seen.png")
    done = run(*args, *show)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(*args).stdout
    two = decode(tmp_path / "seen.png").gray
    assert len(np.unique(two)) > 20
    first = (tmp_path / "seen.png").read_bytes()
    again = run(*args, *show)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("Error: seen.png: the file exists already. ")
    assert (tmp_path / "seen.png").read_bytes() == first
    one = run(*args[:2], *args[3:], *show, "--overwrite")
    assert one.returncode == 0
    assert decode(tmp_path / "seen.png").gray.shape[0] < two.shape[0]
    wrong = run(*args, "--show", "seen.gif")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Give a name that ends in .png, .jpg or .webp" in wrong.stderr


def test_show_what_can_be_shown(run: Run, pictures: Path, tmp_path: Path) -> None:
    (pictures / "1.png").write_text("hello")
    content = (pictures / "3.png").read_bytes()
    (pictures / "2.png").write_bytes(png(np.full((60, 50), 255, np.uint8)))
    args = ("-m", "cnn", "--format", "jsonl", "--show", "seen.png")
    names = ("pictures/1.png", "pictures/2.png", "-")
    done = run("predict", *names, *args, input=content)
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["path"] for r in records] == list(names)
    assert set(records[0]) == {"path", "error"}
    assert records[1]["reason"] == "no_ink"
    assert records[2]["digit"] is not None
    assert done.stderr.count("Error: ") == 1
    assert decode(tmp_path / "seen.png").gray.size
    nothing = run("predict", "nowhere.png", "--show", "none.png")
    assert nothing.returncode == 1
    assert not (tmp_path / "none.png").exists()


def test_show_of_too_many(run: Run, models: dict[str, Path], pictures: Path) -> None:
    content = (pictures / "0.png").read_bytes()
    for i in range(12, 51):
        (pictures / f"{i}.png").write_bytes(content)
    args = ("predict", "pictures", "-m", models["dense"], "--show", "seen.png")
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--show draws at most 50 pictures" in done.stderr
    (pictures / "50.png").unlink()
    assert run(*args).returncode == 0


def test_show_counts_the_rows_of_a_file(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    row = ",".join(["0"] * 784)
    (tmp_path / "test.csv").write_text(f"{row}\n" * 51)
    done = run("predict", "test.csv", "-m", models["dense"], "--show", "seen.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--show draws at most 50 pictures" in done.stderr


def test_nothing_to_read(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for says, *args in (
        ("empty: ", "empty"),
        ("none.png", "none.png"),
        ("none.h5: ", "some.png", "-m", "none.h5"),
    ):
        done = run("predict", *args, *(() if "-m" in args else ("-m", models["dense"])))
        assert done.returncode == 1, args
        assert says in done.stderr
        assert done.stderr.startswith("Error: ")
    assert run("predict").returncode == 2


def test_a_pipe_that_closes(models: dict[str, Path], pictures: Path) -> None:
    """`digits predict … | head -1` ends silently."""
    command = f"{sys.executable} -m digits predict pictures -m {models['dense']} | head -1"
    done = subprocess.run(
        command, shell=True, cwd=pictures.parent, capture_output=True, text=True, check=False
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_names_cannot_steer_the_terminal(
    run: Run, models: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    name = "a\x1b[31m\nError: b.png"
    (tmp_path / name).write_bytes((pictures / "0.png").read_bytes())
    args = ("predict", name, "-m", models["cnn"])
    assert run(*args).stdout.startswith("a?[31m?Error: b.png: ")
    assert json.loads(run(*args, "--format", "jsonl").stdout)["path"] == name
    (tmp_path / name).write_bytes(b"")
    done = run(*args)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: a?[31m?Error: b.png: ")
