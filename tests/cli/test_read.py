"""`digits read` as a user types it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import Run
from digits import Splits
from digits.imaging.decode import decode
from digits.recognition.reader import Reader
from drawing import in_a_row, on_paper, page, png


@pytest.fixture
def pages(tmp_path: Path, sample: Splits) -> dict[str, str]:
    """A folder with three pages, and what the shipped model reads in each.

    Only natural order keeps them in order. The second has two lines, the third is blank.
    """
    rng = np.random.default_rng(1)
    images = sample["test"].images
    folder = tmp_path / "pages"
    folder.mkdir()
    digits = list(images[rng.integers(len(images), size=7)])
    one = page(digits[:4], in_a_row(digits[:4], 8), 4, 40)
    spots = in_a_row(digits[:4], 8) + in_a_row(digits[4:], 8, start=(3, 34))
    two = page(digits, spots, 4, 40)
    (folder / "1.png").write_bytes(png(on_paper(one.ink)))
    (folder / "2.png").write_bytes(png(on_paper(two.ink)))
    (folder / "10.png").write_bytes(png(np.full((200, 300), 230, np.uint8)))
    reader = Reader("cnn")
    return {f"pages/{i}.png": reader.read(folder / f"{i}.png").text for i in (1, 2, 10)}


def test_one_picture_as_text(run: Run, pages: dict[str, str]) -> None:
    """The lines alone, to pipe on."""
    for path, text in pages.items():
        done = run("read", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, text + "\n", "")
    assert pages["pages/2.png"].count("\n") == 1
    assert pages["pages/10.png"] == ""


def test_several_pictures_as_text(run: Run, pages: dict[str, str]) -> None:
    expected = [
        f"{path}: {text.replace(chr(10), ', ') or 'no digits'}" for path, text in pages.items()
    ]
    for args in (("pages",), ("pages/?.png", "pages/10.png"), tuple(pages)):
        done = run("read", *args)
        assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, expected, "")


def test_the_machine_formats(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    done = run("read", "pages", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["path"] for r in records] == list(pages)
    for record, text in zip(records, pages.values(), strict=True):
        assert list(record) == ["path", "text", "lines", "line_confidences", "digits"]
        assert record["text"] == text
        assert record["lines"] == text.splitlines()
        assert len(record["line_confidences"]) == len(record["lines"])
        assert all(0 < confidence < 1 for confidence in record["line_confidences"])
        again = [""] * len(record["lines"])
        height, width = decode(tmp_path / record["path"]).gray.shape
        for digit in record["digits"]:
            assert list(digit) == ["digit", "confidence", "line", "box"]
            again[digit["line"]] += str(digit["digit"])
            assert 0 < digit["confidence"] <= 1
            left, top, right, bottom = digit["box"]
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
        assert again == record["lines"]
    assert json.loads(run("read", "pages", "--format", "json").stdout) == records
    rows = list(csv.DictReader(io.StringIO(run("read", "pages", "--format", "csv").stdout)))
    assert [(row["path"], row["text"]) for row in rows] == list(pages.items())
    assert {tuple(row) for row in rows} == {("path", "text", "error")}


def test_a_file_of_results(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    args = ("read", "pages", "--format", "jsonl", "-o", "out.jsonl")
    done = run(*args)
    assert (done.returncode, done.stdout) == (0, "")
    written = (tmp_path / "out.jsonl").read_text()
    assert written == run(*args[:-2]).stdout
    (tmp_path / "out.jsonl").write_text("mine")
    again = run(*args)
    assert again.returncode == 1
    assert again.stderr.startswith("Error: out.jsonl: the file exists already. ")
    assert (tmp_path / "out.jsonl").read_text() == "mine"
    assert run(*args, "--overwrite").returncode == 0
    assert (tmp_path / "out.jsonl").read_text() == written


def test_stdin(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    content = (tmp_path / "pages/1.png").read_bytes()
    done = run("read", "-", "--format", "jsonl", input=content)
    record = json.loads(done.stdout)
    assert (done.returncode, record["path"]) == (0, "-")
    assert record["text"] == pages["pages/1.png"]
    bad = run("read", "-", input=b"")
    assert bad.returncode == 1
    assert bad.stderr == "Error: -: the file is empty. Save or copy it again.\n"


def test_what_fails_does_not_stop_the_rest(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pages/5.png").write_text("hello")
    done = run("read", "nowhere.png", "pages", "--format", "jsonl")
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(r) for r in records if "error" in r] == [{"path", "error"}] * 2
    assert {r["path"]: r["text"] for r in records if "error" not in r} == pages
    errors = done.stderr.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("Error: nowhere.png: ")
    assert errors[1].startswith("Error: pages/5.png: ")
    text = run("read", "nowhere.png", "pages/1.png")
    assert text.returncode == 1
    assert text.stdout == f"pages/1.png: {pages['pages/1.png']}\n"
    assert text.stderr.count("Error: ") == 1


def test_not_sure(run: Run, pages: dict[str, str]) -> None:
    read = run("read", "pages/1.png", "--min-confidence", "1", "--format", "json")
    (record,) = json.loads(read.stdout)
    digits = record["digits"]
    assert len(digits) == len(pages["pages/1.png"])
    for digit in digits:
        assert (digit["digit"] is None) == (digit["confidence"] < 0.9999995)
    assert record["text"].count("?") == sum(d["digit"] is None for d in digits) > 0
    assert run("read", "pages/1.png", "--min-confidence", "1.5").returncode == 2


def test_showing_one(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    args = ("read", "pages/2.png", "--show", "seen.png")
    done = run(*args)
    assert (done.returncode, done.stdout) == (0, pages["pages/2.png"] + "\n")
    with Image.open(tmp_path / "seen.png") as drawing:
        pixels = np.asarray(drawing.convert("RGB")).astype(int)
    assert np.ptp(pixels, axis=2).max() > 100  # boxes and labels are in color
    assert pixels.shape[1] >= decode(tmp_path / "pages/2.png").gray.shape[1]
    (tmp_path / "seen.png").write_bytes(b"mine")
    again = run(*args)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("Error: seen.png: the file exists already. ")
    assert (tmp_path / "seen.png").read_bytes() == b"mine"
    assert run(*args, "--overwrite").returncode == 0
    assert decode(tmp_path / "seen.png").gray.shape == pixels.shape[:2]
    wrong = run("read", "pages/2.png", "--show", "seen.txt")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("Error: seen.txt: ")
    assert "Give a name that ends in .png, .jpg or .webp" in wrong.stderr


def test_showing_several(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/3.png").write_text("hello")
    done = run("read", "pages", "other/3.png", "--show", "seen")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    assert sorted(p.name for p in (tmp_path / "seen").iterdir()) == ["1.png", "10.png", "2.png"]
    before = (tmp_path / "seen/10.png").read_bytes()
    again = run("read", "pages/10.png", "pages/1.png", "--show", "seen")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert (tmp_path / "seen/10.png").read_bytes() == before


def test_showing_the_pages_of_a_file(run: Run, pages: dict[str, str], tmp_path: Path) -> None:
    images = [Image.open(tmp_path / f"pages/{name}.png") for name in (1, 2)]
    images[0].save(tmp_path / "scan.pdf", save_all=True, append_images=images[1:])
    done = run("read", "scan.pdf", "--show", "seen.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in tmp_path.glob("seen*")} == {"seen-1.png", "seen-2.png"}
    names = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert names == ["scan.pdf#1", "scan.pdf#2"]
    done = run("read", "scan.pdf", "pages/2.png", "--show", "all")
    assert (done.returncode, done.stderr) == (0, "")
    found = {path.name for path in (tmp_path / "all").iterdir()}
    assert found == {"scan-1.png", "scan-2.png", "2.png"}
    again = run("read", "scan.pdf", "--show", "seen.png")
    assert again.returncode == 1
    assert "seen-1.png: the file exists already" in again.stderr


def test_pictures_of_one_name_get_drawings_of_their_own(
    run: Run, pages: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    content = (tmp_path / "pages/1.png").read_bytes()
    (tmp_path / "other/2.png").write_bytes(content)
    done = run("read", "pages/2.png", "other/2.png", "-", "--show", "seen", input=content)
    assert done.returncode == 0
    assert sorted(p.name for p in (tmp_path / "seen").iterdir()) == [
        "1-2.png", "2-2.png", "3-stdin.png",
    ]  # fmt: skip


def test_your_own_model(
    run: Run, pages: dict[str, str], models: dict[str, Path], tmp_path: Path
) -> None:
    done = run("read", "pages/1.png", "-m", models["dense"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().isdigit()
    for args in (("none.h5",), (tmp_path / "pages/1.png",)):
        bad = run("read", "pages/1.png", "-m", *args)
        assert (bad.returncode, bad.stdout) == (1, "")
        assert bad.stderr.startswith("Error: ")
        assert bad.stderr.count("\n") == 1


def test_wrong_usage(run: Run) -> None:
    assert run("read").returncode == 2
    assert run("read", "a.png", "--ink", "red").returncode == 2
    assert run("read", "a.png", "--format", "xml").returncode == 2
