"""Hostile and damaged model files: one error, soon, and nothing in them is executed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from commands import Run
from digits import Recognizer
from digits.errors import ModelError
from digits.models.foreign.hdf5 import extract
from models.foreign import sandbox
from models.foreign.hostile import KINDS, TRACE, Kind, mutants
from models.foreign.keras_files import dense_model, write_h5

MUTANTS = 300


def _outcomes(paths: list[Path], folder: Path) -> list[str | None]:
    """What reading each file ends in; all of them in one sandbox."""
    done = subprocess.run(
        [sys.executable, sandbox.__file__],
        input=json.dumps(list(map(str, paths))),
        env=os.environ | {"HDF5_PLUGIN_PRELOAD": "::"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_bad_file_is_one_error_and_is_not_executed(tmp_path: Path) -> None:
    def written(kind: Kind, folder: Path) -> Path:
        folder.mkdir()
        return kind.write(folder)

    paths = [written(kind, tmp_path / str(number)) for number, kind in enumerate(KINDS)]
    outcomes = dict(zip(KINDS, _outcomes(paths, tmp_path), strict=True))
    wrong = {
        kind: error
        for kind, error in outcomes.items()
        if error is None or "\n" in error or not re.search(kind.message, error)
    }
    assert not wrong
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 150
    assert not list(tmp_path.rglob(TRACE))


def test_random_damage_is_an_error_or_harmless(tmp_path: Path) -> None:
    valid = write_h5(tmp_path / "valid.h5", *dense_model()).read_bytes()
    paths = [tmp_path / f"{number}.h5" for number in range(MUTANTS)]
    for path, damaged in zip(paths, mutants(valid, MUTANTS), strict=True):
        path.write_bytes(damaged)
    errors = [error for error in _outcomes(paths, tmp_path) if error]
    assert not [error for error in errors if "\n" in error]
    assert not [error for error in errors if "not a ModelError" in error or "NaN got" in error]
    assert 30 < len(errors) < 270  # most damage hits weights or records; some hits nothing


@pytest.mark.parametrize(
    "name",
    ["lambda with marshalled code", "external storage", "0 bytes", "cut at 50.0%", "pipe",
     "name that writes on the terminal", "link to itself", "name too long"],
)  # fmt: skip
def test_the_command_reports_one_line(name: str, run: Run, tmp_path: Path) -> None:
    (kind,) = [kind for kind in KINDS if kind.name == name]
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((28, 28), np.uint8))
    done = run("predict", "x.png", "--model", kind.write(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert re.search(kind.message, line)
    assert "\x1b" not in line
    assert not (tmp_path / TRACE).exists()


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "secret.h5", *dense_model())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ModelError, match="cannot read"):
        Recognizer(path)


def test_modules_beside_the_file_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with a model may hold more: files that are named like what we import."""
    path = write_h5(tmp_path / "model.h5", *dense_model())
    for name in ("h5py", "numpy", "keras", "tensorflow", "digits", "json", "resource"):
        (tmp_path / f"{name}.py").write_text(f"open({TRACE!r}, 'w').close()")
    monkeypatch.chdir(tmp_path)
    network, weights = extract(path)
    assert len(network.layers) == len(weights) == 2
    assert not (tmp_path / TRACE).exists()
