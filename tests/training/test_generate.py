"""Generated pictures: digits as other people write them, and what is no digit."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.judge import NO_DIGIT, opinions
from digits.models.find import shipped_folder
from digits.pictures.normalize import fit, has_mnist_geometry, ink_box
from digits.training.generate import not_digits, written, written_digits
from digits.training.glyphs import DIGITS, OTHERS, Shape


@pytest.fixture(scope="module")
def cnn() -> Recognizer:
    """The shipped one, whatever lies in ./models."""
    return Recognizer(shipped_folder() / "cnn.h5")


def test_as_many_of_each_digit_as_asked() -> None:
    made = written_digits(205, seed=1)
    assert made.images.shape == (205, 28, 28)
    assert made.counts.tolist() == [21] * 5 + [20] * 5


def test_written_digits_have_the_geometry_of_mnist() -> None:
    made = written_digits(500, seed=2)
    assert np.mean([has_mnist_geometry(image) for image in made.images]) > 0.99
    assert (made.images.max(axis=(1, 2)) > 250).all()


def test_one_seed_writes_one_set() -> None:
    first = written_digits(100, seed=3)
    assert first.fingerprint == written_digits(100, seed=3).fingerprint
    assert first.count_in(written_digits(100, seed=4).digests) == 0
    assert len(np.unique(first.digests)) == 100


def test_a_recogniser_reads_most_of_them(cnn: Recognizer) -> None:
    """Not all: they are written in ways that MNIST does not know."""
    made = written_digits(1000, seed=5)
    right = cnn.probabilities(made.images).argmax(axis=1) == made.labels
    assert right.mean() > 0.7
    for digit in range(10):
        assert right[made.labels == digit].mean() > 0.4, f"too few of {digit}"


def _shapes() -> list[tuple[str, Shape]]:
    """Every shape, with a name to find it by."""
    ways = [(f"{digit} {i}", way) for digit, all_ in DIGITS.items() for i, way in enumerate(all_)]
    return ways + [(f"sign {i}", sign) for i, sign in enumerate(OTHERS)]


def test_all_digits_have_several_shapes() -> None:
    assert sorted(DIGITS) == list(range(10))
    assert min(map(len, DIGITS.values())) >= 3
    points = [p for _, shape in _shapes() for stroke in shape for p in stroke]
    assert min(min(p) for p in points) > -0.3
    assert max(max(p) for p in points) < 1.3


def test_hardly_anything_is_cut_off_at_the_canvas() -> None:
    cut = []
    for name, shape in _shapes():
        for seed in range(40):
            drawn = written(shape, np.random.default_rng(seed))
            edge = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
            if edge.any():
                cut.append(f"{name} of seed {seed}")
    total = 40 * len(_shapes())
    assert len(cut) < 0.03 * total, (
        f"{len(cut)} of {total} writings touch the edge, such as {', '.join(cut[:5])}"
    )


def test_shapes_stand_under_their_own_digit(cnn: Recognizer) -> None:
    """Hardly a shape is one that a reader of MNIST never takes for its digit."""
    odd = []
    for digit, shapes in DIGITS.items():
        for i, shape in enumerate(shapes):
            drawn = [written(shape, np.random.default_rng(seed)) for seed in range(12)]
            images = np.stack([fit(ink, ink_box(ink)) for ink in drawn])
            if (cnn.probabilities(images).argmax(axis=1) == digit).mean() < 0.2:
                odd.append(f"{digit} {i}")
    assert len(odd) <= 3, odd


def test_the_pen_is_as_thick_as_asked() -> None:
    thin, usual, thick = (
        np.count_nonzero(written(DIGITS[1][0], np.random.default_rng(0), pen)) for pen in (4, 8, 16)
    )
    assert 1.5 * thin < usual < thick / 1.5


def test_what_is_no_digit(sample: Splits) -> None:
    digits = sample["train"].images
    made = not_digits(digits, 600, seed=1)
    assert (made.shape, made.dtype) == ((600, 28, 28), np.uint8)
    assert (made.max(axis=(1, 2)) > 200).all(), "a blank picture"
    assert (np.count_nonzero(made > 64, axis=(1, 2)) >= 10).all(), "a picture with next to no ink"
    assert np.mean([has_mnist_geometry(image) for image in made]) > 0.95
    assert not {image.tobytes() for image in made} & {digit.tobytes() for digit in digits}
    assert len(np.unique(made, axis=0)) > 590  # all different
    assert (made == not_digits(digits, 600, seed=1)).all()
    assert (made != not_digits(digits, 600, seed=2)).any()
    assert not_digits(digits, 0).shape == (0, 28, 28)


def test_the_judge_takes_hardly_any_of_them_for_a_digit(sample: Splits) -> None:
    """So they are not digits, mostly: the labels that the judge learns from are right."""
    made = not_digits(sample["test"].images, 600, seed=7)
    assert (opinions(made).argmax(axis=1) == NO_DIGIT).mean() > 0.85
