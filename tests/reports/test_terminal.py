"""Digits drawn with characters."""

from __future__ import annotations

import io

import numpy as np
import pytest

from digits.reports.terminal import WIDTH, render, supports_blocks


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.fixture(scope="module")
def images(sample):
    return sample["test"].images[:5]


def test_half_blocks_show_every_pixel_in_its_place():
    image = np.zeros((28, 28), np.uint8)
    image[0, 0] = image[3, 1] = image[4:6, 2] = 255
    lines = render(image[None]).split("\n")
    assert len(lines) == 14
    assert lines[:3] == ["▀", " ▄", "  █"]
    assert lines[3:] == [""] * 11


def test_faint_strokes_show_as_strong_ones_do(images):
    assert render(images // 4) == render(images)


def test_a_blank_picture_is_blank():
    blank = np.zeros((1, 28, 28), np.uint8)
    assert render(blank).strip() == render(blank, ascii_only=True).strip() == ""


@pytest.mark.parametrize(
    ("width", "rows"), [(10, 5), (WIDTH, 5), (57, 5), (58, 3), (88, 2), (200, 1)]
)
def test_a_row_holds_as_many_as_fit(images, width, rows):
    text = render(images, [str(i) for i in range(5)], width)
    assert len(text.split("\n")) == 15 * rows + (rows - 1)
    assert max(map(len, text.split("\n"))) <= max(width, WIDTH)


def test_captions_are_above_their_digits_and_truncated(images):
    first = render(images[:3], ["one", "t" * 99, "three\x1b[31m\n"], 100).split("\n")[0]
    assert first == "one".ljust(30) + "t" * 28 + "  " + "three?[31m?"


def test_ascii_is_plain_and_shaded(images):
    text = render(images, ["é→"] * 5, ascii_only=True)
    assert text.isascii()
    assert {"@", ".", "#"} <= set(text)
    assert text.startswith("??")


def test_the_encoding_of_the_stream_decides():
    assert supports_blocks(stream("utf-8"))
    assert supports_blocks(stream("cp437"))
    assert not supports_blocks(stream("ascii"))
    assert not supports_blocks(stream("latin-1"))
    assert not supports_blocks(io.StringIO())
