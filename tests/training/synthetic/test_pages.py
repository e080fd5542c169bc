"""Generated pages: what they show agrees with their truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits import Splits
from digits.training.synthetic.pages import store
from digits.training.synthetic.pages.page import Page, PageMaker
from digits.training.synthetic.pages.targets import IGNORED, STRIDE, targets

KINDS = ("single", "drawn", "figure", "lines", "rows", "none", "plot")
SHAPE = (96, 160)


@pytest.fixture(scope="module")
def maker(sample: Splits) -> PageMaker:
    return PageMaker(sample["train"], seed=1)


@pytest.fixture(scope="module")
def pages(maker: PageMaker) -> list[Page]:
    return [maker.page(SHAPE, kind) for kind in KINDS for _ in range(12)]


def test_the_same_seed_gives_the_same_pages(sample: Splits) -> None:
    first, second = (PageMaker(sample["train"], seed=7) for _ in range(2))
    for _ in range(5):
        one, other = first.page(SHAPE), second.page(SHAPE)
        assert np.array_equal(one.gray, other.gray)
        assert np.array_equal(one.owner, other.owner)
        assert one.digits == other.digits


def test_planes_are_bytes_of_the_shape_that_was_asked_for(pages: list[Page]) -> None:
    for page in pages:
        for plane in (page.gray, page.mask, page.owner):
            assert plane.shape == SHAPE
            assert plane.dtype == np.uint8


def test_boxes_hold_all_ink_of_their_digits(pages: list[Page]) -> None:
    for page in pages:
        known = {0}
        for digit in page.digits:
            left, top, right, bottom = digit.box
            rows, columns = np.nonzero(page.owner == digit.number)
            assert (left, top, right, bottom) == (
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1,
            )  # fmt: skip
            known.add(digit.number)
        assert set(np.unique(page.owner).tolist()) == known


def test_ink_that_belongs_to_a_digit_is_in_the_mask(pages: list[Page]) -> None:
    owned = np.concatenate([page.mask[page.owner > 0] for page in pages])
    assert (owned > 60).mean() > 0.97  # a warp moves some edges by half a pixel


@pytest.mark.parametrize("kind", ["none", "plot"])
def test_pages_of_nothing_hold_no_digit(maker: PageMaker, kind: str) -> None:
    for _ in range(8):
        page = maker.page(SHAPE, kind)
        assert not page.digits
        assert not page.mask.any()


def test_lines_have_the_digits_that_are_whole(pages: list[Page]) -> None:
    for page in pages:
        whole = sorted(str(digit.label) for digit in page.digits if digit.label >= 0)
        assert sorted("".join(page.lines)) == whole
    line = next(page for page in pages if len(page.lines) == 1 and len(page.lines[0]) > 2)
    order = sorted((d for d in line.digits if d.label >= 0), key=lambda digit: digit.order)
    assert line.lines == ["".join(str(digit.label) for digit in order)]


def test_strips_are_hardly_higher_than_their_line(maker: PageMaker) -> None:
    """Some pages of lines repeat their edge above and below a strip."""
    flat = 0
    for _ in range(40):
        gray = maker.page((96, 96), "lines").gray.astype(int)
        flat += int((np.ptp(gray, axis=1).max() > 0) and (np.diff(gray[:20], axis=0) == 0).all())
    assert 2 <= flat <= 30


def test_every_digit_comes_up(pages: list[Page]) -> None:
    assert {digit.label for page in pages for digit in page.digits} >= set(range(10))


def test_most_digits_stand_out_from_their_surroundings(pages: list[Page]) -> None:
    differences = [
        abs(float(page.gray[page.mask > 160].mean()) - float(np.median(page.gray)))
        for page in pages
        if (page.mask > 160).sum() > 20
    ]
    assert np.median(differences) > 25


def test_the_cells_of_a_digit_weigh_the_same_for_large_and_small(pages: list[Page]) -> None:
    found = targets(pages)
    for owner, weight, digits in zip(found.owner, found.weight, found.digits, strict=True):
        for number in range(1, int(owner.max()) + 1):
            if digits[number - 1, 0] >= 0 and (owner == number).any():
                total = weight[owner == number].sum(dtype=float)
                assert total == pytest.approx(1, abs=0.01)


def test_heat_is_highest_in_the_middle_of_a_digit(pages: list[Page]) -> None:
    found = targets(pages)
    for heat, digits in zip(found.heat, found.digits, strict=True):
        for label, x, y, _, _ in digits:
            cell = heat[
                min(int(y) // STRIDE, heat.shape[0] - 1), min(int(x) // STRIDE, heat.shape[1] - 1)
            ]
            if label >= 0:
                assert cell > 60
            elif label == -2:
                assert cell == IGNORED or cell > 0


def test_a_file_of_pages_reads_back_as_it_was(pages: list[Page], tmp_path: Path) -> None:
    found = targets(pages)
    store.save(found, tmp_path / "pages-1.npz")
    again = store.load(store.files(tmp_path)[0])
    assert np.array_equal(found.planes, again.planes)
    assert np.array_equal(found.digits, again.digits)
    assert found.kinds.tolist() == again.kinds.tolist()
