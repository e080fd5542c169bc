from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits import DataError, Dataset, OutputError, Splits, load, preprocess
from digits.data.png import export_png, png


@pytest.fixture
def few(sample: Splits) -> Splits:
    parts = {name: sample[name].limit(count) for name, count in (("train", 30), ("test", 12))}
    return Splits("few", parts)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_names_hold_split_index_and_label(few: Splits, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    seen: list[int] = []
    assert export_png(few, folder, progress=seen.append) == sum(seen) == 42
    expected = [
        f"{part}/{index:05d}_{label}.png"
        for part, dataset in few.items()
        for index, label in enumerate(dataset.labels)
    ]
    assert files(folder) == sorted(expected)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"split": "test"}, 12),
        ({"split": "all"}, 42),
        ({"limit": 20}, 32),
        ({"split": "train", "limit": 5}, 5),
    ],
)
def test_parts_and_limits(few: Splits, tmp_path: Path, options: dict[str, Any], count: int) -> None:
    assert export_png(few, tmp_path, **options) == len(files(tmp_path)) == count


def test_an_unsplit_set(few: Splits, tmp_path: Path) -> None:
    whole = Splits("mine", {"all": few["test"]})
    assert export_png(whole, tmp_path, split="all", name="{label}/{index}.png") == 12
    assert len(files(tmp_path)) == 12
    with pytest.raises(DataError, match="no part 'train'"):
        export_png(whole, tmp_path / "b", split="train")


@pytest.mark.parametrize("ink", ["dark", "light"])
def test_what_the_pixels_are(few: Splits, ink: Any) -> None:
    image = few["train"].images[0]
    with Image.open(io.BytesIO(png(image, ink))) as gray:
        assert (gray.format, gray.mode, gray.size) == ("PNG", "L", (28, 28))
        assert gray.info == {"digits": f"28x28 {ink} ink"}
        assert np.array_equal(np.asarray(gray), image if ink == "light" else 255 - image)
    with Image.open(io.BytesIO(png(image, ink))) as gray:
        gray.verify()
    with Image.open(io.BytesIO(png(image, ink, "RGBA"))) as colored:
        red, _, blue, alpha = np.moveaxis(np.asarray(colored), 2, 0)
        assert np.array_equal(alpha, image)
        assert set(np.unique([red, blue])) == {255 if ink == "light" else 0}
    for mode in ("L", "RGBA"):
        assert np.array_equal(preprocess(png(image, ink, mode)), image)


def test_a_folder_with_files_is_left_alone_unless_told(few: Splits, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="already contains files"):
        export_png(few, tmp_path)
    assert files(tmp_path) == ["mine.txt"]
    export_png(few, tmp_path, overwrite=True)
    assert export_png(few, tmp_path, overwrite=True, ink="light") == 42
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert len(files(tmp_path)) == 43


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{digit}.png", "has a field {digit}"),
        ("{label.__class__}.png", "has a field"),
        ("{}.png", "has a field"),
        ("{index:{size}}.png", "has a field"),
        ("{index", "is invalid"),
        ("{index:q}_{split}.png", "is invalid"),
        ("{split}_{label}.png", "several images"),
        ("{index}.png", "several images"),
        ("../{split}_{index}.png", "leads to"),
        ("/tmp/{split}_{index}.png", "leads to"),
        ("{split}/../../{split}_{index}.png", "leads to"),
        ("{split}_{index}", "does not end in .png"),
        ("{split}_{index}\0.png", "does not end in .png"),
    ],
)
def test_a_bad_template_writes_nothing(
    few: Splits, tmp_path: Path, template: str, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        export_png(few, tmp_path / "new", name=template)
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written(few: Splits, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/digits")):
        with pytest.raises(OutputError):
            export_png(few, folder)
    assert files(tmp_path) == ["file"]


def test_a_failure_takes_back_what_was_written(few: Splits, tmp_path: Path) -> None:
    def full(_: int) -> None:
        raise OutputError("the disk is full", "Free some space")

    for folder in (tmp_path / "a" / "b", tmp_path):
        with pytest.raises(OutputError, match="the disk is full"):
            export_png(few, folder, progress=full)
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt" or not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_error(few: Splits, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    target = tmp_path / "train" / f"00003_{few['train'].labels[3]}.png"
    target.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="no space left on device"):
        export_png(few, tmp_path, overwrite=True)


SCRIPT = """
import sys
import numpy as np
from digits import DataError, Dataset, OutputError, Splits, load, preprocess
from digits.data.png import export_png

images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28)).astype(np.uint8)
images = np.tile(images, (20, 1, 1))
written = 0

def progress(count):
    global written
    written += count
    if written - count < 5_000 <= written:  # more than this process writes before it starts others
        print("writing", flush=True)

splits = Splits("noise", {"all": Dataset(images, np.zeros(len(images), np.uint8))})
export_png(splits, sys.argv[1], progress=progress, workers=2)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs process groups")
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert files(tmp_path)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert errors.count("Traceback") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.heavy
def test_all_of_mnist_survives(mnist: Splits, tmp_path: Path) -> None:
    assert export_png(mnist, tmp_path) == 70_000
    assert load(tmp_path) == mnist


@pytest.mark.parametrize("mode", ["L", "RGBA"])
@pytest.mark.parametrize("ink", ["dark", "light"])
def test_what_is_exported_reads_back_bit_for_bit(
    sample: Splits, tmp_path: Path, ink: Any, mode: Any
) -> None:
    rng = np.random.default_rng(1)
    odd = rng.integers(0, 256, (60, 28, 28)).astype(np.uint8)
    odd[::3] = 0
    odd[1::7] = 255
    some = Splits("some", {name: part.limit(200) for name, part in sample.items()})
    for splits in (some, Splits("odd", {"all": Dataset(odd, rng.integers(0, 10, 60))})):
        folder = tmp_path / splits.name
        export_png(splits, folder, ink=ink, mode=mode)
        assert load(folder) == splits
