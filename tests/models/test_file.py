"""The model file: what Keras sees, what we see, and what damage does."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.errors import ModelError
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.builders import build
from digits.models.compile import compile_program
from digits.models.presets import JUDGE_RECIPE
from digits.models.program import Program
from digits.models.ready import ready, vouch_for
from digits.models.recipe import JUDGE, OUTPUTS

FAMILIES = ("dense", "cnn", "rnn")


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_keras_gives_the_same_answers(
    models: dict[str, Path], family: str, sample: Splits
) -> None:
    images = sample["test"].images
    plain = import_keras().models.load_model(models[family], compile=False)
    ours = Recognizer(models[family]).probabilities(images)
    theirs = plain.predict(images, verbose=0)
    assert ours.shape == (1000, 10)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_knows_itself(models: dict[str, Path], family: str, sample: Splits) -> None:
    file = model_file.read(models[family])
    known = file.metadata
    assert (known["family"], known["settings"]["epochs"], known["seed"]) == (family, 2, 0)
    assert known["data"][0]["pictures"] == 2000
    assert known["test"][0]["n"] == 1000
    assert len(known["history"]) == 2
    assert {"digits", "keras", "tensorflow", "python"} <= set(known["versions"])
    learned_from = sample["train"].limit(2000)
    assert file.seen_digests().tolist() == sorted(learned_from.digests.tolist())


def test_the_sections_lie_in_the_group_digits(models: dict[str, Path]) -> None:
    file = model_file.read(models["dense"])
    with h5py.File(models["dense"]) as opened:
        assert bytes(opened["digits/program"][:]) == file.program
        assert set(opened["digits"]) == set(model_file.SECTIONS)


def test_digests_pack_and_unpack() -> None:
    digests = np.random.default_rng(0).integers(0, 1 << 40, 5000, np.uint64)
    packed = model_file.pack_digests(digests)
    assert len(packed) < 5 * 5000
    assert model_file.unpack_digests(packed).tolist() == sorted(set(digests.tolist()))
    assert model_file.unpack_digests(model_file.pack_digests(digests[:0])).size == 0


def _damage(content: bytes) -> dict[str, bytes]:
    middle = len(content) // 2
    return {
        "empty": b"",
        "text": b"hello\n",
        "cut": content[:middle],
        "longer": content + b"x",
        "one bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "no index": content[: len(model_file.MAGIC)] + bytes(500) + content[512:],
        "odd index": content[: len(model_file.MAGIC)] + b"[]\n" + content[18:],
        "only the block": content[:512],
        "magic only": model_file.MAGIC,
    }


@pytest.mark.parametrize("kind", _damage(b"x" * 2000))
def test_damage_is_one_clear_error(models: dict[str, Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad.h5"
    path.write_bytes(_damage(models["dense"].read_bytes())[kind])
    with pytest.raises(ModelError, match=r"bad\.h5.*(damaged|empty|no HDF5)"):
        Recognizer(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model"):
        Recognizer(tmp_path / "none.h5")
    with pytest.raises(ModelError, match="not a file"):
        Recognizer(tmp_path)
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(ModelError, match="not a file"):
        Recognizer(tmp_path / "pipe.h5")


def test_writers_at_once_leave_one_whole_model(
    models: dict[str, Path], tmp_path: Path, sample: Splits
) -> None:
    """Two trainers save to one place again and again while a reader reads."""
    keras = import_keras()
    loaded = [keras.models.load_model(models[f], compile=False) for f in ("dense", "rnn")]
    files = [model_file.read(models[f]) for f in ("dense", "rnn")]
    target = tmp_path / "both.h5"

    def save(who: int) -> None:
        for _ in range(8):
            file = files[who]
            model_file.write(target, loaded[who], file.metadata, file.program, file.seen_digests())

    save(0)
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(save, who) for who in (0, 1)]
        while not all(writer.done() for writer in writers):
            assert model_file.read(target).family in ("dense", "rnn")
        for writer in writers:
            writer.result()
    assert {path.name for path in tmp_path.iterdir()} == {"both.h5", "both.h5.bak"}
    assert model_file.read(tmp_path / "both.h5.bak").family in ("dense", "rnn")


def test_a_full_disk_leaves_the_old_model(models: dict[str, Path], tmp_path: Path) -> None:
    """A limit on the size of files is the full disk that a test can have."""
    target = tmp_path / "m.h5"
    target.write_bytes(models["rnn"].read_bytes())
    code = f"""
import resource, signal, sys
from digits import train
from digits.errors import OutputError
trained = train("dense", "sample", limit=200, epochs=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    trained.save({str(target)!r})
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "cannot write" in done.stdout, done.stderr[-2000:]
    assert target.read_bytes() == models["rnn"].read_bytes()
    assert list(tmp_path.iterdir()) == [target]


def test_odd_inner_values_are_damage(models: dict[str, Path], tmp_path: Path) -> None:
    """An honest checksum around metadata that nobody could use."""
    honest = model_file.read(models["dense"])
    model = import_keras().models.load_model(models["dense"], compile=False)
    for odd in (
        {"settings": {}}, {"settings": None}, {"test": [1]}, {"data": [{"name": 1}]},
        {"family": "gan"}, {"history": [{}]}, {"seconds": "long"},
    ):  # fmt: skip
        path = tmp_path / "odd.h5"
        model_file.write(
            path, model, {**honest.metadata, **odd}, honest.program, honest.seen_digests()
        )
        with pytest.raises(ModelError, match="damaged"):
            model_file.read(path)
    with pytest.raises(ModelError, match="cannot read"):
        model_file.read("a\0b.h5")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the judge's family, saved here; it knows nothing yet."""
    path = tmp_path_factory.mktemp("judge") / "some.h5"
    model = build(JUDGE, {"filters": (4,), "kernel_size": 3, "units": 8})
    about = {
        "family": JUDGE, "preset": "wild", "settings": JUDGE_RECIPE.settings(), "seed": 0,
        "data": [], "test": [], "history": [], "interrupted": False, "seconds": 1.0,
        "versions": {}, "created": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    model_file.write(path, model, about, compile_program(model), np.empty(0, np.uint64))
    vouch_for(path)
    return path


def test_the_judge_has_a_file_like_all(judge: Path, sample: Splits) -> None:
    images = sample["test"].images[:100]
    file = ready(judge)
    assert (file.family, file.metadata["settings"]["family"]) == (JUDGE, JUDGE)
    assert file.seen_digests().size == 0
    plain = import_keras().models.load_model(judge, compile=False)
    found = Program(file.program, "x", OUTPUTS[file.family]).probabilities(images)
    np.testing.assert_allclose(found, plain.predict(images, verbose=0), atol=1e-5)


def test_a_recogniser_does_not_take_a_judge(
    judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = r"some\.h5 is no recogniser but a judge\. Give another model\."
    with pytest.raises(ModelError, match=clear):
        Recognizer(judge)
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path))  # as if it came from another machine
    with pytest.raises(ModelError, match=clear):
        Recognizer(judge)
