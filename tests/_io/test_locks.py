"""One writer at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digits._io.locks import claim, exclusive, is_claimed
from digits.errors import OutputError

CODE = """
import sys
from digits._io import locks
with locks.exclusive(sys.argv[1]):
    claim = locks.claim(sys.argv[1])
    if sys.argv[2] == "exclusive":
        print("locked", flush=True)
        sys.stdin.read()
print("locked", flush=True)
sys.stdin.read()
"""


def holder(path: Path, how: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", CODE, path, how], text=True, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_writer_gives_up_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npz"
    with holder(path, "exclusive") as first:
        waiting = pytest.raises(OutputError, match="another process is writing to it")
        with waiting as caught, exclusive(path, timeout=0.1):
            pass
        assert caught.value.path == str(path)
        first.kill()
        first.wait()
        with exclusive(path, timeout=0.1):
            assert not is_claimed(path)


def test_a_link_has_the_lock_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to(tmp_path / "real.npz")
    with holder(tmp_path / "link.npz", "exclusive") as first:
        with pytest.raises(OutputError), exclusive(tmp_path / "real.npz", timeout=0):
            pass
        first.kill()


def test_claims_last_as_long_as_their_process(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with holder(path, "claim") as one, holder(path, "claim") as two:
        for process in (one, two):
            with exclusive(path):
                assert is_claimed(path)
            process.kill()
            process.wait()
    with exclusive(path):
        assert not is_claimed(path)
        ours = claim(path)
        assert is_claimed(path)
        ours.release()
        assert not is_claimed(path)
        assert not is_claimed(tmp_path / "b.npz")
