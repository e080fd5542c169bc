"""Standard streams that are closed, full, or read no further, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from commands import process_environment
from digits import Splits
from digits.data.formats.npz import save_npz
from drawing import png

COMMANDS = {
    "help": ["--help"],
    "predict": ["predict", "a.png", "--format", "csv"],
    "read": ["read", "a.png"],
    "models": ["models"],
    "data info": ["data", "info", "--data", "a.npz"],
    "ingest": ["ingest", "7", "-o", "out.npz"],
}
CLOSED = "Error: stdout: cannot write: it is closed."
FULL = "Error: stdout: cannot write: no space left on device."


@pytest.fixture
def folder(tmp_path: Path, sample: Splits) -> Path:
    content = png(sample["test"].images[7])
    (tmp_path / "a.png").write_bytes(content)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "a.png").write_bytes(content)
    save_npz(Splits("a", {"all": sample["test"].limit(20)}), tmp_path / "a.npz")
    return tmp_path


def run(folder: Path, args: list[str], redirection: str) -> subprocess.CompletedProcess[str]:
    """Run `digits` by a shell with this redirection."""
    script = f'exec "$0" -W error -m digits "$@" {redirection}'
    return subprocess.run(
        ["bash", "-c", script, sys.executable, *args],
        cwd=folder, env=process_environment(folder), capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_results_that_cannot_be_written_are_one_error(folder: Path, command: str) -> None:
    for redirection, says in ((">&-", CLOSED), (">/dev/full", FULL), ("<&- >&-", CLOSED)):
        (folder / "out.npz").unlink(missing_ok=True)
        done = run(folder, COMMANDS[command], redirection)
        assert done.returncode == 1, redirection
        assert done.stderr.startswith(says), redirection
        assert done.stderr.count("\n") == 1, redirection


@pytest.mark.parametrize("command", COMMANDS)
def test_notes_that_cannot_be_written_cost_nothing(folder: Path, command: str) -> None:
    expected = run(folder, COMMANDS[command], "")
    assert expected.returncode == 0
    for redirection in ("2>&-", "2>/dev/full", "<&-", "<&- 2>&-"):
        (folder / "out.npz").unlink(missing_ok=True)
        done = run(folder, COMMANDS[command], redirection)
        assert (done.returncode, done.stdout) == (0, expected.stdout), redirection


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_failure_that_nobody_can_read_still_has_its_status(
    folder: Path, redirection: str
) -> None:
    assert run(folder, ["predict", "none.png"], redirection).returncode == 1
    assert run(folder, ["predct"], redirection).returncode == 2


def test_what_is_meant_for_a_closed_stderr_lands_in_no_file(folder: Path) -> None:
    """Whose descriptor the next file to be opened would get."""
    args = ["predict", "a.png", "none.png", "--format", "csv", "-o", "out.csv"]
    assert run(folder, args, "2>&-").returncode == 1
    assert "Error" not in (folder / "out.csv").read_text()
    assert (folder / "out.csv").read_text().count("\n") == 3
