"""Candidates from rows of touching digits: their labels must be right."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.data.dataset import Images, Labels
from digits.models.find import shipped_folder
from digits.training.rows import cut_rows

NONE = 10
COUNT = 400


@pytest.fixture(scope="module")
def cut(sample: Splits) -> tuple[Images, Labels]:
    return cut_rows(sample["train"], COUNT, NONE, seed=1)


def test_as_many_digits_as_none(cut: tuple[Images, Labels]) -> None:
    images, labels = cut
    assert (images.shape, images.dtype) == ((COUNT, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((COUNT,), np.uint8)
    counts = np.bincount(labels, minlength=11)
    assert (counts[NONE], counts.sum()) == (COUNT // 2, COUNT)
    assert (counts[:10] > 0).all()
    assert (images.max(axis=(1, 2)) > 100).all()


def test_what_is_labelled_a_digit_is_read_as_it(cut: tuple[Images, Labels]) -> None:
    images, labels = cut
    cnn = Recognizer(shipped_folder() / "cnn.h5")
    read = cnn.probabilities(images)
    is_digit = labels != NONE
    right = (read.argmax(axis=1) == labels)[is_digit].mean()
    assert right > 0.88
    # What is labelled none is of the same strokes, but far less often clearly a digit.
    sure = read.max(axis=1)
    assert (sure[~is_digit] < 0.9).mean() > (sure[is_digit] < 0.9).mean() + 0.3


def test_one_seed_cuts_one_set(sample: Splits, cut: tuple[Images, Labels]) -> None:
    again = cut_rows(sample["train"], COUNT, NONE, seed=1)
    assert (again[0] == cut[0]).all()
    assert (again[1] == cut[1]).all()
    other = cut_rows(sample["train"], COUNT, NONE, seed=2)
    assert (other[0] != cut[0]).any()
    assert not {image.tobytes() for image in other[0]} & {image.tobytes() for image in cut[0]}


def test_no_picture_has_two_labels(cut: tuple[Images, Labels]) -> None:
    images, labels = cut
    seen: dict[bytes, int] = {}
    for image, label in zip(images, labels, strict=True):
        assert seen.setdefault(image.tobytes(), int(label)) == label
    assert len(seen) > 0.75 * COUNT, "mostly copies"


def test_none_is_labelled_as_asked(sample: Splits) -> None:
    _, labels = cut_rows(sample["train"], 20, 77, seed=0)
    assert np.count_nonzero(labels == 77) == 10
