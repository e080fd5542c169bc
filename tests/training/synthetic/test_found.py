"""What the finder makes of generated pages."""

from __future__ import annotations

import numpy as np

from digits import Splits
from digits.recognition.rejector import NO_DIGIT
from digits.training.synthetic.found import find_on_pages


def test_candidates(sample: Splits) -> None:
    found = find_on_pages(sample["train"], 60, NO_DIGIT, seed=3)
    assert found.images.shape == (60, 28, 28)
    assert found.finder.shape == (60, 11)
    assert found.images.any(axis=(1, 2)).all()
    np.testing.assert_allclose(found.finder.sum(axis=1), 1, atol=1e-5)
    assert 0 < found.mistaken < 1
    is_digit = found.labels != NO_DIGIT
    assert is_digit.sum() == 30
    assert (found.finder[is_digit].argmax(axis=1) == found.labels[is_digit]).mean() > 0.6
    assert found.finder[is_digit, NO_DIGIT].mean() < found.finder[~is_digit, NO_DIGIT].mean()


def test_the_seed_decides(sample: Splits) -> None:
    first, again, other = (find_on_pages(sample["train"], 10, NO_DIGIT, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.finder, again.finder)
    assert not np.array_equal(first.images, other.images)
