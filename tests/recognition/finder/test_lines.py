"""Lines of digits from where digits are."""

from __future__ import annotations

import numpy as np
import pytest

from digits.recognition.finder import lines_of


def lines(places: list[tuple[float, float]], height: float = 20) -> list[list[int]]:
    """The lines of digits of one height with their middles at `places` (x, y)."""
    half = np.array([0.3 * height, 0.5 * height])
    corners = (np.r_[place - half, place + half].round().astype(int) for place in places)
    boxes = [(left, top, right, bottom) for left, top, right, bottom in corners]
    return lines_of(boxes)


def test_nothing_makes_no_line() -> None:
    assert lines([]) == []


def test_digits_beside_each_other_are_a_line_from_left_to_right() -> None:
    assert lines([(60, 50), (10, 52), (35, 49)]) == [[1, 2, 0]]


def test_digits_above_each_other_are_a_line_each() -> None:
    assert lines([(50, 90), (52, 30), (49, 60)]) == [[1], [2], [0]]


def test_two_rows_stay_apart() -> None:
    upper = [(x, 30.0) for x in range(10, 210, 40)]
    lower = [(x, 70.0) for x in range(15, 215, 40)]
    assert lines(lower + upper) == [[5, 6, 7, 8, 9], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize("slope", [-0.6, -0.2, 0.1, 0.4, 0.8])
def test_a_sloping_line_is_one(slope: float) -> None:
    places = [(x, 300 + slope * x) for x in np.arange(20.0, 300, 24)]
    assert lines(places) == [list(range(len(places)))]


@pytest.mark.parametrize("slope", [-0.3, 0.25])
def test_two_sloping_rows_stay_apart(slope: float) -> None:
    first = [(x, 200 + slope * x) for x in np.arange(20.0, 260, 24)]
    second = [(x, y + 45) for x, y in first]
    assert lines(second + first) == [list(range(10, 20)), list(range(10))]


def test_an_arc_is_one_line() -> None:
    places = [(x, 100 - 0.002 * (x - 200) ** 2) for x in np.arange(40.0, 360, 22)]
    assert lines(places) == [list(range(len(places)))]
