"""Whatever bytes are preprocessed: a 28×28, or a PictureError of one line."""

from __future__ import annotations

import contextlib
import io
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from digits import Splits
from digits.errors import PictureError
from digits.imaging.decode import decode
from digits.recognition.preprocess import preprocess
from imaging.broken_pictures import (
    FORMATS,
    NO_INK,
    READ,
    TRACEBACK,
    encoded_runs,
    mutants,
    seeds,
    tiff_of_tiles,
    verdict,
)

DAMAGED = "the picture is cut short or damaged"
TOO_LARGE = "the picture is too large"
OTHER_KINDS = ("not a picture", "empty", "a video", "an SVG drawing", "a camera's raw picture")
TOO_SMALL = "the picture is too small"
OUTCOMES = (
    READ,
    NO_INK,
    DAMAGED,
    TOO_LARGE,
    TOO_SMALL,
    *(f"the file is {kind}" for kind in OTHER_KINDS),
)
SEEDS = seeds()

fuzz = settings(
    max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def answered(content: bytes) -> str:
    """The verdict, after a check that it is a good one."""
    said, _ = verdict(content)
    assert not said.startswith(TRACEBACK), said
    assert said.startswith(OUTCOMES), said
    return said


@pytest.mark.parametrize("kind", FORMATS)
def test_good_pictures_of_every_kind_are_read(kind: str) -> None:
    for content in SEEDS[kind]:
        assert answered(content) == READ


@pytest.mark.parametrize("kind", FORMATS)
def test_mutants(kind: str) -> None:
    said = [answered(content) for content in mutants(kind, seed=1, count=60)]
    assert len(said) == 60
    assert READ in said
    assert DAMAGED in said


@fuzz
@given(st.binary(max_size=300), st.sampled_from(FORMATS), st.integers(0, 40))
def test_a_start_of_a_picture_and_then_anything(rest: bytes, kind: str, kept: int) -> None:
    answered(SEEDS[kind][0][:kept] + rest)


MODES = {
    "L": ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"],
    "RGB": ["PNG", "JPEG", "WEBP", "TIFF", "BMP"],
    "RGBA": ["PNG", "WEBP", "TIFF", "BMP"],
    "LA": ["PNG", "TIFF"],
    "P": ["PNG", "GIF", "TIFF", "BMP"],
    "1": ["PNG", "GIF", "TIFF", "BMP"],
    "CMYK": ["JPEG", "TIFF"],
    "LAB": ["TIFF"],
}
sides = st.one_of(st.integers(1, 40), st.sampled_from([1, 28, 500, 3000]))


@st.composite
def pixels(draw: st.DrawFn) -> NDArray[np.uint8]:
    """(height, width, 4): one tone, a gradient, noise, or strokes on any of these."""
    height, width = draw(sides), draw(sides)
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    image = np.empty((height, width, 4), np.uint8)
    image[:] = draw(st.sampled_from([(0,) * 4, (255,) * 4, (255, 255, 255, 0), (90, 180, 40, 128)]))
    if draw(st.booleans()):
        image[..., :3] = np.linspace(40, 250, width).astype(np.uint8)[:, None]
    if draw(st.booleans()):
        image[..., draw(st.integers(0, 3))] = random.integers(0, 256, (height, width))
    for _ in range(draw(st.integers(0, 3))):
        ends = random.integers(0, (width, height), (2, 2)).tolist()
        tone = random.integers(0, 256, 4).tolist()
        cv2.line(image, ends[0], ends[1], tone, draw(st.integers(1, 30)))
    return image


@fuzz
@given(pixels(), st.sampled_from(sorted(MODES)), st.data())
def test_pictures_of_any_shape_and_mode(
    image: NDArray[np.uint8], mode: str, data: st.DataObject
) -> None:
    whole = Image.fromarray(image)
    picture = whole if mode == "RGBA" else whole.convert("RGB").convert(mode)
    kind = data.draw(st.sampled_from(MODES[mode]))
    said = answered(encoded(picture, kind))
    if max(picture.size) < 16:
        assert said.startswith(TOO_SMALL)
        return
    assert said in (READ, NO_INK)
    dithered = mode in ("1", "P")
    if mode != "RGBA" and not dithered and not np.ptp(image[..., :3], axis=(0, 1)).any():
        assert said == NO_INK


@fuzz
@given(
    arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=40))
    | arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=40))
    | arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=40)),
    st.sampled_from([None, "tiff_lzw", "tiff_adobe_deflate"]),
)
def test_numbers_of_any_kind_and_size(values: NDArray[Any], compression: str | None) -> None:
    content = encoded(Image.fromarray(values), "TIFF", compression=compression)
    assert answered(content).startswith((READ, NO_INK, TOO_SMALL))
    picture = decode(content)
    assert picture.gray.shape == values.shape
    clear = np.zeros(values.shape, bool) if picture.alpha is None else picture.alpha == 0
    assert np.array_equal(clear, ~np.isfinite(values))


