"""Generated handwriting."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Recognizer
from digits.imaging.geometry import bounding_box, has_mnist_geometry, to_mnist_geometry
from digits.models.find import shipped_folder
from digits.training.synthetic.glyphs import DIGITS, SYMBOLS, Shape
from digits.training.synthetic.handwriting import draw_shape, generate_digits


@pytest.fixture(scope="module")
def cnn() -> Recognizer:
    """The shipped one, whatever lies in ./models."""
    return Recognizer(shipped_folder() / "cnn.h5")


def test_every_digit_is_generated_as_often() -> None:
    made = generate_digits(205, seed=1)
    assert made.images.shape == (205, 28, 28)
    assert made.counts.tolist() == [21] * 5 + [20] * 5


def test_digits_have_the_geometry_of_mnist() -> None:
    made = generate_digits(500, seed=2)
    assert np.mean([has_mnist_geometry(image) for image in made.images]) > 0.99
    assert (made.images.max(axis=(1, 2)) > 250).all()


def test_a_seed_gives_the_same_set() -> None:
    first = generate_digits(100, seed=3)
    assert first.fingerprint == generate_digits(100, seed=3).fingerprint
    assert first.count_in(generate_digits(100, seed=4).digests) == 0
    assert len(np.unique(first.digests)) == 100


def test_a_recognizer_reads_most_of_them(cnn: Recognizer) -> None:
    """Not all: their writing styles are not those of MNIST."""
    made = generate_digits(1000, seed=5)
    correct = cnn.probabilities(made.images).argmax(axis=1) == made.labels
    assert correct.mean() > 0.7
    for digit in range(10):
        assert correct[made.labels == digit].mean() > 0.4, f"too few of {digit}"


def _shapes() -> list[tuple[str, Shape]]:
    """Every shape with a name."""
    digits = [(f"{digit} {i}", s) for digit, shapes in DIGITS.items() for i, s in enumerate(shapes)]
    return digits + [(f"symbol {i}", s) for i, s in enumerate(SYMBOLS)]


def test_all_digits_have_several_shapes() -> None:
    assert sorted(DIGITS) == list(range(10))
    assert min(map(len, DIGITS.values())) >= 3
    points = [p for _, shape in _shapes() for stroke in shape for p in stroke]
    assert min(min(p) for p in points) > -0.3
    assert max(max(p) for p in points) < 1.3


def test_hardly_any_drawing_is_cut_off() -> None:
    cut = []
    for name, shape in _shapes():
        for seed in range(20):
            drawn = draw_shape(shape, np.random.default_rng(seed))
            edge = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
            if edge.any():
                cut.append(f"{name} of seed {seed}")
    total = 20 * len(_shapes())
    assert len(cut) < 0.03 * total, (
        f"{len(cut)} of {total} drawings touch the edge, such as {', '.join(cut[:5])}"
    )


def test_shapes_have_the_right_label(cnn: Recognizer) -> None:
    """Hardly any shape is one that a model of MNIST never recognizes."""
    odd = []
    for digit, shapes in DIGITS.items():
        for i, shape in enumerate(shapes):
            drawn = [draw_shape(shape, np.random.default_rng(seed)) for seed in range(12)]
            images = np.stack([to_mnist_geometry(mask, bounding_box(mask)) for mask in drawn])
            if (cnn.probabilities(images).argmax(axis=1) == digit).mean() < 0.2:
                odd.append(f"{digit} {i}")
    assert len(odd) <= 3, odd


def test_the_stroke_width_can_be_chosen() -> None:
    thin, medium, thick = (
        np.count_nonzero(draw_shape(DIGITS[1][0], np.random.default_rng(0), pen))
        for pen in (4, 8, 16)
    )
    assert 1.5 * thin < medium < thick / 1.5
