"""The model file: what Keras reads, what we read, and what damage does."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.errors import ModelError, OutputError
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.compile import compile_model
from digits.models.compiled import CompiledModel
from digits.models.families import REJECTOR, TABLE, build
from digits.models.file import ModelFile, read
from digits.models.metadata import ModelMetadata
from digits.models.trust import load_trusted, trust
from models.damage import damaged

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
def test_it_describes_itself(models: dict[str, Path], family: str, sample: Splits) -> None:
    file = read(models[family])
    known = file.metadata
    assert (file.family, known.seed, known.data[0].pictures) == (family, 0, 4000)
    assert known.settings is not None
    assert known.settings["family"] == family
    assert len(known.history) == known.settings["epochs"]
    assert {"digits", "keras", "tensorflow", "python"} <= set(known.versions)
    assert file.training_digests().tolist() == sorted(sample["train"].digests.tolist())


def test_summary(models: dict[str, Path]) -> None:
    file = read(models["dense"])
    assert file.summary().to_json() == {
        "path": str(models["dense"]),
        "family": "dense",
        "preset": "classic",
        "test": file.metadata.test[-1].name,
        "accuracy": file.metadata.test[-1].accuracy,
        "bytes": models["dense"].stat().st_size,
        "created": file.metadata.created,
    }


def test_summary_without_a_test() -> None:
    metadata = ModelMetadata(family="rnn", preset="foreign", converted_from="old.h5")
    summary = ModelFile(Path("m.h5"), metadata, b"", b"", 7).summary()
    assert (summary.test, summary.accuracy, summary.bytes) == (None, None, 7)


def test_the_sections_are_in_the_group_digits(models: dict[str, Path]) -> None:
    file = read(models["dense"])
    with h5py.File(models["dense"]) as opened:
        assert bytes(opened["digits/compiled"][:]) == file.compiled
        assert set(opened["digits"]) == set(model_file.SECTIONS)


def test_digests_pack_and_unpack() -> None:
    digests = np.random.default_rng(0).integers(0, 1 << 40, 5000, np.uint64)
    packed = model_file.pack_digests(digests)
    assert len(packed) < 5 * 5000
    assert model_file.unpack_digests(packed).tolist() == sorted(set(digests.tolist()))
    assert model_file.unpack_digests(model_file.pack_digests(digests[:0])).size == 0


def test_damage_is_one_clear_error(models: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "bad.h5"
    for name, content in damaged(models["dense"].read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            Recognizer(path)
        error = caught.value
        assert (error.problem, error.path) == ("the file is damaged", str(path)), name


def test_damaged_digests_are_an_error_when_they_are_needed() -> None:
    metadata = ModelMetadata(family="rnn", preset="foreign", converted_from="old.h5")
    for packed in (b"", b"garbage", model_file.pack_digests(np.arange(9, dtype=np.uint64))[:-9]):
        with pytest.raises(ModelError, match=r"m\.h5: the file is damaged"):
            ModelFile(Path("m.h5"), metadata, b"", packed, 7).training_digests()


def test_a_file_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ModelError, match=r"not written by digits\. Run `digits convert`"):
        read(tmp_path / "text.h5")
    with pytest.raises(ModelError, match="not a Keras model"):
        Recognizer(tmp_path / "text.h5")


def test_what_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such model"):
        Recognizer(tmp_path / "none.h5")
    with pytest.raises(ModelError, match="not a file"):
        Recognizer(tmp_path)
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(ModelError, match="not a file"):
        Recognizer(tmp_path / "pipe.h5")
    with pytest.raises(ModelError, match="cannot read"):
        read("a\0b.h5")


def test_writers_at_once_leave_one_whole_model(models: dict[str, Path], tmp_path: Path) -> None:
    """Two trainers save to one place again and again while a reader reads."""
    keras = import_keras()
    loaded = [keras.models.load_model(models[f], compile=False) for f in ("dense", "rnn")]
    files = [read(models[f]) for f in ("dense", "rnn")]
    target = tmp_path / "both.h5"

    def save(who: int) -> None:
        for _ in range(8):
            file = files[who]
            model_file.write(
                target, loaded[who], file.metadata, file.compiled, file.training_digests()
            )

    save(0)
    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(save, who) for who in (0, 1)]
        while not all(writer.done() for writer in writers):
            assert read(target).family in ("dense", "rnn")
        for writer in writers:
            writer.result()
    assert {path.name for path in tmp_path.iterdir()} == {"both.h5", "both.h5.bak"}
    assert read(tmp_path / "both.h5.bak").family in ("dense", "rnn")


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    """A limit on the size of files is the full disk that a test can have."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_model(models: dict[str, Path], tmp_path: Path) -> None:
    file, old = read(models["dense"]), models["rnn"].read_bytes()
    model = import_keras().models.load_model(models["dense"], compile=False)
    plain = tmp_path / "plain" / "plain.h5"
    plain.parent.mkdir()
    model_file.save_plain(model, plain)
    target = tmp_path / "m.h5"
    target.write_bytes(old)
    # Too little for Keras' own temporary file, then enough for that but not for ours.
    for size in (10_000, plain.stat().st_size + 10_000):
        with _full_disk(size), pytest.raises(OutputError, match="cannot write"):
            model_file.write(target, model, file.metadata, file.compiled, file.training_digests())
        assert target.read_bytes() == old
        assert {path.name for path in tmp_path.iterdir()} == {"m.h5", "plain"}


@pytest.fixture(scope="module")
def rejector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained rejector, saved here."""
    path = tmp_path_factory.mktemp("rejector") / "some.h5"
    architecture = {"filters": (4,), "kernel_size": 3, "units": 8}
    model = build(REJECTOR, architecture)
    settings = {"architecture": architecture, "source": "a test"}
    metadata = ModelMetadata(family=REJECTOR, preset="best", settings=settings)
    model_file.write(path, model, metadata, compile_model(model), np.empty(0, np.uint64))
    trust(path)
    return path


def test_a_rejector_is_saved_like_any_model(rejector: Path, sample: Splits) -> None:
    images = sample["test"].images[:100]
    file = load_trusted(rejector)
    assert file.family == REJECTOR
    assert file.training_digests().size == 0
    plain = import_keras().models.load_model(rejector, compile=False)
    compiled = CompiledModel(file.compiled, "x", TABLE[file.family].outputs)
    np.testing.assert_allclose(
        compiled.probabilities(images), plain.predict(images, verbose=0), atol=1e-5
    )


def test_a_rejector_is_not_a_recognizer(
    rejector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="rejector"):
        Recognizer(rejector)
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path))  # as if it came from another machine
    with pytest.raises(ModelError, match="rejector"):
        Recognizer(rejector)
