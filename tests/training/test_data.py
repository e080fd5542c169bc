"""The images that a training uses: every form of data, held-out parts, limits, mixing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits import DataError, Dataset, Splits
from digits.data.formats.npz import save_npz
from digits.training.data import MIN_MIX, TrainingData, select_data
from digits.training.presets import recipe_for
from digits.training.recipe import Recipe


@pytest.fixture
def no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """MNIST is neither found nor downloaded: `auto` is `sample`."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("DIGITS_MNIST_MIRRORS", "http://127.0.0.1:9/mnist.npz")
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def own(sample: Splits) -> Dataset:
    """A set that is not MNIST, sorted by digit: mirrored digits."""
    some = sample["train"].limit(500)
    order = np.argsort(some.labels, kind="stable")
    return Dataset(some.images[order, :, ::-1], some.labels[order], "own")


PLAIN = recipe_for("dense", "classic")


def selected(data: Any, recipe: Recipe = PLAIN, **options: Any) -> TrainingData:
    return select_data(data, recipe, **options)


def test_the_same_data_in_every_form(sample: Splits, tmp_path: Path) -> None:
    train, test = (part.limit(100) for part in sample.values())
    splits = Splits("some", {"train": train, "test": test})
    save_npz(splits, tmp_path / "some.npz")
    pairs = ((train.images, train.labels), (test.images, test.labels))
    for data in (
        splits,
        [splits],
        (splits,),
        tmp_path / "some.npz",
        str(tmp_path / "some.npz"),
        pairs,  # as keras.datasets.mnist.load_data() returns it
        tuple((x / np.float32(255), y) for x, y in pairs),
    ):
        given = selected(data)
        assert given.sources == (train,)
        assert given.tests == (test,)
        assert sorted(given.train.digests) == sorted(train.digests)


def test_a_set_without_a_test_part(own: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for data in (own, [own], (own.images, own.labels), Splits("own", {"all": own})):
            given = selected(data)
            assert (len(given.train), len(given.tests[0])) == (400, 100)
            together = [*given.train.digests, *given.tests[0].digests]
            assert sorted(together) == sorted(own.digests)
    assert "held out" in caplog.text


def test_two_arrays_are_one_set_and_two_datasets_are_two(own: Dataset) -> None:
    assert len(selected((own.images, own.labels)).tests) == 1
    assert len(selected((own, own)).tests) == 2
    assert len(selected([(own.images, own.labels)] * 2).tests) == 2


def test_only_mnist_keeps_its_order(sample: Splits, own: Dataset) -> None:
    assert selected("sample").train == sample["train"]
    assert selected(sample).train == sample["train"]
    given = selected(own).train
    assert np.abs(np.diff(given.labels.astype(int))).mean() > 1, "sorted by digit"
    assert selected(own, seed=1).train != given == selected(own).train
    both = selected([sample, own]).train
    assert (both.digests[:4000] != sample["train"].digests).any()


def test_a_limit(sample: Splits, own: Dataset) -> None:
    assert selected(sample, limit=300).train == sample["train"].limit(300)
    few = selected(own, limit=50)
    assert len(few.train) == 50
    assert (few.train.counts > 0).all(), "the first ones of a sorted set"
    both = selected([sample, own], limit=300)
    assert [len(source) for source in both.sources] == [300]
    assert [len(test) for test in both.tests] == [1000, 100]


def test_mixing_in_mnist(
    sample: Splits, own: Dataset, no_mnist: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        given = selected(own, mix=200)
    assert "mixing in 200 digits of sample" in caplog.text
    assert [len(source) for source in given.sources] == [400, 200]
    assert [test.name for test in given.tests] == ["own", "sample test"]
    assert len(given.train) == len(given.digests) == 600
    assert given.sources[1].count_in(sample["train"].digests) == 200
    assert len(selected(own, mix=None).train) == 400 + min(MIN_MIX, 4000)
    assert len(selected(own, mix=0).tests) == 1
    assert len(selected(sample, mix=None).tests) == 1  # MNIST is there already


def test_validation_images_are_held_out_of_the_real_ones(sample: Splits) -> None:
    recipe = recipe_for("dense", validation_fraction=0.1, generated_digits=200)
    given = selected(sample, recipe, limit=400)
    real = sample["train"].limit(400)
    is_real = np.isin(given.train.digests, real.digests)
    assert (len(given.train), is_real.sum()) == (560, 360)
    assert np.bincount(given.train.labels[~is_real], minlength=10).tolist() == [20] * 10
    assert 0.4 < is_real[:280].mean() < 0.9, "not shuffled"
    assert given.validation is not None
    assert len(given.validation) == given.validation.count_in(real.digests) == 40
    assert given.train.count_in(given.validation.digests) == 0
    assert given.sources == (real,)  # the model file names whole data sets
    assert given.digests.tolist() == real.digests.tolist()


def test_data_that_cannot_be_used(sample: Splits, tmp_path: Path) -> None:
    for data, message in (
        (Splits("t", {"test": sample["test"]}), "t has only a test part"),
        (tmp_path / "none.npz", "does not exist"),
        (np.zeros((5, 28, 28)), "not a data set"),
        ((np.zeros((5, 28, 28)), np.zeros(4)), "5 images but 4 labels"),
    ):
        with pytest.raises(DataError, match=message):
            selected(data)


def test_a_set_that_is_mended_is_not_warned_of(
    tmp_path: Path, sample: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    data = sample["test"].limit(100)
    np.savez(tmp_path / "dark.npz", images=255 - data.images, labels=data.labels)
    inverted = selected(tmp_path / "dark.npz", invert=True)
    assert "dark on light" not in caplog.text
    assert set(inverted.digests) <= set(data.digests)
    as_it_is = selected(tmp_path / "dark.npz")
    assert "dark on light" in caplog.text
    assert not set(as_it_is.digests) & set(data.digests)


def test_what_cannot_be_learned_from_is_refused(
    sample: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    train = sample["train"]
    sevens = train.images[train.labels == 7][:50]
    with pytest.raises(DataError, match="all 40 pictures to train on are of the digit 7"):
        selected((sevens, np.full(50, 7)), PLAIN)
    same = np.repeat(train.images[:1], 50, axis=0)
    with pytest.raises(DataError, match="all pictures to train on are the same"):
        select_data((same, train.labels[:50]), PLAIN)
    select_data(sample, PLAIN, limit=300)
    assert "too few" not in caplog.text
    select_data(sample, PLAIN, limit=50)
    assert "50 pictures are too few to learn digits from" in caplog.text
