"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
        with replacing(path, disposable=lambda backup: True) as temporary:
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


def test_of_two_writers_of_a_new_file_the_second_fails(tmp_path: Path) -> None:
    """Whether there is one is decided when the file appears, not when the work begins."""
    path = tmp_path / "a.txt"
    with pytest.raises(OutputError, match="exists already"), replacing(path, overwrite=False) as a:
        a.write_text("second")
        with replacing(path, overwrite=False) as b:
            b.write_text("first")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_drops_only_what_may_be_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("not ours")
    for content in ("ours 1", "ours 2", "ours 3"):
        ours = lambda backup: backup.read_text().startswith("ours")  # noqa: E731
        with replacing(path, disposable=ours) as temporary:
            temporary.write_text(content)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"a.txt": "ours 3", "a.txt.bak": "not ours", "a.txt.bak2": "ours 2"}


needs_devices = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="needs root, who may make devices"
)


def device(path: Path, minor: int) -> Path:
    """A device of the memory driver: 3 is that of /dev/null, 7 that of /dev/full."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        path.open("rb").close()
    except OSError:
        pytest.skip("this system lets nobody make devices")
    return path


@needs_devices
def test_a_device_is_written_into(tmp_path: Path) -> None:
    null, full = device(tmp_path / "null", 3), device(tmp_path / "full", 7)
    for path in (null, full):
        refuse_existing(path, overwrite=False)  # nothing of it can be lost
        check_writable(path)
    write_text(null, "gone")
    with pytest.raises(OutputError, match="cannot write: no space left on device"):
        write_text(full, "too much")
    assert all(stat.S_ISCHR(path.stat().st_mode) for path in (null, full))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="has other pipes and sockets")
def test_a_pipe_is_written_into_and_a_socket_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_text)
        write_text(tmp_path / "pipe", "through")
        assert read.result(60) == "through"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with socket.socket(socket.AF_UNIX) as server:
        with contextlib.chdir(tmp_path):  # its path may have 108 bytes
            server.bind("socket")
        for attempt in (check_writable, lambda path: write_text(path, "")):
            with pytest.raises(OutputError, match="cannot write: is a socket"):
                attempt(tmp_path / "socket")
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
def test_stdout_goes_on_where_it_is(tmp_path: Path) -> None:
    """Also if it is a file, which opening /dev/stdout would begin again."""
    code = (
        "from digits._io.files import write_text; print('before')\n"
        "write_text('/dev/stdout', 'it\\n'); print('after')"
    )
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "before\nit\nafter\n"
    piped = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert piped.stdout == b"before\nit\nafter\n"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_remains_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.txt", tmp_path / "link.txt"
    link.symlink_to(real)
    for content in ("new", "newer"):
        write_text(link, content)
        assert link.is_symlink()
        assert real.read_text() == content
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "a", "")


def test_the_longest_names(tmp_path: Path) -> None:
    longest = tmp_path / ("n" * 251 + ".txt")
    write_text(longest, "x")
    assert longest.read_text() == "x"
    with pytest.raises(OutputError, match=r"too long\. Choose a shorter name"):
        write_text(tmp_path / ("n" * 252 + ".txt"), "x")
