"""Bad model files: one error line, soon, and nothing in them is executed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hostile import KINDS, TRACE, Kind, mutants, own_kinds, with_section
from keras_files import dense_model, write_h5

from conftest import Run
from digits import Recognizer, Splits
from digits.errors import ModelError
from digits.models._keras import import_keras
from digits.models.file import read
from digits.models.foreign.hdf5 import extract
from digits.models.foreign.rebuild import load_model
from digits.quiet import native_stderr_silenced

SECONDS = 10
WORKERS = 2
Outcome = tuple[BaseException | None, float, bool]


@pytest.fixture(scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, _own_cache: None) -> dict[str, Outcome]:
    """For each kind: what it raised, after how many seconds, and whether its code ran."""
    base = tmp_path_factory.mktemp("hostile")

    def written(kind: Kind, folder: Path) -> Path:
        folder.mkdir()
        return kind.write(folder)

    def outcome(path: Path) -> Outcome:
        start = time.monotonic()
        error: BaseException | None = None
        try:
            Recognizer(path)
        except BaseException as caught:
            error = caught
        return error, time.monotonic() - start, (path.parent / TRACE).exists()

    paths = [written(kind, base / str(number)) for number, kind in enumerate(KINDS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(outcome, paths))
    return {kind.name: result for kind, result in zip(KINDS, found, strict=True)}


def test_there_are_many_kinds() -> None:
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names)) > 150


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_bad_file_is_one_error(kind: Kind, outcomes: dict[str, Outcome]) -> None:
    error, seconds, executed = outcomes[kind.name]
    assert isinstance(error, ModelError), error
    assert re.search(kind.message, str(error)), error
    assert "\n" not in str(error)
    assert seconds < SECONDS
    assert not executed
    assert not Path(TRACE).exists()


def test_what_may_not_be_read(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "secret.h5", *dense_model())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ModelError, match="cannot read"):
        Recognizer(path)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "name",
    ["lambda with marshalled code", "external storage", "0 bytes", "cut at 50.0%", "pipe",
     "name that writes on the terminal", "link to itself", "name too long"],
)  # fmt: skip
def test_the_command_says_one_line(name: str, run: Run, tmp_path: Path) -> None:
    (kind,) = [kind for kind in KINDS if kind.name == name]
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((28, 28), np.uint8))
    started = time.monotonic()
    done = run("predict", "x.png", "--model", kind.write(tmp_path))
    assert time.monotonic() - started < SECONDS
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert re.search(kind.message, line)
    assert "\x1b" not in line
    assert not (tmp_path / TRACE).exists()


@pytest.mark.heavy
def test_modules_beside_the_file_are_not_imported(tmp_path: Path) -> None:
    """A folder with a model may hold more: files that are called like what we import."""
    path = write_h5(tmp_path / "model.h5", *dense_model())
    for name in ("h5py", "numpy", "keras", "tensorflow", "digits", "json", "resource"):
        (tmp_path / f"{name}.py").write_text(f"open({TRACE!r}, 'w').close()")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        load_model(path)
    assert not (tmp_path / TRACE).exists()


# --- files of ours -------------------------------------------------------------------------------


@pytest.mark.heavy
def test_damage_to_a_file_of_ours(
    models: dict[str, Path], tmp_path: Path, _own_cache: None
) -> None:
    content = models["dense"].read_bytes()
    path = tmp_path / "bad.h5"
    for name, damaged in own_kinds(content):
        path.write_bytes(damaged)
        start = time.monotonic()
        with pytest.raises(ModelError) as caught:
            Recognizer(path)
        assert str(caught.value).startswith(f"{path} is damaged"), name
        assert time.monotonic() - start < 1, name


@pytest.mark.heavy
@pytest.mark.parametrize("program", [b"garbage" * 100, b"", "cut"])
def test_a_program_of_garbage_is_not_used(
    program: bytes | str,
    models: dict[str, Path],
    sample: Splits,
    tmp_path: Path,
    _own_cache: None,
) -> None:
    """The checksum is honest; the weights are as they were."""
    content, images = models["dense"].read_bytes(), sample["test"].images[:50]
    if isinstance(program, str):
        program = read(models["dense"]).program[:5000]
    path = tmp_path / "bad.h5"
    path.write_bytes(with_section(content, "program", program))
    found = Recognizer(path).probabilities(images)
    expected = Recognizer(models["dense"]).probabilities(images)
    np.testing.assert_allclose(found, expected, atol=1e-4)


# --- random damage -------------------------------------------------------------------------------


@pytest.mark.heavy
def test_random_mutants(tmp_path: Path) -> None:
    """300 of a small model saved by plain Keras: read with finite weights, or refused."""
    keras = import_keras()
    layers = [keras.layers.Dense(3, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((784,)), *layers])
    with native_stderr_silenced():
        model.save(tmp_path / "sound.h5")

    def outcome(item: tuple[int, bytes]) -> bool:
        path = tmp_path / f"{item[0]}.h5"
        path.write_bytes(item[1])
        start = time.monotonic()
        try:
            _, weights = extract(path)
        except ModelError as error:
            assert "\n" not in str(error)
            return False
        finally:
            assert time.monotonic() - start < SECONDS
        assert all(np.isfinite(array).all() for arrays in weights for array in arrays)
        return True

    damaged = enumerate(mutants((tmp_path / "sound.h5").read_bytes(), 300))
    with ThreadPoolExecutor(WORKERS) as pool:
        read_well = sum(pool.map(outcome, damaged))
    assert 30 < read_well < 270  # most damage hits weights or records; some hits nothing
