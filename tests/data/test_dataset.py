"""The shape of a data set, and what can be done with one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from digits.data.dataset import Dataset, Splits, joined, joined_splits
from digits.errors import DataError


def test_the_sample_is_sound(sample: Splits) -> None:
    assert len(sample["train"]) == 4000
    assert len(sample["test"]) == 1000
    assert (sample["train"].counts == 400).all()
    assert (sample["test"].counts == 100).all()
    assert sample["train"].images.dtype == np.uint8
    assert set(sample["train"].labels[:10]) == set(range(10))
    assert not np.isin(sample["test"].digests, sample["train"].digests).any()


def test_the_fingerprint_is_of_shape_type_and_bytes(sample: Splits) -> None:
    data = sample["test"]
    expected = hashlib.sha256()
    for array in (data.images, data.labels):
        expected.update(f"{array.shape}{array.dtype.str}".encode() + array.tobytes())
    assert data.fingerprint == expected.hexdigest()
    assert data.limit(999).fingerprint != data.fingerprint


@pytest.mark.parametrize("shape", [(5, 784), (5, 28, 28), (5, 28, 28, 1)])
def test_usual_shapes_and_types_are_taken(shape: tuple[int, ...]) -> None:
    images = np.full(shape, 7)
    for dtype in (np.uint8, np.int64, np.float32):
        data = Dataset(images.astype(dtype), np.eye(10)[:5])
        assert data.images.shape == (5, 28, 28)
        assert data.images.dtype == data.labels.dtype == np.uint8
        assert data.labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((2, 28, 28)), np.zeros(3), "2 pictures but 3 labels"),
        (np.zeros((2, 16, 16)), np.zeros(2), "shape"),
        (np.zeros((0, 28, 28)), np.zeros(0), "no pictures"),
        (np.full((1, 28, 28), np.nan), np.zeros(1), "NaN"),
        (np.full((1, 28, 28), 0.5), np.zeros(1), "fractions"),
        (np.full((1, 28, 28), 256), np.zeros(1), "from 0 to 256"),
        (np.full((1, 28, 28), -1), np.zeros(1), "from -1 to 0"),
        (np.full((1, 28, 28), "a"), np.zeros(1), "type"),
        (np.zeros((1, 28, 28)), np.array([10]), "from 0 to 10"),
        (np.zeros((1, 28, 28)), np.array([-1]), "from -1 to 0"),
        (np.zeros((1, 28, 28)), np.array([np.nan]), "NaN"),
        (np.zeros((1, 28, 28)), np.zeros((1, 2, 2)), "shape"),
    ],
)
def test_what_does_not_fit_is_refused(images: np.ndarray, labels: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Dataset(images, labels)


def test_held_out_is_in_proportion_and_whole(sample: Splits) -> None:
    data = sample["train"]
    kept, held = data.held_out(0.05, seed=1)
    assert (len(kept), len(held)) == (3800, 200)
    assert (held.counts == 20).all()
    assert sorted([*kept.digests, *held.digests]) == sorted(data.digests)
    again = data.held_out(0.05, seed=1)[1]
    other = data.held_out(0.05, seed=2)[1]
    assert held.fingerprint == again.fingerprint != other.fingerprint
    with pytest.raises(DataError, match="too few"):
        data.limit(3).held_out(0.05, seed=0)


def test_joining_is_part_by_part(sample: Splits) -> None:
    twice = joined_splits([sample, sample], "twice")
    assert {name: len(part) for name, part in twice.parts.items()} == {"train": 8000, "test": 2000}
    unsplit = Splits("own", {"all": sample["test"]})
    assert len(joined_splits([unsplit, unsplit], "own")["all"]) == 2000
    with pytest.raises(DataError, match="own is not split"):
        joined_splits([sample, unsplit], "both")


def test_parts(sample: Splits) -> None:
    assert len(sample.part("all")) == 5000
    assert sample.part("test") is sample["test"]
    unsplit = Splits("own", {"all": sample["test"]})
    assert unsplit.part("test") is sample["test"]
    with pytest.raises(DataError, match="no part 'test'"):
        Splits("half", {"train": sample["train"]}).part("test")
    assert joined([sample["test"]], "x").fingerprint == sample["test"].fingerprint
