"""The shape of a data set, and what can be done with one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from digits.data.dataset import Dataset, Splits, joined, joined_splits
from digits.errors import DataError


def test_the_fingerprint_is_of_shape_type_and_bytes(sample: Splits) -> None:
    data = sample["test"]
    expected = hashlib.sha256()
    for array in (data.images, data.labels):
        expected.update(f"{array.shape}{array.dtype.str}".encode() + array.tobytes())
    assert data.fingerprint == expected.hexdigest()
    assert data.limit(999).fingerprint != data.fingerprint


def test_what_does_not_fit_is_refused() -> None:
    images = np.zeros((2, 28, 28))
    with pytest.raises(DataError, match="mine has 2 images but 3 labels"):
        Dataset(images, np.zeros(3), "mine")
    with pytest.raises(DataError, match="mine contains no images"):
        Dataset(images[:0], np.zeros(0), "mine")
    with pytest.raises(DataError, match="the shape of the images of mine is"):
        Dataset(images[:, 1:], np.zeros(2), "mine")
    with pytest.raises(DataError, match="the values of the labels of mine range from 0 to 10"):
        Dataset(images, [0, 10], "mine")


def test_equal_content_is_equal(sample: Splits) -> None:
    test = sample["test"]
    same = Dataset(test.images.copy(), test.labels.copy(), "another name")
    assert same == test
    assert len({same, test, test.limit(3)}) == 2
    assert test != test.limit(999)
    assert test != "sample test"
    again = Splits("again", {"train": sample["train"], "test": same})
    assert again == sample
    assert len({again, sample, Splits("half", {"test": test})}) == 2


def test_short_representations(sample: Splits) -> None:
    assert repr(sample["train"]) == "Dataset('sample train', 4,000 pictures)"
    assert repr(sample) == "Splits('sample', train 4,000, test 1,000)"


def test_splits_are_a_mapping(sample: Splits) -> None:
    assert "train" in sample
    assert "all" not in sample
    assert list(sample) == ["train", "test"]
    assert len(sample) == 2
    assert dict(sample)["test"] is sample["test"]
    assert sample.get("all") is None
    with pytest.raises(DataError, match=r"sample has no part 'all'\. Choose train or test"):
        sample["all"]


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
    assert {name: len(part) for name, part in twice.items()} == {"train": 8000, "test": 2000}
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
