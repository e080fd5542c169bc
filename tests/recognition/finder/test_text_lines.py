"""Lines of writing: what belongs to which, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from digits import Splits
from digits.recognition.finder.text_lines import find_lines, merged
from drawing import Page, Pixels, in_a_row, ink_of, page

SCALE = 4  # a digit is 80 pixels tall
Rng = np.random.Generator
Written = tuple[Page, list[list[int]]]  # and the numbers of the digits in each line


def as_read(written: Page) -> list[list[int]]:
    """The numbers of the digits, line by line; a digit in several pieces counts once in a row."""
    lines = []
    for line in find_lines(written.ink):
        numbers: list[int] = []
        for piece in line.pieces:
            place = np.s_[piece.top : piece.bottom, piece.left : piece.right]
            number = int(np.bincount(written.owners[place][piece.ink > 100]).argmax())
            if number not in numbers[-1:]:
                numbers.append(number)
        lines.append(numbers)
    return lines


def some(sample: Splits, count: int, rng: Rng) -> list[Pixels]:
    images = sample["test"].images
    return list(images[rng.integers(len(images), size=count)])


def lines_of(
    sample: Splits,
    rng: Rng,
    counts: Sequence[int],
    pitch: float = 32,
    gap: float = 6,
    degrees: float = 0,
    uneven: float = 0,
) -> Written:
    """Lines of `counts` digits. All lengths are in MNIST's pixels; degrees: how far they sink."""
    digits: list[Pixels] = []
    spots: list[tuple[float, float]] = []
    numbers = []
    for i, count in enumerate(counts):
        line = some(sample, count, rng)
        numbers.append(list(range(len(digits) + 1, len(digits) + count + 1)))
        drops = list(rng.uniform(-uneven, uneven, count))
        start = (rng.uniform(0, 12), i * pitch)
        spots += in_a_row(line, gap, float(np.tan(np.deg2rad(degrees))), drops, start)
        digits += line
    return page(digits, spots, SCALE, margin=30), numbers


def right(make: Callable[[Rng], Written], count: int = 25) -> float:
    """The share of pages on which every digit is found in its place."""
    rng = np.random.default_rng(0)
    pages = [make(rng) for _ in range(count)]
    return float(np.mean([as_read(written) == numbers for written, numbers in pages]))


@pytest.mark.parametrize("gap", [2, 6, 20, 60])
def test_one_line_from_left_to_right(sample: Splits, gap: float) -> None:
    assert right(lambda rng: lines_of(sample, rng, [7], gap=gap)) >= 0.9


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_line_up_or_down_a_slope(sample: Splits, degrees: float) -> None:
    assert right(lambda rng: lines_of(sample, rng, [7], degrees=degrees)) >= 0.85


def test_an_uneven_baseline(sample: Splits) -> None:
    assert right(lambda rng: lines_of(sample, rng, [7], uneven=5)) >= 0.9


@pytest.mark.parametrize(("pitch", "degrees"), [(26, 0), (34, 0), (42, 8), (42, -8)])
def test_several_lines_from_top_to_bottom(sample: Splits, pitch: float, degrees: float) -> None:
    make = lambda rng: lines_of(sample, rng, [4, 7, 1, 5], pitch, degrees=degrees)  # noqa: E731
    assert right(make) >= 0.85


def test_columns(sample: Splits) -> None:
    assert right(lambda rng: lines_of(sample, rng, [1] * 6, pitch=28)) >= 0.9
    assert right(lambda rng: lines_of(sample, rng, [2] * 4, pitch=28, gap=10)) >= 0.9


