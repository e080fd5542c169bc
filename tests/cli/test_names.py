"""Names from outside: no terminal obeys them, a row stays a row, and machine formats are exact."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from commands import Run
from digits import Splits
from drawing import png

NAMES = [
    b"a\x1b[31mred.png", b"new\nError: line.png", b"return\r.png", b"bytes\xff\xfe.png",
    "left\u202egnp.png".encode(), b'quo"te, comma.png', b"<b>bold.png", b"tab\t.png",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, sample: Splits) -> Path:
    """Pictures of a 7 with these names, and one file that is no picture."""
    place = tmp_path / "7"
    place.mkdir()
    index = sample["test"].labels.tolist().index(7)
    for name in NAMES:
        (place / os.fsdecode(name)).write_bytes(png(sample["test"].images[index]))
    (place / "broken\x1b]0;title\x07\n.png").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.parametrize("variables", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
@pytest.mark.parametrize("command", ["predict", "read"])
def test_text_has_a_row_for_each(
    run_process: Run, folder: Path, command: str, variables: dict[str, str]
) -> None:
    for charset in ("utf-8", "ascii"):
        done = run_process(command, "7", env=variables, charset=charset)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == len(NAMES)
        assert done.stderr.startswith("Error: 7/broken?]0;title??.png: the file is not a picture.")
        assert done.stderr.count("\n") == 1
        assert all(line.isprintable() for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", ["predict", "read"])
def test_machine_formats_are_exact(run: Run, folder: Path, command: str) -> None:
    expected = {os.fsdecode(b"7/" + name) for name in NAMES}
    rows = [json.loads(line) for line in run(command, "7", "--format", "jsonl").stdout.splitlines()]
    assert {row["path"] for row in rows if "error" not in row} == expected
    table = io.StringIO(run(command, "7", "--format", "csv").stdout, newline="")
    decodable = {name for name in expected if name.isascii() or "\u202e" in name}
    assert decodable <= {row["path"] for row in csv.DictReader(table) if not row["error"]}


def test_everything_that_is_made_of_them(run: Run, folder: Path) -> None:
    """Sets, sheets, reports and drawings, with such names of their own."""
    name = os.fsdecode(b"set\n\xff\x1b[31m")
    done = run("ingest", "7", "-o", f"{name}.npz", "--sheet", f"{name}.png")
    assert done.returncode == 1  # one is no picture
    assert done.stdout.startswith("wrote set???[31m.npz: ")
    assert run("eval", "--data", f"{name}.npz", "--split", "all", "--report", name).returncode == 0
    assert run("export-png", f"{name} pictures", "--data", f"{name}.npz").returncode == 0
    assert run("data", "info", "--data", f"{name}.npz").returncode == 0
    done = run("predict", "7", "--show", "seen.png")
    assert done.stderr.count("\n") == 1
