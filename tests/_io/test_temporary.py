"""What killed processes leave is removed, and nothing of the living."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from digits._io.files import write_text
from digits._io.temporary import remove_leftovers, temporary_file, temporary_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs locks of POSIX")

CODE = """
import sys
import threading
from pathlib import Path
from digits._io.files import replacing
with replacing(Path(sys.argv[1]) / "a.txt") as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writer(folder: Path) -> subprocess.Popen[str]:
    """A process that has written a half of `a.txt` in `folder`, and waits for its stdin to end."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", CODE, folder], text=True, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_leftovers_of_the_killed_are_removed_and_the_living_left_alone(tmp_path: Path) -> None:
    with writer(tmp_path) as killed, writer(tmp_path) as living:
        killed.kill()
        killed.wait()
        assert len(list(tmp_path.iterdir())) == 2
        write_text(tmp_path / "b.txt", "whole")
        assert len(list(tmp_path.iterdir())) == 2  # one is b.txt
        living.communicate("")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "a.txt": "half", "b.txt": "whole"
    }  # fmt: skip


def test_folders_too(tmp_path: Path) -> None:
    left = tmp_path / ".digits-0123abcd"
    (left / "sub").mkdir(parents=True)
    (left / "sub" / "file").touch()
    with temporary_folder(tmp_path) as ours, temporary_file(tmp_path, ".npz") as file:
        remove_leftovers(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([ours, file])
        assert file.suffix == ".npz"
    assert not list(tmp_path.iterdir())


def test_what_was_complete_is_moved_and_no_link_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    left = folder / ".digits-0123abcd.complete"
    for inside in ("new", "old", "link"):
        (left / inside).mkdir(parents=True)
        (left / inside / "file").write_text("moved")
    (folder / "old").mkdir()
    (folder / "old" / "other").touch()
    elsewhere.mkdir()
    (folder / "link").symlink_to(elsewhere)
    remove_leftovers(folder)
    assert (folder / "new" / "file").read_text() == "moved"
    assert {path.name for path in (folder / "old").iterdir()} == {"file", "other"}
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("name", [".digits-0123abcd-mine", ".digits-mine", "digits-0123abcd"])
def test_files_of_others_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert (tmp_path / name).exists()


def test_new_ones_are_made_while_others_look_for_leftovers(tmp_path: Path) -> None:
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            remove_leftovers(tmp_path)

    other = threading.Thread(target=look)
    other.start()
    try:
        for _ in range(500):
            with temporary_file(tmp_path) as file, temporary_folder(tmp_path) as folder:
                assert file.exists()
                assert folder.exists()
    finally:
        ended.set()
        other.join()
    assert not list(tmp_path.iterdir())
