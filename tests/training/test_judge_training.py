"""The judge's training, small: few pictures, a few epochs, no augmentation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import Run
from digits import Recognizer, Splits
from digits.errors import ModelError
from digits.judge import NO_DIGIT
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.presets import JUDGE_RECIPE
from digits.models.program import Program
from digits.models.ready import ready
from digits.models.recipe import JUDGE, OUTPUTS
from digits.training.generate import not_digits
from digits.training.judge import train_judge

SMALL = {"filters": (8, 16), "convolutions": (1, 1), "units": 32, "normalized": False}
CANDIDATES, OTHERS, GENERATED = 1000, 1200, 600


def _trained(path: Path, sample: Splits, limit: int = 2000, epochs: int = 4, **more: int) -> Path:
    some = replace(sample, parts={**sample.parts, "train": sample["train"].limit(limit)})
    sizes = {"candidates": CANDIDATES, "others": OTHERS, "generated": GENERATED, **more}
    architecture = {**JUDGE_RECIPE.architecture, **SMALL}
    return train_judge(
        path, some, epochs=epochs, batch_size=32, augment=False, architecture=architecture, **sizes
    )


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, sample: Splits) -> Path:
    return _trained(tmp_path_factory.mktemp("judge") / "small.h5", sample)


def _program(path: Path) -> Program:
    return Program(ready(path).program, path.name, OUTPUTS[JUDGE])


def test_it_tells_digits_from_none(judge: Path, sample: Splits) -> None:
    test = sample["test"]
    answers = _program(judge).probabilities(test.images)
    assert answers.shape == (1000, 11)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == test.labels).mean() > 0.8
    none = not_digits(test.images, 300, seed=9)
    assert (_program(judge).probabilities(none).argmax(axis=1) == NO_DIGIT).mean() > 0.6


def test_the_file_knows_what_it_is(judge: Path, sample: Splits) -> None:
    file = model_file.read(judge)
    known = file.metadata
    assert set(model_file.METADATA) <= set(known)
    assert (file.family, known["seed"], known["interrupted"]) == (JUDGE, 0, False)
    settings = known["settings"]
    assert (settings["family"], settings["epochs"], settings["generated"]) == (JUDGE, 4, GENERATED)
    assert (settings["augment"], settings["architecture"]["units"]) == (None, 32)
    assert [(d["name"], d["pictures"]) for d in known["data"]] == [("sample train", 2000)]
    assert known["data"][0]["fingerprint"] == sample["train"].limit(2000).fingerprint
    assert len(known["history"]) == 4
    assert 0.25 <= known["temperature"] <= 4
    learned_from = sample["train"].limit(2000)
    assert file.seen_digests().tolist() == sorted(learned_from.digests.tolist())


def test_its_score_is_that_of_the_saved_program(judge: Path, sample: Splits) -> None:
    (score,) = model_file.read(judge).metadata["test"]
    test = sample["test"]
    answers = _program(judge).probabilities(test.images)
    assert (score["name"], score["n"]) == ("sample test", 1000)
    assert score["accuracy"] == pytest.approx((answers.argmax(axis=1) == test.labels).mean())
    right = answers[np.arange(1000), test.labels]
    assert score["loss"] == pytest.approx(-np.log(np.maximum(right, 1e-7)).mean(), abs=1e-5)


def test_plain_keras_gives_the_same_eleven(judge: Path, sample: Splits) -> None:
    images = sample["test"].images[:200]
    plain = import_keras().models.load_model(judge, compile=False)
    theirs = plain.predict(images, verbose=0)
    np.testing.assert_allclose(_program(judge).probabilities(images), theirs, atol=1e-5)


def test_one_seed_decides_everything(tmp_path: Path, sample: Splits) -> None:
    small = {"limit": 300, "epochs": 1, "candidates": 100, "others": 100, "generated": 50}
    paths = [
        _trained(tmp_path / f"{i}.h5", sample, seed=seed, **small)
        for i, seed in enumerate((1, 1, 2))
    ]
    same, again, other = (
        _program(path).probabilities(sample["test"].images[:50]) for path in paths
    )
    assert (same == again).all()
    assert (same != other).any()
    assert model_file.read(paths[2]).metadata["seed"] == 2


def test_a_recogniser_does_not_take_it(judge: Path) -> None:
    with pytest.raises(ModelError, match=r"is no recogniser but a judge\. Give another model"):
        Recognizer(judge)


def test_the_commands_know_it(judge: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.h5").write_bytes(judge.read_bytes())
    found = json.loads(run("models", "--format", "json").stdout)[0]
    assert (found["path"], found["family"], found["preset"]) == ("models/mine.h5", "judge", "wild")
    assert found["test"] == "sample test"
    assert "judge" in run("models").stdout.splitlines()[1]
    told = run("info", judge).stdout
    for words in ("judge, preset wild", "sample train (2,000)", "on sample test"):
        assert words in told
    refused = run("eval", "--model", judge, "--data", "sample")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "is no recogniser but a judge" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
