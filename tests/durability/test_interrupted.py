"""SIGINT and SIGTERM at random moments: status 130 or 143, and one line that says how to go on.

Three moments of a training and two of each other command; for twenty-five of each,

    python -m pytest tests/durability/test_interrupted.py --rounds 25

The first moment is when the program handles signals. Before that, for some hundredths of a second,
Python itself starts, and ends as it does.
"""

from __future__ import annotations

import random
import re
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from commands import Run
from digits.training import checkpoint
from durability.processes import Command, all_temporary, started, temporary_files, version

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

SIGNALS = {signal.SIGINT: (130, "Interrupted."), signal.SIGTERM: (143, "Terminated.")}


def _check(command: Command, number: int, said: str) -> None:
    """Send a signal, and check the end: `said` is a pattern of what follows the first word."""
    command.send(number)
    status, first = SIGNALS[signal.Signals(number)]
    assert command.wait() == status, command.said
    assert re.fullmatch(f"{first}{said}\n", command.said), command.said


@pytest.fixture
def signals() -> Iterator[int]:
    return cycle(SIGNALS)


def test_a_training_says_how_to_go_on(
    signals: Iterator[int],
    small: Path,
    rounds: Callable[[int], int],
    run: Run,
    tmp_path: Path,
) -> None:
    begin = ["train", "--arch", "dense", "--data", small, "--epochs", 10**6, "-o", "m.h5", "-q"]
    go_on = (
        r" (m-run/checkpoint\.h5 is the model after epoch \d+\. )?"
        r"Go on with: digits train --resume -o m\.h5"
    )
    path = tmp_path / "m-run" / checkpoint.NAME
    args = begin
    for number in range(rounds(3)):
        with started(tmp_path, *args) as command:
            assert command.wait_until(command.handles_signals)
            if number % 2:  # else while it starts, most probably
                before = version(path)
                command.wait_until(lambda before=before: version(path) != before)
                if random.random() < 0.5:
                    command.wait_until(temporary_files, path.parent, ".h5")
                assert command.let_run(0.2)
            else:
                assert command.let_run(4)
            if number % 2:
                said = go_on
            elif args == begin:
                said = rf"( Nothing was saved yet\.|{go_on})?"
            else:
                said = f"({go_on})?"  # not within the first second
            _check(command, next(signals), said)
        if path.exists():
            assert checkpoint.read(path).state.history
            args = ["train", "--resume", "-o", "m.h5", "-q"]
    epochs = len(checkpoint.read(path).state.history)
    done = run("train", "--resume", "--epochs", epochs + 1, "-o", "m.h5", "-q")
    assert done.returncode == 0, done.stderr
    assert not all_temporary(tmp_path)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("predict", ("predict", "pictures", "--format", "jsonl", "-o", "out.jsonl")),
        ("ingest", ("ingest", "pictures", "-o", "out.npz", "-q")),
        ("export-png", ("export-png", "out", "--data", "sample")),
    ],
)
def test_other_commands_end_with_one_line(
    name: str,
    args: tuple[str, ...],
    signals: Iterator[int],
    rounds: Callable[[int], int],
    run: Run,
    tmp_path: Path,
) -> None:
    assert run("export-png", "pictures", "--data", "sample", "--split", "test").returncode == 0
    outputs = {path.name for path in tmp_path.iterdir()} | {".out.npz.lock"}
    for _ in range(rounds(2)):
        with started(tmp_path, *args, "--overwrite") as command:
            assert command.wait_until(command.handles_signals)
            if command.let_run(1):
                _check(command, next(signals), "")
            else:  # it was faster
                assert command.wait() == 0
                outputs |= {path.name for path in tmp_path.iterdir()}
        # What cannot be cleaned up in time is left to the next run.
        leftovers = {path.name for path in temporary_files(tmp_path, "*")}
        assert {path.name for path in tmp_path.iterdir()} - leftovers <= outputs
    assert run(*args, "--overwrite").returncode == 0
    assert not all_temporary(tmp_path)
