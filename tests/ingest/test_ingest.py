"""Folders of picture files to data sets: labels, parts, and what is left out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits import DataError, Splits, load
from digits.data.png import png
from digits.ingest.pictures import ingest
from drawing import drawn_large, on_paper


@pytest.fixture
def put(sample: Splits, tmp_path: Path) -> Any:
    """Write a real digit as each of the files named; their pictures come in turn."""
    images = iter(sample["test"].images)

    def write(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(next(images)))
        return tmp_path

    return write


def labels(*sources: Path, **options: Any) -> list[int]:
    return ingest(sources, check=False, **options).splits["all"].labels.tolist()


def rejected(*sources: Path, **options: Any) -> dict[str, str]:
    result = ingest(sources, check=False, **options)
    return {Path(error.path or "").name: error.problem for error in result.rejected}


def test_labels_from_folders_in_natural_order(put: Any, sample: Splits) -> None:
    folder = put(
        "7/10.png", "7/9.png", "7/deep/3/b.png", "0/z1.PNG", "0/scan-2_7.png", "10/4_10.png"
    )
    result = ingest([folder])
    assert result.rejected == ()
    assert result.splits["all"].labels.tolist() == [0, 0, 7, 7, 3, 4]
    assert [Path(path).name for path in result.paths][-2:] == ["b.png", "4_10.png"]
    images = result.splits["all"].images
    for place, written in enumerate([4, 3, 1, 0, 2, 5]):
        assert np.array_equal(images[place], sample["test"].images[written])
    assert result.splits.name == result.splits["all"].name == folder.name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["7_1558.png", "3_0.png", "3_10.png"], [3, 3, 7]),
        (["0012_7.png", "0013_3.png", "0_5.png"], [5, 7, 3]),
        (["0_5.png", "1_3.png", "10_3.png"], [5, 3, 3]),
        (["3_3.png", "7-7.png"], [3, 7]),
        (["7 (copy).png", "4.png", "5.png"], [4, 5]),
        (["7_12_031.png", "1_2_3.png"], [1, 7]),
        (["012 3 7.png", "1.2.3.png"], [3, 7]),
    ],
)
def test_labels_from_file_names(put: Any, names: Sequence[str], expected: list[int]) -> None:
    assert labels(put(*names)) == expected


@pytest.mark.parametrize(
    "names", [["7_1.png", "3_2.png"], ["7_1.png", "7_1558.png", "0012_7.png"], ["1_2_3.jpg"]]
)
def test_names_that_fit_both_ways_stop_and_ask(put: Any, names: Sequence[str]) -> None:
    with pytest.raises(DataError, match=r"may be \d or \d\. .*--pattern") as caught:
        ingest([put(*names)])
    assert Path(caught.value.path or "").name in names


def test_each_source_has_its_own_custom(put: Any) -> None:
    folder = put("a/7_1558.png", "a/3_1.png", "b/0012_7.png", "b/2_1.png")
    assert labels(folder / "a", folder / "b") == [3, 7, 1, 7]
    with pytest.raises(DataError, match="may be"):
        ingest([folder])
    singles = [folder / "b" / "2_1.png", folder / "b" / "0012_7.png"]
    assert labels(*singles) == [1, 7]


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("seven", 7), ("Zero", 0), ("class_7", 7), ("label=7", 7), ("digit 07", 7), ("7s", 7),
        ("7_seven", 7), ("sieben", 7), ("zéro", 0), ("三", 3), ("٧", 7), ("\uff17", 7),
    ],
)  # fmt: skip
def test_folders_named_as_digits(put: Any, folder: str, label: int) -> None:
    assert labels(put(f"{folder}/1.png", f"{folder}/alice/2.png")) == [label, label]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["seven_1.png", "two_2.png"], [7, 2]),
        (["img_0012_label_7.png", "img_0013_label_2.png"], [7, 2]),
        (["writer3_digit7_1.png", "writer4_digit2_1.png"], [7, 2]),
        (["7_100.png", "7_101 (2).png"], [7, 7]),
    ],
)
def test_names_that_say_the_digit(put: Any, names: Sequence[str], expected: list[int]) -> None:
    labels = dict(zip(names, ingest([put(*names)], shuffle=False).dataset.labels, strict=True))
    assert [labels[name] for name in names] == expected


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("scan12_7.png", "scan{index}_{label}"),
        ("7a.png", "{label}*"),
        ("7-b.png", "{label}-*"),
        ("2024-01-03_7.png", "{index}-{index}-{index}_{label}"),
    ],
)
def test_the_pattern_that_would_settle_it_is_named(put: Any, name: str, pattern: str) -> None:
    folder = put(name)
    with pytest.raises(DataError, match=re.escape(f"give --pattern '{pattern}'")):
        ingest([folder])
    assert ingest([folder], pattern=pattern).dataset.labels.tolist() == [7]


@pytest.mark.parametrize("folder", ["img7", "alice", "seven_eight", "7 of 9", "007", "v7 final"])
def test_folders_that_are_not(put: Any, folder: str) -> None:
    with pytest.raises(DataError, match="neither its folder nor its name"):
        ingest([put(f"{folder}/scan.png")])


def test_dates_are_no_labels(put: Any) -> None:
    names = ["3/2023-01-07_1.png", "4/20230107_2.png", "5/07.01.2023 3.png"]
    assert labels(put(*names)) == [3, 4, 5]
    with pytest.raises(DataError, match="neither its folder nor its name"):
        ingest([put("dates/2023-01-07_1.png") / "dates"])


def test_numbers_in_several_folders_stop_and_ask(put: Any) -> None:
    folder = put("a/1.png", "a/2.png", "b/1.png")
    with pytest.raises(DataError, match=r"may be its label, or count .*--pattern '\{label\}'"):
        ingest([folder])
    assert labels(folder, pattern="{label}") == [1, 2, 1]


def test_folders_that_count_from_one_stop_and_ask(put: Any) -> None:
    folder = put(*[f"Sample{number:03}/a.png" for number in range(1, 11)])
    with pytest.raises(DataError, match="count from Sample001 to Sample010"):
        ingest([folder])


def test_numbers_that_are_not_the_digits_in_the_pictures_are_refused(put: Any) -> None:
    folder = put(*[f"{(digit + 3) % 10}.png" for digit in range(10)])  # written as 0, 1, 2, …
    with pytest.raises(DataError, match="do not seem to be labels"):
        ingest([folder])
    assert len(labels(folder, pattern="{label}")) == 10


def test_what_decided_is_told(put: Any) -> None:
    folder = put("set/3/a.png", "set/4/b.png", "set/0012_7.png") / "set"
    assert ingest([folder]).labels_from == "the names of folders (2) and of files (1)"
    assert ingest([folder / "3"]).labels_from == "the names of folders"
    assert ingest([folder / "0012_7.png"]).labels_from == "the names of files"
    pattern = ingest([folder / "0012_7.png"], pattern="{index}_{label}")
    assert pattern.labels_from == "the pattern {index}_{label}"


def test_names_that_count_are_no_labels(put: Any) -> None:
    folder = put(*[f"{number}.png" for number in range(12)])
    with pytest.raises(DataError, match="no file can be used"):
        ingest([folder])
    put("scan_7.png", "7_0001.png")
    assert len(rejected(folder)) == 13


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("{label}_{index}.png", ["7_1.png", "3_2.png"], [3, 7]),
        ("{index}_{label}", ["7_1.png", "3_2.PNG"], [2, 1]),
        ("{split}/{index:05d}_{label}.png", ["x/00001_2.png"], [2]),
        ("*-{label}", ["scan 4-5.png"], [5]),
        ("{writer}_{label}_*.png", ["ann_7_0001.png", "bob.b_3_x.png"], [7, 3]),
        ("{label}/*", ["7/3_1.png", "4/a.jpg"], [4, 7]),
        ("{label}/{label}_{index}", ["7/7_12.png"], [7]),
        (r"n(?P<label>\d)\.png$", ["ann7.png", "7n3.png"], [3, 7]),
        (r"^(?P<label>\d)/", ["7/3_1.png", "2/1/5.png"], [2, 7]),
    ],
)
def test_labels_from_a_pattern(
    put: Any, pattern: str, names: Sequence[str], expected: list[int]
) -> None:
    assert labels(put(*names), pattern=pattern) == expected


def test_what_does_not_fit_the_pattern_is_left_out(put: Any) -> None:
    folder = put("a7.png", "b.png", "a12.png")
    reasons = rejected(folder, pattern=r"a(?P<label>\d+)")
    assert reasons == {
        "a12.png": "its label is '12', not 0 to 9",
        "b.png": r"it does not match the pattern a(?P<label>\d+)",
    }


@pytest.mark.parametrize("pattern", ["{index}", "{label", "(?P<label>[", "(?P<label>\\d", "x"])
def test_a_bad_pattern(put: Any, pattern: str) -> None:
    with pytest.raises(DataError, match=r"the pattern .* is invalid"):
        ingest([put("7_0001.png")], pattern=pattern)


def test_labels_from_a_csv(put: Any) -> None:
    folder = put("images/a.png", "images/b.png", "images/c.png", "images/sub/d.png")
    table = folder / "labels.csv"
    table.write_text(
        "\ufefffilename,note,label\nb.png,from the source,7\nimages/a.png,from the csv,3\n"
        'sub/d.png,"a, b",12\ngone.png,,4\n',
        encoding="utf-8",
    )
    result = ingest([folder / "images"], labels_csv=table)
    assert result.splits["all"].labels.tolist() == [3, 7]
    assert {Path(error.path or "").name: error.problem for error in result.rejected} == {
        "gone.png": "the table of labels lists it, but it does not exist",
        "c.png": "the table of labels does not list it",
        "d.png": "its label is '12', not 0 to 9",
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no columns"),
        (b"file,digit\na.png,3\n", "no columns"),
        (b"filename,label\na.png,3\na.png,4\n", "two different labels"),
        (b"filename,label\n\xff\xfe,3\n", "not CSV in UTF-8"),
        (None, "cannot read"),
    ],
)
def test_a_bad_csv(put: Any, content: bytes | None, reason: str) -> None:
    folder = put("a.png")
    if content is not None:
        (folder / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        ingest([folder], labels_csv=folder / "labels.csv")
    assert caught.value.path == str(folder / "labels.csv")
    with pytest.raises(DataError, match="Give one of them"):
        ingest([folder], labels_csv=folder / "labels.csv", pattern="{label}")


def test_files_that_cannot_be_used_are_listed_and_the_rest_goes_in(put: Any) -> None:
    folder = put("7/good.png", ".hidden/3.png", "7/.b.png", "notes/who.png")
    (folder / "7" / "text.png").write_text("no picture")
    (folder / "7" / "empty.jpg").touch()
    (folder / "7" / "unknown").write_bytes(b"\0\1\2")
    (folder / "7" / "cut.png").write_bytes(png(np.zeros((28, 28), np.uint8))[:-30])
    Image.new("L", (50, 50), 200).save(folder / "7" / "blank.png")
    for beside in ("readme.txt", "7/labels.csv", "7/old.npz", "Thumbs.db"):
        (folder / beside).write_text("passed over")
    result = ingest([folder])
    assert result.splits["all"].labels.tolist() == [7]
    problems = {Path(e.path or "").relative_to(folder).as_posix(): e for e in result.rejected}
    assert {name: error.problem for name, error in problems.items()} == {
        "7/text.png": "the file is not a picture",
        "7/empty.jpg": "the file is empty",
        "7/unknown": "the file is not a picture",
        "7/cut.png": "the picture is cut short or damaged",
        "7/blank.png": "no digit found",
        "notes/who.png": "neither its folder nor its name gives the digit",
    }
    assert all(error.remedy for error in problems.values())
    with pytest.raises(DataError, match=r"who\.png: neither .*; 6 of 7 files cannot be used"):
        load(folder)
    (folder / "7" / "good.png").unlink()
    with pytest.raises(DataError, match="no file can be used"):
        ingest([folder])


def test_folders_train_and_test_are_parts(put: Any) -> None:
    folder = put("set/test/7/a.png", "set/train/0010_3.png", "set/train/0009_4.png", "set/7/a.png")
    folder, other = folder / "set", put("other/7/b.png") / "other"
    result = ingest([folder])
    assert list(result.splits) == ["train", "test"]
    assert result.splits["train"].labels.tolist() == [4, 3]
    assert result.splits["train"].name == f"{folder.name} train"
    assert [error.problem for error in result.rejected] == ["it is in neither train nor test"]
    assert list(load(folder / "train")) == ["all"]
    with pytest.raises(DataError, match="folders train and test already"):
        ingest([folder], test_fraction=0.5)
    with pytest.raises(DataError, match=r"b\.png: it is in neither"):
        ingest([folder, other])


def test_validation_pictures_are_in_a_part(put: Any) -> None:
    three = put("a/train/3/x.png", "a/valid/4/x.png", "a/test/5/x.png") / "a"
    splits = ingest([three]).splits
    assert {name: part.labels.tolist() for name, part in splits.items()} == {
        "train": [3, 4], "test": [5],
    }  # fmt: skip
    two = put("b/train/3/x.png", "b/validation/4/x.png") / "b"
    splits = ingest([two]).splits
    assert {name: part.labels.tolist() for name, part in splits.items()} == {
        "train": [3], "test": [4],
    }  # fmt: skip


def test_a_test_part_is_held_out(put: Any) -> None:
    folder = put(*[f"{digit}/{index}.png" for digit in (3, 8) for index in range(10)])
    splits = ingest([folder], test_fraction=0.3, seed=4).splits
    assert splits["train"].counts.tolist() == [0, 0, 0, 7, 0, 0, 0, 0, 7, 0]
    assert splits["test"].counts.tolist() == [0, 0, 0, 3, 0, 0, 0, 0, 3, 0]
    assert splits["test"].name == f"{folder.name} test"
    again = ingest([folder], test_fraction=0.3, seed=4).splits
    assert again["train"].fingerprint == splits["train"].fingerprint
    other = ingest([folder], test_fraction=0.3, seed=5).splits
    assert other["train"].fingerprint != splits["train"].fingerprint
    for wrong in (0, 1, -0.5, 2):
        with pytest.raises(DataError, match="between 0 and 1"):
            ingest([folder], test_fraction=wrong)


def test_transposed_pictures_are_said_and_mended(sample: Splits, tmp_path: Path) -> None:
    digits = sample["test"].limit(30)
    for number, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        (tmp_path / str(label) / f"{number}.png").write_bytes(png(image.T))
    result = ingest([tmp_path])
    assert [flaw.remedy for flaw in result.flaws] == ["Give --transpose"]
    mended = ingest([tmp_path], transpose=True)
    assert mended.flaws == mended.doubts == ()
    assert sorted(mended.dataset.digests) == sorted(digits.digests)


def test_labels_in_disorder_are_said(put: Any) -> None:
    folder = put(*[f"{index * 7 % 10}/{index}.png" for index in range(40)])
    (flaw,) = ingest([folder]).flaws
    assert "the labels hardly ever fit the images" in flaw.problem


def test_shuffling_keeps_each_label_with_its_picture(put: Any) -> None:
    folder = put(*[f"{index % 10}/{index}.png" for index in range(40)])
    plain = ingest([folder]).splits["all"]
    mixed = ingest([folder], shuffle=True, seed=1).splits["all"]
    assert mixed.labels.tolist() != plain.labels.tolist()
    assert mixed.fingerprint == ingest([folder], shuffle=True, seed=1).splits["all"].fingerprint
    pairs = {
        image.tobytes(): label for image, label in zip(plain.images, plain.labels, strict=True)
    }
    for image, label in zip(mixed.images, mixed.labels, strict=True):
        assert pairs[image.tobytes()] == label


def test_sources_overlap_and_mix(put: Any) -> None:
    folder = put("a/7/x.png", "b/3/y.png")
    seen: list[int] = []
    result = ingest([folder / "b", folder, folder / "a" / "7" / "x.png"], progress=seen.append)
    assert result.splits["all"].labels.tolist() == [3, 7]
    assert result.splits.name == f"b + {folder.name} + 7"
    assert sum(seen) == 2


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no pictures"):
        ingest([tmp_path])
    with pytest.raises(DataError, match="does not exist"):
        ingest([tmp_path / "none"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root opens anything")
def test_a_folder_that_cannot_be_opened_is_listed(put: Any) -> None:
    folder = put("7/a.png", "8/b.png")
    (folder / "8").chmod(0)
    try:
        assert rejected(folder) == {"8": "it is locked: permission denied"}
    finally:
        (folder / "8").chmod(0o700)


def test_pictures_of_any_size_are_preprocessed(sample: Splits, tmp_path: Path) -> None:
    digit = sample["test"].images[0]
    (tmp_path / "5").mkdir()
    large = np.kron(np.pad(digit, ((9, 50), (30, 2))), np.ones((8, 8), np.uint8))
    Image.fromarray(255 - large).save(tmp_path / "5" / "photo.jpg")
    image = load(tmp_path)["all"].images[0]
    assert np.corrcoef(image.ravel(), digit.ravel())[0, 1] > 0.9


def test_a_name_that_contradicts_its_folder_is_asked_about(sample: Splits, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    for name in ("0001_7.png", "0002_3.png"):
        (tmp_path / "1" / name).write_bytes(png(sample["test"].images[0]))
    with pytest.raises(DataError, match="in a folder named 1, but its name says 7"):
        ingest([tmp_path])
    assert labels(tmp_path, pattern="{label}/*") == [1, 1]
    assert labels(tmp_path, pattern="{index}_{label}") == [7, 3]


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_each_page_of_a_file_is_a_picture(sample: Splits, tmp_path: Path, suffix: str) -> None:
    test = sample["test"]
    (tmp_path / "7").mkdir()
    indices = [*np.flatnonzero(test.labels == 7)[:2], int(np.flatnonzero(test.labels == 1)[0])]
    first, *others = (
        Image.fromarray(on_paper(drawn_large(test.images[i], 8, (60, 60, 60, 60)))) for i in indices
    )
    first.save(tmp_path / "7" / f"scan.{suffix}", save_all=True, append_images=others)
    result = ingest([tmp_path])
    names = [f"{tmp_path}/7/scan.{suffix}#{number}" for number in (1, 2, 3)]
    assert list(result.paths) == names
    assert result.dataset.labels.tolist() == [7, 7, 7]
    assert [doubt.path for doubt in result.doubts] == names[2:]
