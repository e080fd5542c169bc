"""A full disk is one line with path and reason; nothing older is lost, and with room all goes on.

The disk is a real one of a few megabytes, in memory, which only root may mount.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Finished, Run
from digits import OutputError, Splits, load, train
from digits.models import file as model_file
from digits.training import checkpoint
from durability.processes import all_temporary
from web.server import serving_here

pytestmark = pytest.mark.heavy

FULL = "no space left on device"


class Disk:
    """A small file system, which can be filled and emptied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self, free: int = 0) -> None:
        """Fill it, but for so many bytes."""
        with self._filling.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(self._filling, max(0, self._filling.stat().st_size - free))

    def empty(self) -> None:
        self._filling.unlink()

    def content(self) -> dict[str, bytes]:
        """All files but locks, which are empty and stay."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in files
            if path != self._filling and path.suffix != ".lock"
        }


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() or not mount:
        pytest.skip("needs root on Linux, who may mount a file system")
    options = ["-t", "tmpfs", "-o", "size=64m", "digits", str(folder)]
    done = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this system mounts no file system: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _check_refused(done: Finished, beginning: str, reason: str = FULL) -> None:
    """Check that it failed with one line, which names the path and the reason."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: {beginning}")
    assert reason in line


def test_a_training_does_not_begin_without_room(
    disk: Disk, run: Run, small: Path, models: dict[str, Path]
) -> None:
    args = ("train", "--arch", "dense", "--data", small, "--epochs", 1, "-q", "-o", "m.h5")
    (disk.folder / "m.h5").write_bytes(older := models["dense"].read_bytes())
    disk.fill(1_000_000)
    before = disk.content()
    _check_refused(run(*args, cwd=disk.folder), "m-run/checkpoint.h5:", "not enough room")
    assert disk.content() == before
    disk.empty()
    assert run(*args, cwd=disk.folder).returncode == 0
    assert disk.content()["m.h5.bak"] == older


def test_a_training_goes_on_when_there_is_room_again(disk: Disk, run: Run, small: Path) -> None:
    path = disk.folder / "m-run" / checkpoint.NAME
    ended = threading.Event()

    def fill_after_a_checkpoint() -> None:
        while not path.exists() and not ended.wait(0.001):
            pass
        disk.fill(1_000_000)

    filler = threading.Thread(target=fill_after_a_checkpoint)
    filler.start()
    args = ("train", "--arch", "dense", "--data", small, "--epochs", 10**6, "-q", "-o", "m.h5")
    done = run(*args, cwd=disk.folder)
    ended.set()
    filler.join()
    _check_refused(done, "m-run/checkpoint.h5:")
    assert not all_temporary(disk.folder)
    epochs = len(checkpoint.read(path).state.history)
    assert epochs
    disk.empty()
    go_on = ("train", "--resume", "--epochs", epochs + 1, "-q", "-o", "m.h5")
    done = run(*go_on, cwd=disk.folder)
    assert done.returncode == 0, done.stderr
    assert len(checkpoint.read(path).state.history) == epochs + 1


def test_a_trained_model_is_saved_elsewhere(
    disk: Disk,
    small: Path,
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = disk.folder / "m.h5"
    path.write_bytes(models["dense"].read_bytes())
    trained = train("dense", small, epochs=1)
    disk.fill(1_000_000)
    before = disk.content()
    with pytest.raises(OutputError, match=FULL) as caught:
        trained.save_or_rescue(path)
    assert disk.content() == before
    assert not all_temporary(disk.folder)
    (rescued,) = tmp_path.glob("digits-*/m.h5")
    assert str(rescued) in caught.value.remedy
    assert model_file.read(rescued).metadata.history == trained.history
    disk.empty()
    trained.save(path)
    assert model_file.read(path).metadata.history == trained.history


def test_no_room_for_temporary_files(
    disk: Disk, run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    args = ("train", "--arch", "dense", "--data", small, "--epochs", 1, "-q", "-o", "m.h5")
    disk.fill(1_000_000)
    _check_refused(run(*args), str(disk.folder), "cannot write a temporary file")
    assert not disk.content()
    assert not list(tmp_path.rglob("*.h5"))


COMMANDS: dict[str, tuple[str, ...]] = {
    "ingest": ("ingest", "../pictures", "-q", "--overwrite", "-o", "out.npz"),
    "join": ("data", "join", "../small.npz", "../more.npz", "--overwrite", "-o", "out.npz"),
    "export-png": ("export-png", "out", "--data", "../small.npz", "--overwrite"),
    "report": ("eval", "-m", "../m.h5", "--data", "../small.npz", "--report", "out"),
    "results": ("eval", "-m", "../m.h5", "--data", "../small.npz", "--overwrite", "-o", "out.txt"),
    "predict": ("predict", "../pictures", "--format", "jsonl", "--overwrite", "-o", "out.jsonl"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_older_files_stay(
    name: str, disk: Disk, run: Run, small: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copy(models["dense"], tmp_path / "m.h5")
    shutil.copy(small, tmp_path / "small.npz")
    shutil.copy(small, tmp_path / "more.npz")
    assert run("export-png", "pictures", "--data", "small.npz", "--limit", 50).returncode == 0
    done = run(*COMMANDS[name], cwd=disk.folder)
    assert done.returncode == 0, done.stderr
    before = disk.content()
    for free in (0, sum(map(len, before.values())) // 2):
        disk.fill(free)
        _check_refused(run(*COMMANDS[name], cwd=disk.folder), "out")
        assert disk.content() == before
        assert not all_temporary(disk.folder)
        disk.empty()
    done = run(*COMMANDS[name], cwd=disk.folder)
    assert done.returncode == 0, done.stderr


def test_digits_that_the_page_keeps(disk: Disk, sample: Splits) -> None:
    digit = {"pixels": sample["test"].images[0].tolist(), "label": 7}
    with serving_here(disk.folder, "dense") as server:
        assert server.send_json("/api/mine", digit).status == 201
        disk.fill()
        before = disk.content()
        refused = server.send_json("/api/mine", digit)
        assert refused.status == 409
        assert f"mine.npz: cannot write: {FULL}" in refused.json["detail"]
        assert disk.content() == before
        assert not all_temporary(disk.folder)
        disk.empty()
        assert server.send_json("/api/mine", digit).status == 201
    assert len(load(disk.folder / "mine.npz")["all"]) == 2
