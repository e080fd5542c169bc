"""A training that is killed again and again ends with the weights of one that never was.

Killed at random moments, and in the middle of saving: one or two kills for each family; for fifty,

    python -m pytest tests/durability/test_killed_training.py --rounds 50
"""

from __future__ import annotations

import os
import random
import re
import tempfile
from collections.abc import Callable
from itertools import count, cycle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from commands import Run
from digits import Recognizer, train
from digits.models import file as model_file
from digits.models.families import FAMILIES
from digits.training import checkpoint
from durability.processes import Command, all_temporary, started, temporary_files, version

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(os.name == "nt", reason="needs terminals and SIGKILL"),
]

OPTIONS: dict[str, Any] = {
    "epochs": 8, "batch_size": 50, "validation_fraction": 0.2, "seed": 3
}  # fmt: skip
MODEL, RUN = Path("m.h5"), Path("m-run")
CHECKPOINT = RUN / checkpoint.NAME

Moment = Callable[[Path, Command], bool]


def _while_it_saves_a_checkpoint(folder: Path, command: Command) -> bool:
    for _ in range(random.randint(1, 3)):
        if not command.wait_until(lambda: not temporary_files(folder / RUN, ".h5")):
            return False
        if not command.wait_until(temporary_files, folder / RUN, ".h5"):
            return False
    return command.let_run(0.03)


def _between_checkpoints(folder: Path, command: Command) -> bool:
    for _ in range(random.randint(1, 3)):
        before = version(folder / CHECKPOINT)
        if not command.wait_until(lambda before=before: version(folder / CHECKPOINT) != before):
            return False
    return command.let_run(0.3)


def _while_it_saves_the_model(folder: Path, command: Command) -> bool:
    return command.wait_until(temporary_files, folder, ".h5") and command.let_run(0.03)


def _while_it_starts(folder: Path, command: Command) -> bool:
    return command.let_run(6)


def _after_it_saved_the_model(folder: Path, command: Command) -> bool:
    before = version(folder / MODEL)
    return command.wait_until(lambda: version(folder / MODEL) != before) and command.let_run(1)


MOMENTS: tuple[Moment, ...] = (
    _while_it_saves_a_checkpoint,
    _while_it_saves_the_model,
    _between_checkpoints,
    _while_it_starts,
    _after_it_saved_the_model,
)


def _weights(path: Path) -> list[bytes]:
    return [w.tobytes() for w in keras.models.load_model(path, compile=False).get_weights()]


@pytest.mark.parametrize("family", FAMILIES)
def test_it_ends_as_if_it_had_not_been_killed(
    family: str,
    models: dict[str, Path],
    small: Path,
    rounds: Callable[[int], int],
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = train(family, small, **OPTIONS)
    expected = [weights.tobytes() for weights in whole.model.get_weights()]
    older = models[family].read_bytes()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    begin = ("train", "--arch", family, "--data", small, *options, "-o", MODEL)
    go_on = ("train", "--resume", "-o", MODEL)
    moments, left = cycle(MOMENTS), rounds(2 if family == "dense" else 1)
    folders = (tmp_path / str(number) for number in count())
    while left:
        folder = next(folders)
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        (folder / MODEL).write_bytes(older)
        finished = False
        while left and not finished:
            known = _epochs(folder)
            args = begin if known is None else go_on
            scratch_of_it = {"TMPDIR": str(scratch)}
            with started(folder, *args, terminal=True, env=scratch_of_it) as command:
                if next(moments)(folder, command):
                    command.kill()
                    left -= 1
                finished = command.wait() == 0
            _check_what_is_left(folder, known, command.said, older, expected)
        if not finished:
            monkeypatch.setattr(tempfile, "tempdir", str(scratch))
            done = run(*(begin if _epochs(folder) is None else go_on), cwd=folder)
            assert done.returncode == 0, done.stderr
        assert _weights(folder / MODEL) == expected
        ended = model_file.read(folder / MODEL).metadata
        assert ended.test == whole.metadata.test
        assert [e.loss for e in ended.history] == [e.loss for e in whole.history]
        assert not all_temporary(folder)


def _epochs(folder: Path) -> int | None:
    """Whole epochs in the checkpoint, of which every byte is checked; None if there is none."""
    path = folder / CHECKPOINT
    return len(checkpoint.read(path).state.history) if path.exists() else None


def _check_what_is_left(
    folder: Path, known: int | None, shown: str, older: bytes, expected: list[bytes]
) -> None:
    """Check what a killed training leaves.

    Args:
        folder: Where it was.
        known: Whole epochs in the checkpoint when it was started.
        shown: On its terminal.
        older: The content of the model that was there before.
        expected: The weights in the end.
    """
    epochs = _epochs(folder)
    began = [int(epoch) for epoch in re.findall(r"epoch (\d+) of \d", shown)]
    assert (epochs or 0) >= max([known or 0, *(epoch - 1 for epoch in began)])
    if epochs is not None:
        assert all(np.isfinite(w).all() for w in _loaded(folder / CHECKPOINT))
    if (folder / MODEL).read_bytes() == older:
        assert Recognizer(folder / MODEL).file
    else:
        assert _weights(folder / MODEL) == expected
        assert (folder / f"{MODEL}.bak").read_bytes() == older


def _loaded(path: Path) -> list[Any]:
    weights: list[Any] = keras.models.load_model(path, compile=False).get_weights()
    return weights
