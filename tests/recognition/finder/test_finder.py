"""The door of the finder: the foreground of one digit, and all digits of a page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from digits import Splits
from digits.imaging.decode import Picture, decode
from digits.imaging.geometry import bounding_box
from digits.recognition.finder import count_digits, find_digits, find_foreground
from digits.recognition.finder.path import best_path
from digits.recognition.finder.segment import candidates
from digits.recognition.finder.text_lines import find_lines
from digits.recognition.rejector import probabilities
from drawing import Page, Pixels, drawn_large, in_a_row, on_paper, page, png

Rng = np.random.Generator


def row_of(sample: Splits, rng: Rng, count: int) -> Page:
    images = sample["test"].images
    digits = list(images[rng.integers(len(images), size=count)])
    return page(digits, in_a_row(digits, 8), 4, 40)


def photo(written: Page) -> Picture:
    return decode(on_paper(written.ink, grain=2))


def test_the_foreground_of_a_digit(sample: Splits) -> None:
    for digit in sample["test"].images[::199]:
        ink = drawn_large(digit, 5, (40, 20, 30, 50))
        found = find_foreground(decode(on_paper(ink, grain=2)))
        assert found.mask.shape == ink.shape
        assert found.box == bounding_box(found.mask)
        assert np.abs(np.subtract(found.box, bounding_box(np.where(ink > 60, ink, 0)))).max() <= 3
        overlap = np.count_nonzero((found.mask > 100) & (ink > 100))
        assert overlap > 0.8 * np.count_nonzero(ink > 100)


def test_a_large_picture_has_a_smaller_mask(sample: Splits) -> None:
    ink = drawn_large(sample["test"].images[3], 40, (300, 200, 200, 300))
    mask = find_foreground(decode(on_paper(ink))).mask
    assert max(mask.shape) == 640
    assert mask.shape[0] / mask.shape[1] == pytest.approx(ink.shape[0] / ink.shape[1], rel=0.01)


def test_marks_at_the_edge_are_left_out(sample: Splits) -> None:
    """The neighbors in a form look into the picture, on either side of the digit."""
    ink = drawn_large(sample["test"].images[3], 6, (50, 40, 50, 40))
    clean = find_foreground(decode(on_paper(ink)))
    ink[60:80, :8] = ink[90:100, -10:] = 255
    marked = find_foreground(decode(on_paper(ink)))
    assert np.abs(np.subtract(marked.box, clean.box)).max() <= 2


def blank() -> Pixels:
    return on_paper(np.zeros((200, 160), np.uint8), 200, grain=4)


def test_a_blank_page_has_neither() -> None:
    for pixels in (blank(), np.full((1, 1), 7, np.uint8), np.zeros((50, 40, 4), np.uint8)):
        found = find_foreground(decode(pixels))
        assert not found.mask.any()
        assert found.box == (0, 0, 0, 0)
        assert find_digits(decode(pixels)) == []
        assert count_digits(decode(pixels)) == 0


def test_counting(sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 4):
        counts = [count_digits(photo(row_of(sample, rng, count))) for _ in range(8)]
        assert np.mean(np.array(counts) == count) >= 0.75


def test_a_crowded_picture_is_not_counted(sample: Splits) -> None:
    digits = list(sample["test"].images[:110])
    spots = [spot for i in range(0, 110, 10)
             for spot in in_a_row(digits[i : i + 10], 8, start=(0, 4 * i))]  # fmt: skip
    crowd = photo(page(digits, spots, 2, 20))
    assert count_digits(crowd) == 0


def test_digits_from_left_to_right_in_their_boxes(sample: Splits) -> None:
    written = row_of(sample, np.random.default_rng(3), 6)
    (line,) = find_digits(photo(written))
    assert 5 <= len(line) <= 7
    assert all(a.box[0] + a.box[2] < b.box[0] + b.box[2] for a, b in pairwise(line))
    for digit in line:
        assert digit.probabilities.shape == (11,)
        np.testing.assert_allclose(
            digit.probabilities, probabilities(digit.image[None])[0], atol=1e-5
        )
        nearest = np.abs(np.subtract(written.boxes, digit.box)).max(axis=1).min()
        assert nearest <= 6


@pytest.mark.parametrize("dark", [True, False])
def test_the_ink_can_be_told(sample: Splits, dark: bool) -> None:
    written = row_of(sample, np.random.default_rng(3), 3)
    picture = decode(png(255 - written.ink if dark else written.ink))
    assert sum(map(len, find_digits(picture, "dark" if dark else "light"))) >= 3
    assert count_digits(picture, "dark" if dark else "light") >= 2


def test_one_digit_is_one_part(sample: Splits) -> None:
    counts = []
    for digit in sample["test"].images[::17]:
        (line, *_) = find_lines(page([digit], [(0, 0)], 4, 20).ink)
        parts = candidates(line)
        rows = probabilities(np.stack([part.image for part in parts]))
        counts.append(len(best_path(parts, rows)))
    assert np.mean(np.array(counts) == 1) >= 0.93
    assert best_path([], probabilities(np.zeros((0, 28, 28), np.uint8))) == []


def test_a_path_shares_no_part(sample: Splits) -> None:
    (line,) = find_lines(row_of(sample, np.random.default_rng(5), 6).ink)
    parts = candidates(line)
    rows = probabilities(np.stack([part.image for part in parts]))
    path = [parts[i] for i in best_path(parts, rows)]
    assert all(a.last <= b.first for a, b in pairwise(path))
    assert all(a.piece.x < b.piece.x for a, b in pairwise(path))
