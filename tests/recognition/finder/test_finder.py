"""The door of the finder: the foreground of one digit, and all digits of a page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from digits import Splits
from digits.imaging.decode import Picture, decode
from digits.imaging.geometry import bounding_box
from digits.recognition.finder import FoundDigit, find_digits, find_foreground, lines_of
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
        assert found.box == bounding_box(found.mask)
        scale = np.array(ink.shape[::-1] * 2) / np.array(found.mask.shape[::-1] * 2)
        box = np.array(found.box) * scale
        assert np.abs(box - bounding_box(np.where(ink > 60, ink, 0))).max() <= 6
        assert found.probabilities.shape == (11,)
        assert found.probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert found.several < 0.3


def test_a_large_picture_has_a_smaller_mask(sample: Splits) -> None:
    ink = drawn_large(sample["test"].images[3], 40, (300, 200, 200, 300))
    mask = find_foreground(decode(on_paper(ink))).mask
    assert max(mask.shape) < 200
    assert mask.shape[0] / mask.shape[1] == pytest.approx(ink.shape[0] / ink.shape[1], rel=0.02)


def test_a_tiny_digit_in_a_large_picture_has_a_mask_with_its_detail(sample: Splits) -> None:
    ink = drawn_large(sample["test"].images[3], 5, (500, 700, 600, 400))
    found = find_foreground(decode(on_paper(ink, grain=2)))
    assert found.box[3] - found.box[1] >= 40


def test_marks_at_the_edge_are_left_out(sample: Splits) -> None:
    """The neighbors in a form look into the picture, on either side of the digit."""
    ink = drawn_large(sample["test"].images[3], 6, (50, 40, 50, 40))
    clean = find_foreground(decode(on_paper(ink)))
    ink[60:80, :8] = ink[90:100, -10:] = 255
    marked = find_foreground(decode(on_paper(ink)))
    assert np.abs(np.subtract(marked.box, clean.box)).max() <= 3


def test_a_second_digit_is_noticed(sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for count in (2, 4):
        several = [find_foreground(photo(row_of(sample, rng, count))).several for _ in range(8)]
        assert np.mean(np.array(several) > 0.5) >= 0.85


def blank() -> Pixels:
    return on_paper(np.zeros((200, 160), np.uint8), 200, grain=4)


def test_a_blank_page_has_neither() -> None:
    for pixels in (blank(), np.full((1, 1), 7, np.uint8), np.zeros((50, 40, 4), np.uint8)):
        found = find_foreground(decode(pixels))
        assert not found.mask.any()
        assert found.box == (0, 0, 0, 0)
        assert found.probabilities[10] > 0.6
        assert find_digits(decode(pixels)) == []


def test_digits_from_left_to_right_in_their_boxes(sample: Splits) -> None:
    written = row_of(sample, np.random.default_rng(3), 6)
    found = find_digits(photo(written))
    (order,) = lines_of([digit.box for digit in found])
    line = [found[i] for i in order]
    assert len(line) == 6
    assert all(a.box[0] + a.box[2] < b.box[0] + b.box[2] for a, b in pairwise(line))
    for digit in line:
        assert digit.probabilities.shape == (11,)
        nearest = np.abs(np.subtract(written.boxes, digit.box)).max(axis=1).min()
        assert nearest <= 8


def test_the_image_of_a_digit_shows_it_alone(sample: Splits) -> None:
    """Digits that nearly touch: each 28×28 holds as much ink as the digit alone would."""
    digits = list(sample["test"].images[[1, 3, 5, 7]])
    written = page(digits, in_a_row(digits, 1), 4, 40)
    found = sorted(find_digits(photo(written)), key=lambda one: one.box)
    assert len(found) == 4
    for one, digit in zip(found, digits, strict=True):
        share = np.count_nonzero(one.image > 127) / np.count_nonzero(digit > 127)
        assert 0.6 < share < 1.7


@pytest.mark.parametrize("dark", [True, False])
def test_the_ink_can_be_told(sample: Splits, dark: bool) -> None:
    written = row_of(sample, np.random.default_rng(3), 3)
    picture = decode(png(255 - written.ink if dark else written.ink))
    wanted, other = ("dark", "light") if dark else ("light", "dark")

    def found(ink: str) -> list[FoundDigit]:
        return find_digits(picture, ink)  # type: ignore[arg-type]

    assert len(found(wanted)) == len(found("auto")) == 3
    assert not found(other)
    one = decode(png(255 - drawn_large(sample["test"].images[3], 6, (40, 40, 40, 40))))
    assert find_foreground(one, "dark").mask.any()
    assert not find_foreground(one, "light").mask.any()


def test_an_extremely_long_picture_is_looked_at(sample: Splits) -> None:
    for shape in ((1, 5000), (5000, 1), (20, 9000)):
        assert find_digits(decode(np.full(shape, 200, np.uint8))) == []
