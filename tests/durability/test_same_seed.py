"""The same seed gives the same weights, bit for bit, in one process after another.

One preset is trained here and in a new process; test_killed_training.py, which does that with each
family, compares these too. For every preset, here and in nine new processes (half an hour),

    python -m pytest tests/durability/test_same_seed.py --rounds 10
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from commands import Run
from digits.training.presets import DEFAULT_PRESET, PRESETS

pytestmark = pytest.mark.heavy

CODE = """
import json, sys
from digits.cli import main

for args in json.load(sys.stdin):
    try:
        main(args)
    except SystemExit as end:
        assert not end.code, args
"""


def _command(family: str, preset: str, data: Path, folder: Path) -> list[str]:
    options = ["--epochs", "1", "--seed", "3", "--augment", "-q"]
    output = ["-o", str(folder / f"{family}-{preset}.h5")]
    return ["train", "--arch", family, "--preset", preset, "--data", str(data), *output, *options]


def _digests(folder: Path) -> dict[str, str]:
    """By its name, a digest of the weights of each model in a folder."""
    return {path.name: _digest(path) for path in folder.glob("*.h5")}


def _digest(path: Path) -> str:
    weights = keras.models.load_model(path, compile=False).get_weights()
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def test_the_same_seed_gives_the_same_weights(
    small: Path, rounds: Callable[[int], int], run: Run, tmp_path: Path
) -> None:
    recipes = [
        (family, preset)
        for family, presets in PRESETS.items()
        for preset in presets
        if rounds(0) or (family, preset) == ("dense", DEFAULT_PRESET)
    ]
    for recipe in recipes:
        done = run(*_command(*recipe, small, tmp_path / "here"))
        assert done.returncode == 0, done.stderr
    expected = _digests(tmp_path / "here")
    assert len(set(expected.values())) == len(recipes)
    for number in range(2, rounds(2) + 1):
        # In another order: nothing may depend on what the process did before.
        recipes.reverse()
        folder = tmp_path / str(number)
        commands = [_command(*recipe, small, folder) for recipe in recipes]
        subprocess.run(
            [sys.executable, "-c", CODE],
            input=json.dumps(commands),
            text=True,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        assert _digests(folder) == expected, f"process {number}"
