"""The same seed gives the same weights, bit for bit, in one process after another.

Two processes train one preset of each family; for ten that train every preset (20 minutes),

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


def _trained(recipes: list[tuple[str, str]], data: Path, folder: Path) -> dict[str, str]:
    """Train in a new process, one recipe after another; a digest of the weights of each."""
    folder.mkdir()
    paths = [folder / f"{family}-{preset}.h5" for family, preset in recipes]
    options = ["--data", str(data), "--epochs", "1", "--seed", "3", "--augment", "-q"]
    commands = [
        ["train", "--arch", family, "--preset", preset, "-o", str(path), *options]
        for (family, preset), path in zip(recipes, paths, strict=True)
    ]
    subprocess.run(
        [sys.executable, "-c", CODE],
        input=json.dumps(commands),
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return {path.stem: _digest(path) for path in paths}


def _digest(path: Path) -> str:
    weights = keras.models.load_model(path, compile=False).get_weights()
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def test_the_same_seed_gives_the_same_weights(
    small: Path, rounds: Callable[[int], int], tmp_path: Path
) -> None:
    every = rounds(0) > 0
    recipes = [
        (family, preset)
        for family, presets in PRESETS.items()
        for preset in presets
        if every or preset == DEFAULT_PRESET
    ]
    first = _trained(recipes, small, tmp_path / "first")
    assert len(set(first.values())) == len(recipes)
    for number in range(1, rounds(2)):
        # In another order: nothing may depend on what the process did before.
        recipes.reverse()
        assert _trained(recipes, small, tmp_path / f"{number}") == first, f"process {number + 1}"
