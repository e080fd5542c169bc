"""Arrays as Keras users have them, in every shape, dtype and memory layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits import DataError, Dataset, Splits
from digits.data.arrays import as_images, as_labels
from digits.data.dataset import as_dataset


def read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.fixture
def pixels(sample: Splits) -> Any:
    return sample["test"].images[:5]


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a,
        lambda a: a.reshape(5, 784),
        lambda a: a[..., None],
        lambda a: a.astype(np.int64),
        lambda a: a.astype(">u2"),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(">f8"),
        lambda a: a / 255,
        lambda a: (a / 255).astype(np.float32)[..., None],
        lambda a: (a / 255).astype(np.float16).reshape(5, 784),
        lambda a: (a / 127.5 - 1).astype(np.float32),
        np.asfortranarray,
        lambda a: np.asfortranarray(a / 255),
        lambda a: a[:, ::-1][:, ::-1],
        read_only,
        lambda a: read_only(np.asfortranarray(a)),
        lambda a: a.tolist(),
    ],
)
def test_images_come_out_the_same(pixels: Any, convert: Any) -> None:
    images = as_images(convert(pixels), "images")
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    assert np.array_equal(images, pixels)


def test_special_cases_of_images(pixels: Any) -> None:
    assert np.array_equal(as_images(pixels[0], "image"), pixels[:1])
    assert np.array_equal(as_images(pixels > 127, "images"), np.where(pixels > 127, 255, 0))
    for empty in ((0, 28, 28), (0, 784), (0,)):
        assert as_images(np.zeros(empty), "images").shape == (0, 28, 28)
    # Integers are pixel values, however small they are.
    assert as_images(np.ones((28, 28), int), "image").max() == 1
    assert np.shares_memory(as_images(pixels, "images"), pixels)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros((2, 16, 16)), r"the shape of my digits is \(2, 16, 16\)"),
        (np.zeros(784), r"shape .* \(784,\)"),
        (np.zeros((2, 28, 28, 2)), "shape"),
        (7, r"shape .* \(\)"),
        (None, "the dtype of my digits is object"),
        (np.full((28, 28), "a"), "dtype"),
        ([[1, 2], [3]], "the rows of my digits have different lengths"),
        (np.full((28, 28), np.nan), "the values of my digits include NaN or infinity"),
        (np.full((28, 28), 256), "range from 0 to 256"),
        (np.full((28, 28), -1), "range from -1 to 0"),
        (np.full((28, 28), -0.5), "range from -0.5 to 0"),
        (np.full((28, 28), 2.5), "are not whole numbers"),
    ],
)
def test_other_images_are_refused(array: Any, problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        as_images(array, "my digits")
    assert "(n, 28, 28)" in caught.value.remedy
    assert "floats 0 to 1" in caught.value.remedy


@pytest.mark.parametrize(
    "labels",
    [
        [3, 0, 9],
        np.array([3, 0, 9], ">i4"),
        np.array([3.0, 0.0, 9.0]),
        np.array([[3], [0], [9]]),
        np.eye(10)[[3, 0, 9]],
        read_only(np.arange(9, -1, -1))[[6, 9, 0]],
    ],
)
def test_labels(labels: Any) -> None:
    converted = as_labels(labels, "labels")
    assert converted.dtype == np.uint8
    assert converted.tolist() == [3, 0, 9]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.array([10]), "the values of labels range from 0 to 10"),
        (np.array([-1]), "range from -1 to 0"),
        (np.array([np.nan]), "NaN"),
        (np.array([1.5]), "whole numbers"),
        (np.array(["seven"]), "dtype"),
        (np.zeros((1, 2, 2)), "shape"),
        (np.zeros((3, 10)), "shape"),  # not one-hot
    ],
)
def test_other_labels_are_refused(labels: Any, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        as_labels(labels, "labels")


def test_a_pair_becomes_a_dataset(sample: Splits) -> None:
    test = sample["test"]
    for x, y in ((test.images / 255, np.eye(10)[test.labels]), (test.images, list(test.labels))):
        assert as_dataset((x, y)) == test
    assert as_dataset(test) is test
    one = as_dataset((test.images[0], test.labels[0]), "one")
    assert (len(one), one.name) == (1, "one")
    for wrong in (test.images, sample, "mnist", (1, 2, 3), None):
        with pytest.raises(DataError, match="not a data set"):
            as_dataset(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", [np.asfortranarray, read_only])
def test_a_dataset_of_any_memory_layout(sample: Splits, layout: Any) -> None:
    test = sample["test"]
    other = Dataset(layout(test.images), layout(test.labels))
    assert other.fingerprint == test.fingerprint
    assert (other.digests == test.digests).all()
    assert other.count_in(test.digests) == 1000
    assert other.take(slice(None, None, -2)) == test.take(slice(None, None, -2))
    for part, expected in zip(other.held_out(0.1, 3), test.held_out(0.1, 3), strict=True):
        assert part == expected
