"""Labeled candidates from rows of touching digits."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.data.arrays import Images, Labels
from digits.models.find import shipped_folder
from digits.training.synthetic.rows import segment_rows

NO_DIGIT = 10
COUNT = 400


@pytest.fixture(scope="module")
def segmented(sample: Splits) -> tuple[Images, Labels]:
    return segment_rows(sample["train"], COUNT, NO_DIGIT, seed=1)


def test_half_of_them_are_digits(segmented: tuple[Images, Labels]) -> None:
    images, labels = segmented
    assert (images.shape, images.dtype) == ((COUNT, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((COUNT,), np.uint8)
    counts = np.bincount(labels, minlength=11)
    assert (counts[NO_DIGIT], counts.sum()) == (COUNT // 2, COUNT)
    assert (counts[:10] > 0).all()
    assert (images.max(axis=(1, 2)) > 100).all()


def test_labels_are_right(segmented: tuple[Images, Labels]) -> None:
    images, labels = segmented
    cnn = Recognizer(shipped_folder() / "cnn.h5")
    probabilities = cnn.probabilities(images)
    is_digit = labels != NO_DIGIT
    assert (probabilities.argmax(axis=1) == labels)[is_digit].mean() > 0.88
    # Those without a digit have the same strokes, but far less often look like a digit.
    confidence = probabilities.max(axis=1)
    assert (confidence[~is_digit] < 0.9).mean() > (confidence[is_digit] < 0.9).mean() + 0.3


def test_a_seed_gives_the_same_set(sample: Splits) -> None:
    first, again, other = (segment_rows(sample["train"], 40, NO_DIGIT, seed) for seed in (1, 1, 2))
    assert (again[0] == first[0]).all()
    assert (again[1] == first[1]).all()
    assert not {image.tobytes() for image in other[0]} & {image.tobytes() for image in first[0]}


def test_no_image_has_two_labels(segmented: tuple[Images, Labels]) -> None:
    images, labels = segmented
    seen: dict[bytes, int] = {}
    for image, label in zip(images, labels, strict=True):
        assert seen.setdefault(image.tobytes(), int(label)) == label
    assert len(seen) > 0.75 * COUNT, "mostly copies"


def test_the_label_of_no_digit(sample: Splits) -> None:
    _, labels = segment_rows(sample["train"], 20, 77, seed=0)
    assert np.count_nonzero(labels == 77) == 10
