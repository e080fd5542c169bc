"""Commands with worker processes, killed at random moments: their output is whole or as before.

Three kills of each; for fifty,

    python -m pytest tests/durability/test_killed_outputs.py --rounds 50
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from commands import Run
from durability.processes import Command, all_temporary, files_below, started, temporary_files

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL and process groups"),
]

PICTURES = 1000


def _content(path: Path) -> dict[str, bytes] | None:
    """What is in a file or folder, without temporary files; None if there is nothing."""
    if path.is_file():
        return {"": path.read_bytes()}
    hidden = set(temporary_files(path)) | set(temporary_files(path, ".complete"))
    files = [file for file in path.rglob("*") if file.is_file() and not hidden & {*file.parents}]
    return {str(file.relative_to(path)): file.read_bytes() for file in files} or None


def _is_killed(command: Command, number: int, writes: Callable[[], object]) -> bool:
    """Kill a command at any moment, or every second time while it writes its output."""
    if number % 2:
        reached = command.wait_until(writes) and command.let_run(0.02)
    else:
        reached = command.let_run(2)
    return reached and command.kill() != 0


def test_ingest(rounds: Callable[[int], int], run: Run, tmp_path: Path) -> None:
    run("export-png", "pictures", "--data", "sample", "--split", "test")
    args = ("ingest", tmp_path / "pictures", "-q", "--overwrite", "-o", "out.npz")
    assert run(*args).returncode == 0
    whole = (tmp_path / "out.npz").read_bytes()
    for number in range(rounds(3)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path, before = folder / "out.npz", None
        if number % 4 in (1, 2):
            path.write_bytes(before := b"a data set")
        with started(folder, *args) as command:
            killed = _is_killed(command, number, partial(temporary_files, folder, ".npz"))
            assert killed or command.wait() == 0
        left = path.read_bytes() if path.exists() else None
        assert left == whole or (killed and left == before)
        assert run(*args, cwd=folder).returncode == 0
        assert path.read_bytes() == whole
        assert not all_temporary(folder)


def test_export_png(rounds: Callable[[int], int], run: Run, tmp_path: Path) -> None:
    flat = ("--name", "{split}_{index}_{label}.png")  # all files in one folder
    args = ("export-png", "out", "--data", "sample", "--split", "test", *flat)
    assert run(*args).returncode == 0
    whole = _content(tmp_path / "out")
    assert whole
    assert len(whole) == PICTURES
    for number in range(rounds(3)):
        folder = tmp_path / str(number)
        path = folder / "out"
        folder.mkdir()
        enough = random.choice([1, PICTURES // 2, PICTURES])

        def has_enough(folder: Path = folder, enough: int = enough) -> bool:
            return files_below(folder) >= enough

        with started(folder, *args) as command:
            killed = _is_killed(command, number, has_enough)
            assert killed or command.wait() == 0
        left = _content(path)
        assert left == whole or (killed and left is None)
        assert run(*args, cwd=folder).returncode == (0 if left is None else 1)
        assert _content(path) == whole
        assert not all_temporary(folder)
