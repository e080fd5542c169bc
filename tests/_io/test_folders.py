"""Folders are filled as a whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digits._io.files import write_text
from digits._io.folders import filling
from digits.errors import OutputError


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_nothing_is_there_before_all_is(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with filling(folder, overwrite=False) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "a").write_text("a")
        (stage / "b").write_text("b")
        assert not folder.exists()
    assert content(folder) == {"sub/a": "a", "b": "b"}
    assert list(folder.parent.iterdir()) == [folder]
    (tmp_path / "plain").mkdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_of_two_writers_of_a_new_folder_the_second_fails(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    first, second = (filling(folder, overwrite=True) for _ in range(2))
    with pytest.raises(OutputError, match="exists already"), second as stage:
        write_text(stage / "a", "second")
        with first as other:
            write_text(other / "a", "first")
    assert content(folder) == {"a": "first"}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, filling(tmp_path / "a" / "b", overwrite=True) as s:
        write_text(s / "file", "x")
        write_text(s / "file" / "below", "x")
    assert caught.value.path == str(tmp_path / "a" / "b" / "file" / "below")
    with pytest.raises(KeyboardInterrupt), filling(tmp_path, overwrite=True) as stage:
        write_text(stage / "file", "x")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def fill(folder: Path, overwrite: bool) -> None:
    with filling(folder, overwrite=overwrite) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "a").write_text("new")
        (stage / "c").write_text("c")


def test_files_are_joined_and_replaced_only_if_told(tmp_path: Path) -> None:
    old = {"sub/a": "old", "sub/b": "other"}
    (tmp_path / "sub").mkdir()
    for name, text in old.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(OutputError, match="exists already") as caught:
        fill(tmp_path, overwrite=False)
    assert caught.value.path == str(tmp_path / "sub" / "a")
    assert content(tmp_path) == old
    fill(tmp_path, overwrite=True)
    assert content(tmp_path) == {"sub/a": "new", "sub/b": "other", "c": "c"}
    (tmp_path / "c").unlink()
    (tmp_path / "c").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        fill(tmp_path, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"c", "sub"}


@pytest.mark.skipif(os.name == "nt", reason="needs locks of POSIX")
def test_one_at_a_time_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from digits._io.folders import filling\n"
        "with filling(sys.argv[1], overwrite=True) as stage:\n"
        "    (stage / 'half').touch(); print('writing', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], text=True, **pipes) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "writing\n"
        with pytest.raises(OutputError, match="another process is writing to it"):
            fill(tmp_path, overwrite=True)
        other.kill()
        other.wait()
    assert len(list(tmp_path.iterdir())) == 1
    fill(tmp_path, overwrite=False)
    assert content(tmp_path) == {"sub/a": "new", "c": "c"}
