"""Ruled lines are removed, and nothing else.

A digit on ruled paper is compared with the same digit on plain paper, both after preprocessing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits import Recognizer, Splits
from digits.imaging.geometry import bounding_box, to_mnist_geometry
from digits.imaging.ruled_lines import without_ruled_lines
from digits.recognition.preprocess import preprocess
from drawing import Pixels, drawn_large, far, in_a_row, ink_of, on_paper, page, png

SCALE = 6  # a digit is 120 pixels tall
PAPER = 235.0
Gray = NDArray[np.float64]

SQUARES, TIGHT_BOX, CROSSED, SHORT = (
    pytest.mark.xfail(reason=reason, strict=True)
    for reason in (
        "squares smaller than the digit",
        "a box hardly taller than the digit, or with paper around it",
        "a digit that meets or crosses the line of its box",
        "an underline that ends inside the picture",
    )
)


def written_on(paper: Gray, ink: Pixels, pen: float = 40) -> Pixels:
    """A mask over printed paper: of two inks in one place the darker shows."""
    return np.rint(np.minimum(paper, on_paper(ink, PAPER, pen))).astype(np.uint8)


def lined(
    shape: tuple[int, ...], pitch: int, tone: float, thickness: int, squared: bool, degrees: float
) -> Gray:
    """Ruled or squared paper, turned by `degrees`, on which no line ends inside."""
    height, width = shape
    side = 2 * max(shape)
    paper = np.full((side, side), PAPER)
    for start in range(side // 2 % pitch, side, pitch):
        paper[start : start + thickness] = tone
        if squared:
            paper[:, start : start + thickness] = tone
    if degrees:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
        paper = cv2.warpAffine(paper, turn, (side, side), borderValue=PAPER)
    top, left = (side - height) // 2, (side - width) // 2
    return np.asarray(paper[top : top + height, left : left + width], np.float64)


def boxed(
    ink: Pixels, room: float, thickness: int, around: int, moved: tuple[int, int] = (0, 0)
) -> Pixels:
    """A digit in a square printed box, `room` times as tall, with `around` pixels around that.

    moved: how far the digit is from the middle of the box, to the right and down.
    """
    most = 100
    height, width = ink.shape
    side = round(room * height)
    paper = np.full((side + 2 * most,) * 2, PAPER)
    for i in range(thickness):
        cv2.rectangle(paper, (most + i,) * 2, (most + side - 1 - i,) * 2, 60)
    placed = np.zeros(paper.shape, np.uint8)
    left, top = (len(paper) - width) // 2 + moved[0], (len(paper) - height) // 2 + moved[1]
    placed[top : top + height, left : left + width] = ink
    inside = np.s_[most - around : most + side + around]
    return written_on(paper, placed)[inside, inside]


def underlined(ink: Pixels, gap: int, length: float | None, drop: int) -> Pixels:
    """A digit with a line `gap` pixels under it, `length` times as long as the digit is tall.

    Without `length`, the line goes through the whole picture. drop: of its right end.
    """
    half = round((length or 2) * len(ink) / 2)
    ink = np.pad(ink, ((60, 60), (half + 30, half + 30)))
    paper = np.full(ink.shape, PAPER)
    middle, y = ink.shape[1] // 2, ink.shape[0] - 60 + gap
    reach = half if length else middle
    cv2.line(paper, (middle - reach, y), (middle + reach, y + drop), 60, 2)
    return written_on(paper, ink)


def distances(
    sample: Splits, photo: Callable[[Pixels], Pixels], step: int = 83
) -> NDArray[np.float64]:
    """The distance of a digit on ruled paper from the one on plain paper; 9 if none is found."""
    found = []
    for digit in sample["test"].images[::step]:
        ink = drawn_large(digit, SCALE, (0, 0, 0, 0))
        seen = preprocess(png(photo(ink)))
        clean = preprocess(png(255 - np.pad(ink, 30))).image
        found.append(far(seen.image, clean) if seen.has_ink else 9.0)
    return np.array(found)


def check(found: NDArray[np.float64]) -> None:
    assert np.median(found) < 0.25
    assert np.mean(found < 0.5) >= 0.8


def on_lines(
    pitch: int, tone: float, thickness: int, degrees: float, squared: bool = False
) -> Callable[[Pixels], Pixels]:
    def photo(ink: Pixels) -> Pixels:
        ink = np.pad(ink, 90)
        return written_on(lined(ink.shape, pitch, tone, thickness, squared, degrees), ink)

    return photo


@pytest.mark.parametrize("degrees", [0, 2, -2])
@pytest.mark.parametrize(("tone", "thickness"), [(120, 2), (60, 2), (60, 3)])
def test_ruled_paper(sample: Splits, tone: int, thickness: int, degrees: float) -> None:
    check(distances(sample, on_lines(95, tone, thickness, degrees)))


@pytest.mark.parametrize("degrees", [0, 2])
@pytest.mark.parametrize("tone", [205, 180])
@pytest.mark.parametrize("squared", [False, True], ids=["ruled", "squared"])
def test_pale_lines(sample: Splits, squared: bool, tone: int, degrees: float) -> None:
    check(distances(sample, on_lines(40, tone, 2, degrees, squared)))


@pytest.mark.parametrize("degrees", [0, 2])
@SQUARES
def test_squared_paper(sample: Splits, degrees: float) -> None:
    check(distances(sample, on_lines(30, 120, 2, degrees, squared=True)))


@pytest.mark.parametrize(
    ("room", "around"),
    [
        (2.2, 0), (2.2, 5), (1.7, 0), (1.7, 5),
        pytest.param(1.4, 0, marks=TIGHT_BOX),
        pytest.param(1.4, 5, marks=TIGHT_BOX),
        pytest.param(1.7, 40, marks=TIGHT_BOX),
    ],
)  # fmt: skip
def test_a_printed_box_around_the_digit(sample: Splits, room: float, around: int) -> None:
    for thickness in (2, 4):
        check(distances(sample, lambda ink, t=thickness: boxed(ink, room, t, around)))


@pytest.mark.parametrize("moved", [(0, 60), (0, -60), (-70, 10)], ids=["low", "high", "left"])
@CROSSED
def test_a_digit_across_the_line_of_its_box(sample: Splits, moved: tuple[int, int]) -> None:
    check(distances(sample, lambda ink: boxed(ink, 1.8, 2, 10, moved)))


@pytest.mark.parametrize("drop", [0, 8])
@pytest.mark.parametrize(
    ("gap", "length"),
    [
        (15, None), (5, None), (0, None), (-5, None),
        pytest.param(15, 3, marks=SHORT),
        pytest.param(15, 1.2, marks=SHORT),
    ],
)  # fmt: skip
def test_an_underline(sample: Splits, gap: int, length: float | None, drop: int) -> None:
    check(distances(sample, lambda ink: underlined(ink, gap, length, drop)))


def kept(inks: Sequence[Pixels]) -> float:
    """The share of masks that come back as they are."""
    return float(np.mean([np.array_equal(without_ruled_lines(ink), ink) for ink in inks]))


@pytest.mark.parametrize(("scale", "margin"), [(2, 0), (4, 40), (9, 90)])
def test_no_stroke_of_a_digit_is_a_ruled_line(sample: Splits, scale: int, margin: int) -> None:
    digits = sample["test"].images[:: 3 if scale < 9 else 13]
    assert kept([drawn_large(digit, scale, (margin,) * 4) for digit in digits]) >= 0.99


@pytest.mark.parametrize("scale", [4, 9])
def test_no_stroke_of_a_tightly_cut_digit_is_a_ruled_line(sample: Splits, scale: int) -> None:
    digits = sample["test"].images[:: 3 if scale < 9 else 13]
    for margin in (0, 2):
        assert kept([drawn_large(digit, scale, (margin,) * 4) for digit in digits]) >= 0.99


def test_tightly_cut_digits_are_read_as_without_this_step(sample: Splits) -> None:
    recognizer = Recognizer("cnn")
    inks = [drawn_large(digit, 5, (0, 0, 0, 0)) for digit in sample["test"].images[::7]]
    plain = np.stack([to_mnist_geometry(ink, bounding_box(ink)) for ink in inks])
    ours = np.stack([preprocess(png(255 - ink), "dark").image for ink in inks])
    answers = [recognizer.probabilities(images).argmax(axis=1) for images in (plain, ours)]
    assert np.mean(answers[0] == answers[1]) >= 0.96


@pytest.mark.parametrize("labels", [(1,), (1, 4, 7)], ids=["ones", "long strokes"])
@pytest.mark.parametrize("margin", [0, 20])
def test_no_row_of_long_strokes_is_a_ruled_line(
    sample: Splits, labels: tuple[int, ...], margin: int
) -> None:
    """Rows such as 11, 111 and 1147, tightly cut too."""
    test = sample["test"]
    chosen = test.images[np.isin(test.labels, labels)]
    rng = np.random.default_rng(0)
    inks = []
    for count in (2, 3, 5):
        for _ in range(30):
            digits = list(chosen[rng.integers(len(chosen), size=count)])
            inks.append(page(digits, in_a_row(digits, gap=rng.uniform(0, 8)), 6, margin).ink)
    assert kept(inks) >= (0.99 if margin else 0.96)


def test_a_one_with_a_foot_and_one_vertical_stroke() -> None:
    """As it is taught: a vertical stroke, and a foot as wide as that is tall, or nearly."""
    for foot, pen, margin in ((40, 8, 0), (60, 8, 10), (80, 12, 30), (50, 4, 0), (0, 10, 0)):
        ink = np.zeros((130, 110), np.uint8)
        cv2.line(ink, (55, 10), (55, 115), 255, pen, cv2.LINE_AA)
        cv2.line(ink, (55, 10), (30, 40), 255, pen, cv2.LINE_AA)
        if foot:
            cv2.line(ink, (55 - foot // 2, 115), (55 + foot // 2, 115), 255, pen, cv2.LINE_AA)
        ink = np.pad(ink_of(ink), margin)
        assert np.array_equal(without_ruled_lines(ink), ink), (foot, pen, margin)
    bar = np.full((120, 9), 255, np.uint8)
    for margin in (0, 1, 30):
        assert np.array_equal(without_ruled_lines(np.pad(bar, margin)), np.pad(bar, margin))


def test_paper_with_nothing_but_lines() -> None:
    """Whether that is ink is not decided here; it must come to an end."""
    for squared in (False, True):
        for degrees in (0, 2, 7, 45):
            paper = lined((200, 300), 30, 60, 2, squared, degrees)
            ink = np.rint(PAPER - paper).astype(np.uint8)
            assert without_ruled_lines(ink).shape == ink.shape