def test_the_height_and_slope_of_a_line(sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for degrees in (-20, 0, 20):
        (line,) = find_lines(lines_of(sample, rng, [8], degrees=degrees, gap=12)[0].ink)
        assert 70 <= line.height <= 85
        assert line.slope == pytest.approx(np.tan(np.deg2rad(degrees)), abs=0.12)


@pytest.mark.parametrize("mark", ["dot", "comma", "dash"])
def test_a_separator_goes_with_its_line(sample: Splits, mark: str) -> None:
    """One stands in the second of three lines, after the second digit; it is a piece of its own."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        digits = some(sample, 12, rng)
        spots = [
            spot for i in (0, 4, 8) for spot in in_a_row(digits[i : i + 4], 9, start=(0, 8 * i))
        ]
        written = page(digits, spots, SCALE, margin=30)
        ink = written.ink.copy()
        x, y = written.boxes[5][2] + 18, written.boxes[5][3]
        if mark == "dot":
            cv2.circle(ink, (x, y - 5), 5, 255, -1)
        elif mark == "comma":
            cv2.line(ink, (x, y - 8), (x - 6, y + 10), 255, 6)
        else:
            cv2.line(ink, (x - 9, y - 40), (x + 9, y - 40), 255, 6)
        lines = find_lines(ink)
        small = [[p for p in line.pieces if max(p.width, p.height) < 28] for line in lines]
        at = [
            (i, [q.x < p.x for q in lines[i].pieces].count(True))
            for i, pieces in enumerate(small)
            for p in pieces
            if abs(p.x - x) < 8
        ]
        found.append(len(lines) == 3 and len(at) == 1 and at[0][0] == 1 and at[0][1] >= 2)
    assert np.mean(found) >= 0.9


def test_a_five_whose_bar_hangs_free_is_one_piece(sample: Splits) -> None:
    """Between two other digits; the bar is a pen's width above the body and reaches past it."""
    test = sample["test"]
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, two = some(sample, 2, rng)
        body = np.zeros((28, 28), np.uint8)
        body[8:24, 6:20] = cv2.resize(ink_of(test.images[3]), (14, 16))  # a body like a 3's
        digits = [one, body, two]
        written = page(digits, in_a_row(digits, 10), SCALE, margin=30)
        left, top, right_, _ = written.boxes[1]
        ink = written.ink.copy()
        bar = (left + 10, top - 14), (right_ + 14, top - 18)
        cv2.line(ink, *bar, 255, 8)
        (line,) = find_lines(ink)
        hosts = [p for p in line.pieces if p.left <= bar[0][0] and p.right >= right_ + 14]
        assert len(hosts) == 1
        assert hosts[0].top <= bar[1][1]
        assert hosts[0].height >= 60


def test_pieces_hold_all_ink_once(sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        ink = lines_of(sample, rng, [3, 5], uneven=3)[0].ink
        pieces = [piece for line in find_lines(ink) for piece in line.pieces]
        again = np.zeros_like(ink)
        for p in pieces:
            place = again[p.top : p.bottom, p.left : p.right]
            assert not (place[p.ink > 0]).any()
            np.maximum(place, p.ink, out=place)
        strong = ink > 100
        assert np.mean(again[strong] == ink[strong]) > 0.99
        whole = merged(pieces)
        assert np.array_equal(whole.ink, again[whole.top : whole.bottom, whole.left : whole.right])
        assert (whole.x, whole.y) == (whole.left + whole.width / 2, whole.top + whole.height / 2)


def test_nothing_and_next_to_nothing() -> None:
    assert find_lines(np.zeros((50, 80), np.uint8)) == []
    assert find_lines(np.full((50, 80), 99, np.uint8)) == []  # as pale as a soft edge
    for shape in ((1, 1), (1, 200), (200, 1)):
        (line,) = find_lines(np.full(shape, 255, np.uint8))
        assert [p.ink.shape for p in line.pieces] == [shape]


def test_dust_beside_digits_is_no_piece(sample: Splits) -> None:
    written = lines_of(sample, np.random.default_rng(0), [5])[0]
    ink = written.ink.copy()
    ink[5:8, 5:8] = ink[-9:-6, 40:43] = 255
    assert [len(line.pieces) for line in find_lines(ink)] == [
        len(line.pieces) for line in find_lines(written.ink)
    ]
