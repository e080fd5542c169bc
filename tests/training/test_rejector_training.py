"""Training the rejector: a small one, from few images, without augmentation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commands import Run
from digits import Recognizer, Splits
from digits.errors import ModelError
from digits.models import file as model_file
from digits.models._keras import import_keras
from digits.models.compiled import CompiledModel
from digits.models.families import REJECTOR, TABLE
from digits.models.metadata import DatasetInfo
from digits.models.trust import load_trusted
from digits.recognition.rejector import NO_DIGIT
from digits.training.presets import REJECTOR_RECIPE
from digits.training.recipe import Recipe
from digits.training.rejector import train_rejector
from digits.training.synthetic.negatives import generate_negatives

SMALL = {"filters": (8, 16), "convolutions": (1, 1), "units": 32, "normalized": False}
CANDIDATES, NEGATIVES, GENERATED = 100, 400, 200


def _trained(path: Path, sample: Splits, limit: int = 2000, epochs: int = 5, **more: int) -> Path:
    some = replace(sample, parts={**sample.parts, "train": sample["train"].limit(limit)})
    sizes = {
        "candidates": CANDIDATES,
        "negatives": NEGATIVES,
        "generated_digits": GENERATED,
        **more,
    }
    architecture = {**REJECTOR_RECIPE.architecture, **SMALL}
    return train_rejector(
        path, some, epochs=epochs, batch_size=32, augment=False, architecture=architecture, **sizes
    )


@pytest.fixture(scope="module")
def rejector(tmp_path_factory: pytest.TempPathFactory, sample: Splits) -> Path:
    return _trained(tmp_path_factory.mktemp("rejector") / "small.h5", sample)


def _compiled(path: Path) -> CompiledModel:
    return CompiledModel(load_trusted(path).compiled, path.name, TABLE[REJECTOR].outputs)


def test_it_rejects_images_without_a_digit(rejector: Path, sample: Splits) -> None:
    test = sample["test"]
    probabilities = _compiled(rejector).probabilities(test.images)
    assert probabilities.shape == (1000, 11)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == test.labels).mean() > 0.8
    negatives = generate_negatives(test.images, 300, seed=9)
    rejected = _compiled(rejector).probabilities(negatives).argmax(axis=1) == NO_DIGIT
    assert rejected.mean() > 0.6


def test_the_metadata(rejector: Path, sample: Splits) -> None:
    file = model_file.read(rejector)
    metadata, learned = file.metadata, sample["train"].limit(2000)
    assert (file.family, metadata.seed) == (REJECTOR, 0)
    recipe = Recipe.from_settings(metadata.settings or {})
    assert (recipe.family, recipe.epochs, recipe.augment) == (REJECTOR, 5, None)
    assert recipe.generated_digits == GENERATED
    assert recipe.architecture["units"] == 32
    assert metadata.data == (DatasetInfo.of(learned),)
    assert len(metadata.history) == 5
    assert 0.25 <= (metadata.temperature or 0) <= 4
    assert file.training_digests().tolist() == sorted(learned.digests.tolist())


def test_the_score_is_that_of_the_compiled_model(rejector: Path, sample: Splits) -> None:
    (score,) = model_file.read(rejector).metadata.test
    test = sample["test"]
    probabilities = _compiled(rejector).probabilities(test.images)
    assert (score.name, score.n) == ("sample test", 1000)
    assert score.accuracy == pytest.approx((probabilities.argmax(axis=1) == test.labels).mean())
    of_truth = probabilities[np.arange(1000), test.labels]
    assert score.loss == pytest.approx(-np.log(np.maximum(of_truth, 1e-7)).mean(), abs=1e-5)


def test_keras_gives_the_same_probabilities(rejector: Path, sample: Splits) -> None:
    images = sample["test"].images[:200]
    plain = import_keras().models.load_model(rejector, compile=False)
    theirs = plain.predict(images, verbose=0)
    np.testing.assert_allclose(_compiled(rejector).probabilities(images), theirs, atol=1e-5)


def test_a_seed_decides_everything(tmp_path: Path, sample: Splits) -> None:
    small = {"limit": 300, "epochs": 1, "candidates": 40, "negatives": 40, "generated_digits": 20}
    paths = [_trained(tmp_path / f"{i}.h5", sample, seed=1, **small) for i in range(2)]
    first, again = (_compiled(path).probabilities(sample["test"].images[:50]) for path in paths)
    assert (first == again).all()
    assert model_file.read(paths[0]).metadata.seed == 1


def test_it_is_no_recognizer(rejector: Path) -> None:
    with pytest.raises(ModelError, match="rejector"):
        Recognizer(rejector)


def test_the_commands_know_it(rejector: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.h5").write_bytes(rejector.read_bytes())
    found = json.loads(run("models", "--format", "json").stdout)[0]
    assert (found["path"], found["family"], found["preset"], found["test"]) == (
        "models/mine.h5", "rejector", "best", "sample test",
    )  # fmt: skip
    assert "rejector" in run("models").stdout.splitlines()[1]
    described = run("info", rejector).stdout
    for words in ("rejector, preset best", "sample train (2,000)", "on sample test"):
        assert words in described
    refused = run("eval", "--model", rejector, "--data", "sample")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "rejector" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
