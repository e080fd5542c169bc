"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from digits._io.files import (
    backup_of,
    check_writable,
    os_reason,
    output_error,
    read_error,
    refuse_existing,
    replacing,
    write_text,
)
from digits.errors import DataError, OutputError, PictureError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for content in ("1", "2", "3"):
        with replacing(path, backup=True) as temporary:
            temporary.write_text(content)
    assert path.read_text() == "3"
    assert backup_of(path).read_text() == "2"
    assert len(list(tmp_path.iterdir())) == 2


def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "ours", "")
    (tmp_path / "plain").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "a.txt", Path("/proc/nothing/a.txt")):
        with pytest.raises(OutputError, match="cannot write"):
            write_text(place, "x")
        with pytest.raises(OutputError, match="cannot write"):
            check_writable(place)
    with pytest.raises(OutputError, match="exists already"):
        refuse_existing(tmp_path / "file", overwrite=False)
    refuse_existing(tmp_path / "file", overwrite=True)


def test_errors_are_data(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_text(tmp_path, "x")
    error = caught.value
    assert (error.problem, error.path) == ("cannot write: is a folder", str(tmp_path))
    assert str(error) == f"{tmp_path}: cannot write: is a folder. It is a folder: give a file name."
    full = output_error("a.npz", OSError(errno.ENOSPC, "No space left on device"))
    assert (full.problem, full.path) == ("cannot write: no space left on device", "a.npz")
    assert full.remedy.startswith("Free some space")


def test_errors_of_reading(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "missing").read_bytes()
    error = read_error(PictureError, tmp_path / "missing", caught.value)
    assert isinstance(error, PictureError)
    assert (error.problem, error.remedy, error.path) == (
        "cannot read: no such file or directory", "Check the path", str(tmp_path / "missing")
    )  # fmt: skip
    with pytest.raises(ValueError, match="null") as other:
        Path("a\0b").read_bytes()
    assert read_error(DataError, None, other.value).problem == "cannot read: embedded null byte"
    assert os_reason(OSError("Something else")) == "something else"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the file size is the full disk that a test can have."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = f"""
import resource, signal
from digits._io.files import write_bytes
from digits.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_bytes({str(path)!r}, bytes(100_000))
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