BLANK = {
    "few pixels": np.zeros((16, 16), np.uint8),
    "few white pixels": np.full((16, 16), 255, np.uint8),
    "a row": np.full((1, 10_000), 200, np.uint8),
    "a column": np.full((10_000, 1), 200, np.uint8),
    "all white": np.full((300, 200), 255, np.uint8),
    "all black": np.zeros((300, 200), np.uint8),
    "not a number": np.full((30, 20), np.nan, np.float32),
    "infinite": np.full((30, 20), np.inf, np.float32),
    "clear": np.zeros((30, 20, 4), np.uint8),
}


@pytest.mark.parametrize("name", BLANK)
@pytest.mark.parametrize("ink", ["auto", "dark", "light"])
def test_nothing_to_see_is_no_ink(name: str, ink: Any) -> None:
    assert not preprocess(encoded(Image.fromarray(BLANK[name]), "TIFF"), ink).has_ink


@pytest.mark.parametrize("shape", [(1, 10_000), (10_000, 1)])
def test_a_stroke_along_a_row(shape: tuple[int, int]) -> None:
    row = np.full(10_000, 230, np.uint8)
    row[4000:5000] = 20
    assert answered(encoded(Image.fromarray(row.reshape(shape)), "PNG")) in (READ, NO_INK)


def test_numbers_that_are_none_hide_no_digit(sample: Splits) -> None:
    digit = cv2.resize(sample["test"].images[0], (84, 84)).astype(np.float32) / 255
    holed = digit.copy()
    holed[:6, ::2] = np.nan
    holed[-6:, ::3] = np.inf
    plain = preprocess(encoded(Image.fromarray(digit), "TIFF")).image.astype(int)
    assert np.abs(preprocess(encoded(Image.fromarray(holed), "TIFF")).image - plain).max() < 16


def test_a_digit_in_16_by_16(sample: Splits) -> None:
    for image in sample["test"].images[:50]:
        small = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA)
        assert answered(encoded(Image.fromarray(255 - small), "PNG")) == READ


def many_scans() -> bytes:
    """A progressive JPEG of 49 megapixels with one of its scans 300 times."""
    content = encoded(Image.new("L", (7000, 7000), 128), "JPEG", progressive=True)
    start = content.index(b"\xff\xda", content.index(b"\xff\xda") + 1)
    end = content.index(b"\xff\xc4", start)
    return content[:end] + content[start:end] * 300 + content[end:]


def huge_tile() -> bytes:
    """A small TIFF in one tile of 64 megapixels."""
    return tiff_of_tiles((64, 64), (8000, 8000), [zlib.compress(bytes(64_000_000), 1)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (huge_tile(), DAMAGED),
        (many_scans(), DAMAGED),
        (encoded_runs(np.zeros((9, 9)), (7000, 7000)), f"{TOO_LARGE} (more than 20 megapixels"),
    ],
    ids=["a huge tile", "many scans", "few runs"],
)
def test_little_data_cannot_ask_for_much_work(content: bytes, reason: str) -> None:
    assert answered(content).startswith(reason)


def test_libraries_in_c_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    content = encoded(Image.fromarray(np.arange(240, dtype=np.uint8)[None]), "TIFF",
                      compression="tiff_lzw")  # fmt: skip
    for place in range(8, 60):
        with contextlib.suppress(PictureError):
            decode(content[:place] + b"\xaa\x55" + content[place + 2 :])
    assert capfd.readouterr() == ("", "")
