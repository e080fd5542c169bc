"""The commands `data …`, `export-png` and `ingest`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from commands import Run
from digits import Splits, load
from digits.data.formats.npz import save_npz
from digits.data.png import png


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_info(run: Run, sample: Splits, tmp_path: Path) -> None:
    twice = sample["test"].take(np.r_[0:10, 0:5])
    save_npz(Splits("own", {"train": sample["train"], "test": twice}), tmp_path / "own.npz")
    done = run("data", "info", "--data", "sample", "--data", "own.npz", "--format", "json")
    first, own = json.loads(done.stdout)
    assert first["name"] == "sample"
    assert first["parts"]["test"]["fingerprint"] == sample["test"].fingerprint
    assert first["parts"]["train"]["counts"] == {str(d): 400 for d in range(10)}
    assert (first["parts"]["train"]["duplicates"], first["shared"]) == (0, 0)
    assert own["parts"]["test"]["duplicates"] == 5
    mixed = Splits("m", {"train": sample["train"], "test": sample["train"].limit(7)})
    save_npz(mixed, tmp_path / "mixed.npz")
    text = run("data", "info", "--data", "mixed.npz").stdout
    assert "in train and in test: 7 pictures" in text
    assert "values 0 to 255" in text


def test_show(run: Run, tmp_path: Path, sample: Splits) -> None:
    done = run("data", "show", "--data", "sample", "--split", "test", "--index", 3)
    assert f"3: {sample['test'].labels[3]}" in done.stdout
    assert "█" in done.stdout
    ascii_only = run("data", "show", "--data", "sample", charset="ascii")
    assert ascii_only.stdout.isascii()
    drawn = run("data", "show", "--data", "sample", "--label", 7, "--count", 5, "-o", "sevens.png")
    assert drawn.returncode == 0, drawn.stderr
    assert min(_size(tmp_path / "sevens.png")) > 50
    again = run("data", "show", "--data", "sample", "-o", "sevens.png")
    assert (again.returncode, "exists" in again.stderr) == (1, True)
    missing = run("data", "show", "--data", "sample", "--index", 70000)
    assert "has no image 70000" in missing.stderr


def test_plot_and_join(run: Run, tmp_path: Path, sample: Splits) -> None:
    assert run("data", "plot", "--data", "sample", "-o", "counts.png").returncode == 0
    assert min(_size(tmp_path / "counts.png")) > 100
    done = run("data", "join", "sample", "sample", "-o", "both.npz")
    assert done.stdout == "wrote both.npz: train 8,000, test 2,000\n"
    assert len(load(tmp_path / "both.npz")["train"]) == 8000
    assert run("data", "join", "sample", "-o", "both.npz").returncode == 1


def test_export_and_ingest_give_back_the_same_arrays(
    run: Run, tmp_path: Path, sample: Splits
) -> None:
    done = run("export-png", "out", "--data", "sample", "--limit", 300)
    assert done.stdout == "wrote 600 pictures of sample to out\n"
    assert run("export-png", "out", "--data", "sample").returncode == 1
    done = run("ingest", "out", "-o", "back.npz")
    assert done.stdout.startswith("wrote back.npz: train 300, test 300")
    for name, part in load(tmp_path / "back.npz").items():
        assert part == sample[name].limit(300)


def test_ingest_leaves_out_what_cannot_be_used(run: Run, tmp_path: Path, sample: Splits) -> None:
    for digit in (3, 7):
        folder = tmp_path / "scans" / str(digit)
        folder.mkdir(parents=True)
        image = sample["test"].images[sample["test"].labels == digit][0]
        large = Image.fromarray(255 - image).resize((300, 300))
        large.convert("RGB").save(folder / "photo one.jpg")
    (tmp_path / "scans" / "7" / "broken.png").write_bytes(b"\x89PNG")
    (tmp_path / "scans" / "lost.png").write_bytes(b"")
    done = run("ingest", "scans", "-o", "mine.npz")
    assert done.returncode == 1
    assert done.stdout == (
        "wrote mine.npz: all 2; left out 2\nlabels from the names of folders: "
        "0: 0, 1: 0, 2: 0, 3: 1, 4: 0, 5: 0, 6: 0, 7: 1, 8: 0, 9: 0\n"
    )
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "Error: scans/lost.png: neither its folder nor its name gives the digit. "
    )
    assert second.startswith("Error: scans/7/broken.png: ")
    assert sorted(load(tmp_path / "mine.npz")["all"].labels) == [3, 7]
    strict = run("ingest", "scans", "-o", "strict.npz", "--strict")
    assert strict.returncode == 1
    assert "strict.npz: not written: left out 2, doubtful 0" in strict.stderr
    assert not (tmp_path / "strict.npz").exists()
    nothing = run("ingest", "nowhere", "-o", "n.npz")
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (1, 1)
    assert not (tmp_path / "n.npz").exists()


def test_ingest_warns_of_doubtful_labels(run: Run, tmp_path: Path, sample: Splits) -> None:
    test = sample["test"]
    threes = np.flatnonzero(test.labels == 3)[:22]
    for i, image in enumerate(test.images[threes]):
        path = tmp_path / "scans" / ("3" if i == 0 else "8") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))
    done = run("ingest", "scans", "-o", "mine.npz", "--sheet", "sheet.png")
    warnings = done.stderr.splitlines()
    assert done.returncode == 0
    assert done.stdout.startswith("wrote mine.npz: all 22; doubtful 21\n")
    assert len(warnings) == 21
    assert re.fullmatch(
        r"Warning: scans/8/1\.png: labeled 8, looks like 3 \(>?\d\d\.\d%\)\.", warnings[0]
    )
    assert warnings[-1] == "Warning: 1 more labels are doubtful; --sheet shows all."
    assert min(_size(tmp_path / "sheet.png")) > 100
    assert len(load(tmp_path / "mine.npz")["all"]) == 22
    assert run("ingest", "scans", "-o", "quiet.npz", "-q").stderr == ""
    strict = run("ingest", "scans", "-o", "strict.npz", "--strict", "--sheet", "again.png")
    assert strict.returncode == 1
    assert strict.stderr.splitlines()[-1] == (
        "Error: strict.npz: not written: left out 0, doubtful 21. Correct them, or omit --strict."
    )
    assert not (tmp_path / "strict.npz").exists()
    assert (tmp_path / "again.png").exists()  # it shows what to correct
    for name, problem in (("sheet.png", "exists"), ("sheet.jpg", "ends in .png")):
        refused = run("ingest", "scans", "-o", "other.npz", "--sheet", name)
        assert (refused.returncode, problem in refused.stderr) == (1, True)
        assert not (tmp_path / "other.npz").exists()


def test_ingest_warns_of_what_is_wrong_with_all(run: Run, tmp_path: Path, sample: Splits) -> None:
    for number, image in enumerate(sample["test"].images[:30]):
        path = tmp_path / "scans" / str((number + 3) % 10) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))
    done = run("ingest", "scans", "-o", "mine.npz")
    assert (done.returncode, done.stdout[:16]) == (0, "wrote mine.npz: ")
    assert done.stderr.splitlines()[-1].startswith(
        "Warning: scans: the labels hardly ever fit the images: "
    )


def test_a_data_set_needs_its_suffix(run: Run, tmp_path: Path) -> None:
    done = run("data", "join", "sample", "-o", "joined")
    assert (done.returncode, "ends in .npz" in done.stderr) == (1, True)
    assert not list(tmp_path.iterdir())


def test_a_set_of_dark_ink_is_said_and_inverted(run: Run, tmp_path: Path, sample: Splits) -> None:
    test = sample["test"].limit(100)
    np.savez(tmp_path / "dark.npz", images=255 - test.images, labels=test.labels)
    said = run("data", "info", "--data", "dark.npz")
    assert "dark on light" in said.stderr
    assert "Give --invert." in said.stderr
    mended = run("data", "join", "dark.npz", "--invert", "-o", "light.npz")
    assert (mended.returncode, mended.stderr) == (0, "")
    assert load(tmp_path / "light.npz")["all"] == test
    scores = run("eval", "--data", "dark.npz", "--invert", "--format", "json")
    assert json.loads(scores.stdout)["data"][0]["accuracy"] > 0.9
    assert "dark on light" not in scores.stderr
