"""Files, folders and globs stand for the same pictures everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digits.imaging.find import find_pictures, natural, walk_pictures

FILES = """
    2.png 10.png 1/b.jpg 1/a.png notes.txt labels.csv model.h5 .hidden.png .cache/3.png
    1/deep/er/x 1/names.txt/y.png no_suffix
""".split()
PICTURES = "1/a.png 1/b.jpg 1/deep/er/x 1/names.txt/y.png 2.png 10.png no_suffix".split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_a_folder_is_walked_in_natural_order(folder: Path) -> None:
    found = list(walk_pictures([folder]))
    assert [file.inside for file in found] == PICTURES
    assert [Path(file.path) for file in found] == [folder / name for name in PICTURES]
    assert {file.source for file in found} == {0}
    assert list(find_pictures([folder])) == [file.path for file in found]


@pytest.mark.skipif(os.sep != "/", reason="there, the separator is written otherwise")
def test_a_slash_at_the_end_changes_nothing(folder: Path) -> None:
    assert list(find_pictures([folder])) == list(find_pictures([f"{folder}/"]))


def test_each_file_has_the_index_of_its_folder(folder: Path) -> None:
    single = str(folder / "1" / "a.png")
    sources = [single, str(folder / "1" / "deep"), "-", str(folder / "none.png"), str(folder / "1")]
    found = list(walk_pictures(sources))
    assert [file.source for file in found] == [-1, 1, -1, -1, 4, 4, 4, 4]
    assert found[0] == (single, "a.png", -1)
    assert found[1].inside == "er/x"
    assert found[2:4] == [("-", "-", -1), (sources[3], "none.png", -1)]


def test_a_file_that_is_named_is_tried_whatever_its_kind(folder: Path) -> None:
    names = [str(folder / name) for name in ("notes.txt", ".hidden.png")]
    assert list(find_pictures(names)) == names


def test_globs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert list(find_pictures(["*.png"])) == ["2.png", "10.png"]
    assert list(find_pictures(["**/*.png"]))[-2:] == ["2.png", "10.png"]
    # A folder that matches is walked, as when a shell expands the glob.
    assert list(find_pictures(["[0-9]*"])) == [*(os.path.normpath(p) for p in PICTURES[:-1])]
    assert list(find_pictures(["*.gif"])) == ["*.gif"]
    Path("a[1].png").touch()
    Path("a1.png").touch()
    assert list(find_pictures(["a[1].png"])) == ["a[1].png"]  # a file of that very name


def test_a_folder_without_pictures_stands_for_itself(tmp_path: Path) -> None:
    assert list(find_pictures([tmp_path])) == [str(tmp_path)]
    assert list(walk_pictures([tmp_path])) == []


def test_links(folder: Path) -> None:
    (folder / "1" / "round").symlink_to(folder)  # a circle, and a folder twice
    (folder / "link.png").symlink_to(folder / "2.png")
    (folder / "nowhere.png").symlink_to(folder / "none")
    assert [f.inside for f in walk_pictures([folder])] == [
        *PICTURES[:-1], "link.png", PICTURES[-1], "nowhere.png",
    ]  # fmt: skip
    assert len(list(find_pictures([folder / "1" / "round"]))) == 9  # but what is named is walked


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_a_folder_without_permission(folder: Path) -> None:
    (folder / "1").chmod(0)
    errors: list[OSError] = []
    assert [f.inside for f in walk_pictures([folder], errors)] == PICTURES[-3:]
    assert [Path(error.filename) for error in errors] == [folder / "1"]
    assert [f.inside for f in walk_pictures([folder])] == ["1", *PICTURES[-3:]]
    (folder / "1").chmod(0o700)


def test_folders_deeper_than_calls_may_be(tmp_path: Path) -> None:
    deep = str(tmp_path)
    descriptor = os.open(deep, os.O_RDONLY)
    try:
        for _ in range(300):
            os.mkdir("d", dir_fd=descriptor)
            inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        os.close(os.open("a.png", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    finally:
        os.close(descriptor)
    (found,) = walk_pictures([tmp_path])
    assert found.inside == "d/" * 300 + "a.png"


def test_the_first_pictures_come_before_all_are_known(folder: Path) -> None:
    """So that a list of millions is never in memory: a later folder is not looked into before."""
    found = find_pictures([folder / "1", folder])
    next(found)
    (folder / "new.png").touch()
    assert str(folder / "new.png") in list(found)


def test_natural_order() -> None:
    names = ["10", "9b", "9", "a10", "a9", "a", "2 (10)", "2 (9)"]
    assert sorted(names, key=natural) == ["2 (9)", "2 (10)", "9", "9b", "10", "a", "a9", "a10"]
