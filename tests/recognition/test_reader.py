"""Several digits in a picture, read by the shipped model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from digits import Splits
from digits.errors import ModelError, PictureError
from digits.imaging.decode import decode
from digits.models.find import shipped_folder
from digits.recognition.reader import Reader
from digits.recognition.results import Reading
from drawing import Page, Pixels, in_a_row, on_paper, page, png, touching

SCALE = 4  # a digit is 80 pixels tall
Rng = np.random.Generator
Text = tuple[list[Pixels], str]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader("cnn")


def a_number(sample: Splits, rng: Rng, length: int = 5) -> Text:
    test = sample["test"]
    chosen = rng.integers(len(test), size=length)
    return list(test.images[chosen]), "".join(map(str, test.labels[chosen]))


def spaced(digits: Sequence[Pixels], rng: Rng) -> Page:
    gaps = rng.uniform(3, 12)
    return page(
        digits, in_a_row(digits, gaps, drops=list(rng.uniform(-1.5, 1.5, len(digits)))), SCALE, 40
    )


def right(
    reader: Reader,
    sample: Splits,
    picture: Callable[[list[Pixels], Rng], Pixels],
    count: int = 24,
    length: int = 5,
) -> float:
    """The share of numbers that are read right from end to end."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        digits, text = a_number(sample, rng, length)
        found.append(reader.read(png(picture(digits, rng))).text == text)
    return float(np.mean(found))


@pytest.mark.parametrize("light", [False, True], ids=["dark on light", "light on dark"])
def test_numbers_with_space_between_the_digits(reader: Reader, sample: Splits, light: bool) -> None:
    def picture(digits: list[Pixels], rng: Rng) -> Pixels:
        photo = on_paper(spaced(digits, rng).ink, 225, 50, grain=3)
        return 255 - photo if light else photo

    assert right(reader, sample, picture) >= 0.83


def test_numbers_of_any_length(reader: Reader, sample: Splits) -> None:
    picture = lambda digits, rng: on_paper(spaced(digits, rng).ink)  # noqa: E731
    assert right(reader, sample, picture, length=1) >= 0.9
    assert right(reader, sample, picture, length=2) >= 0.85
    assert right(reader, sample, picture, length=12, count=12) >= 0.6


def test_digits_that_touch(reader: Reader, sample: Splits) -> None:
    def close(digits: list[Pixels], rng: Rng) -> Pixels:
        return on_paper(page(digits, in_a_row(digits, -1), SCALE, 40).ink)

    def pushed(digits: list[Pixels], rng: Rng) -> Pixels:
        return on_paper(page(digits, touching(digits), SCALE, 40).ink)

    assert right(reader, sample, close) >= 0.65
    assert right(reader, sample, pushed, length=2) >= 0.65


def printed(
    digits: list[Pixels], rng: Rng, *, tone: float = 130, thickness: int = 2, degrees: float = 0
) -> Pixels:
    """A number on ruled paper, whose lines are as far apart as a digit is tall and a half."""
    ink = spaced(digits, rng).ink
    height, width = ink.shape
    side = 2 * max(ink.shape)
    paper = np.full((side, side), 235.0)
    for start in range(int(rng.integers(120)), side, 120):
        paper[start : start + thickness] = tone
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
    paper = cv2.warpAffine(paper, turn, (side, side), borderValue=235)
    top, left = (side - height) // 2, (side - width) // 2
    paper = paper[top : top + height, left : left + width]
    return np.rint(np.minimum(paper, on_paper(ink))).astype(np.uint8)


@pytest.mark.parametrize("degrees", [0, 2])
def test_numbers_on_ruled_paper(reader: Reader, sample: Splits, degrees: float) -> None:
    picture = lambda digits, rng: printed(digits, rng, degrees=degrees)  # noqa: E731
    assert right(reader, sample, picture) >= 0.75


@pytest.mark.parametrize("around", [5, 30])
def test_numbers_in_boxes(reader: Reader, sample: Splits, around: int) -> None:
    """One square box for each digit, 1.7 times as tall, side by side; `around` pixels of paper."""
    side = 34

    def picture(digits: list[Pixels], rng: Rng) -> Pixels:
        shape = (side * SCALE + 2 * around, side * SCALE * len(digits) + 2 * around)
        photo = np.full(shape, 235, np.uint8)
        for i, digit in enumerate(digits):
            left = around + i * side * SCALE
            ink = page([digit], [(0, 0)], SCALE).ink
            x = left + (side * SCALE - ink.shape[1]) // 2 + int(rng.integers(-12, 13))
            y = around + (side * SCALE - ink.shape[0]) // 2 + int(rng.integers(-12, 13))
            photo[y : y + ink.shape[0], x : x + ink.shape[1]] = on_paper(ink)
            corner = (left + side * SCALE, around + side * SCALE)
            cv2.rectangle(photo, (left, around), corner, 60, 2)
        return photo

    assert right(reader, sample, picture) >= 0.75


def two_lines(sample: Splits, rng: Rng) -> tuple[Page, str]:
    first, above = a_number(sample, rng, 4)
    second, below = a_number(sample, rng, 3)
    spots = in_a_row(first, 7) + in_a_row(second, 7, start=(6, 34))
    return page(first + second, spots, SCALE, 40), f"{above}\n{below}"


def test_two_lines(reader: Reader, sample: Splits) -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(16):
        written, text = two_lines(sample, rng)
        reading = reader.read(png(on_paper(written.ink)))
        found.append(reading.text == text)
        assert reading.text == "\n".join(reading.lines)
    assert np.mean(found) >= 0.8


def read_right(reader: Reader, sample: Splits, rng: Rng) -> tuple[Page, Reading]:
    """A page that is read right, and its reading."""
    while True:
        written, text = two_lines(sample, rng)
        reading = reader.read(png(on_paper(written.ink)))
        if reading.text == text:
            return written, reading


def test_what_a_reading_holds(reader: Reader, sample: Splits) -> None:
    written, reading = read_right(reader, sample, np.random.default_rng(0))
    assert [d.line for d in reading.digits] == [0, 0, 0, 0, 1, 1, 1]
    assert all(0 < d.confidence <= 1 for d in reading.digits)
    assert np.mean([d.confidence for d in reading.digits]) > 0.8
    near = [
        np.abs(np.array(digit.box) - truth).max() <= 4
        for digit, truth in zip(reading.digits, written.boxes, strict=True)
    ]
    assert np.mean(near) >= 0.7  # a stray bit of a digit may stay outside


@pytest.mark.parametrize("times", [2, 3, 0.5])
def test_boxes_are_in_pixels_of_the_picture(reader: Reader, sample: Splits, times: float) -> None:
    rng = np.random.default_rng(0)
    apart = []
    for _ in range(8):
        written, reading = read_right(reader, sample, rng)
        photo = cv2.resize(on_paper(written.ink), None, fx=times, fy=times)
        other = reader.read(png(photo))
        for d in other.digits:
            assert all(isinstance(side, int) for side in d.box)
            assert 0 <= d.box[0] < d.box[2] <= photo.shape[1]
            assert 0 <= d.box[1] < d.box[3] <= photo.shape[0]
        if other.text == reading.text:
            apart += [
                np.abs(np.array(d.box) / times - same.box).max()
                for d, same in zip(other.digits, reading.digits, strict=True)
            ]
    assert len(apart) >= 4 * 7
    assert np.mean(np.array(apart) <= 4) >= 0.85


def test_a_picture_that_exif_turns(reader: Reader, sample: Splits) -> None:
    written, reading = read_right(reader, sample, np.random.default_rng(1))
    photo = on_paper(written.ink)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise to look at it
    lying = png(np.rot90(photo), exif=exif.tobytes())
    assert np.array_equal(decode(lying).gray, photo)
    assert reader.read(lying) == reading


def test_all_sources_are_read_alike(
    reader: Reader, sample: Splits, tmp_path_factory: pytest.TempPathFactory
) -> None:
    written, reading = read_right(reader, sample, np.random.default_rng(2))
    content = png(on_paper(written.ink))
    path = tmp_path_factory.mktemp("picture") / "page.png"
    path.write_bytes(content)
    gray = decode(content).gray
    sources = [path, str(path), content, decode(content), gray, gray / 255, Image.fromarray(gray)]
    assert reader.read(sources) == [reading] * len(sources)
    assert [outcome.result for outcome in reader.read_many(sources)] == [reading] * len(sources)


def test_not_sure_of_a_digit(reader: Reader, sample: Splits) -> None:
    written, reading = read_right(reader, sample, np.random.default_rng(3))
    content = png(on_paper(written.ink))
    strict = reader.read(content, min_confidence=1.01)
    assert strict.text == "????\n???"
    assert [d.digit for d in strict.digits] == [None] * 7
    assert [d.confidence for d in strict.digits] == [d.confidence for d in reading.digits]
    sure = sorted(d.confidence for d in reading.digits)
    between = reader.read(content, min_confidence=(sure[2] + sure[3]) / 2)
    assert between.text.count("?") == 3
    assert None not in [d.digit for d in reading.digits]


def test_the_ink_can_be_told(reader: Reader, sample: Splits) -> None:
    written, reading = read_right(reader, sample, np.random.default_rng(4))
    photo = on_paper(written.ink)
    assert reader.read(png(photo), ink="dark") == reading
    assert reader.read(png(255 - photo), ink="light").text == reading.text
    assert reader.read(png(photo), ink="light").text != reading.text


@pytest.mark.parametrize("mark", [".", ",", "-"])
def test_separators_are_no_digits(reader: Reader, sample: Splits, mark: str) -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        digits, text = a_number(sample, rng, 4)
        spots = in_a_row(digits, 7)
        spots = spots[:2] + [(x + 7, y) for x, y in spots[2:]]  # room for the mark
        written = page(digits, spots, SCALE, 40)
        x = (written.boxes[1][2] + written.boxes[2][0]) // 2
        foot = written.boxes[1][3]
        ink = written.ink.copy()
        if mark == ".":
            cv2.circle(ink, (x, foot - 5), 5, 255, -1, cv2.LINE_AA)
        elif mark == ",":
            cv2.line(ink, (x + 2, foot - 8), (x - 5, foot + 12), 255, 7, cv2.LINE_AA)
        else:
            cv2.line(ink, (x - 11, foot - 38), (x + 11, foot - 40), 255, 7, cv2.LINE_AA)
        answer = reader.read(png(on_paper(ink))).text
        plain = reader.read(png(on_paper(written.ink))).text
        if plain == text:  # what else goes wrong is not the mark's fault
            found.append(answer == text)
    assert len(found) >= 12
    assert np.mean(found) >= 0.85


@pytest.mark.parametrize("light", [0, 128, 255])
@pytest.mark.parametrize("grain", [0, 4])
def test_a_blank_page_is_an_empty_reading(reader: Reader, light: int, grain: float) -> None:
    reading = reader.read(
        png(on_paper(np.zeros((300, 400), np.uint8), light * 0.8 + 20, grain=grain))
    )
    assert reading == Reading(())
    assert reading.text == ""
    assert reading.lines == []


def test_no_picture_and_no_model(reader: Reader) -> None:
    for source in (b"", b"hello", "nowhere.png"):
        with pytest.raises(PictureError):
            reader.read(source)
    with pytest.raises(ModelError, match="there is no such model"):
        Reader("none.h5")
    with pytest.raises(ModelError, match="a rejector, not a recognizer"):
        Reader(shipped_folder() / "rejector.h5")


def test_your_own_model_reads_too(models: dict[str, str], sample: Splits) -> None:
    digits, text = a_number(sample, np.random.default_rng(0), 4)
    reading = Reader(models["cnn"]).read(
        png(on_paper(page(digits, in_a_row(digits, 8), 4, 40).ink))
    )
    assert len(text) - 1 <= len(reading.text) <= len(text) + 1


fuzz = settings(
    max_examples=50, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


def answered(reader: Reader, pixels: Pixels, ink: str) -> None:
    """The reading is sound, or the picture is refused."""
    try:
        reading = reader.read(png(pixels), ink)  # type: ignore[arg-type]
    except PictureError:
        return
    height, width = pixels.shape[:2]
    for d in reading.digits:
        assert d.digit in (None, *range(10))
        assert 0 <= d.confidence <= 1
        left, top, right_, bottom = d.box
        assert 0 <= left < right_ <= width
        assert 0 <= top < bottom <= height
    assert [d.line for d in reading.digits] == sorted(d.line for d in reading.digits)
    assert "".join(reading.lines) == "".join(
        "?" if d.digit is None else str(d.digit) for d in reading.digits
    )


INKS = st.sampled_from(["auto", "dark", "light"])


@fuzz
@given(
    st.data(),
    arrays(
        np.uint8,
        st.one_of(
            array_shapes(min_dims=2, max_dims=2, max_side=60),
            st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4])),
        ),
    ),
)
def test_any_pixels(reader: Reader, data: st.DataObject, pixels: Pixels) -> None:
    answered(reader, pixels, data.draw(INKS))


@fuzz
@given(st.integers(0, 2**32 - 1), INKS)
def test_any_lines_and_blots(reader: Reader, seed: int, ink: str) -> None:
    """More like paper than pixels by chance: straight lines, boxes, discs, digits in type."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(20, 400, 2))
    pixels = np.full((height, width), rng.integers(0, 256), np.uint8)
    for _ in range(rng.integers(1, 12)):
        a, b = (
            (int(rng.integers(-20, width + 20)), int(rng.integers(-20, height + 20))) for _ in "ab"
        )
        tone, thick = int(rng.integers(0, 256)), int(rng.integers(1, 8))
        kind = rng.integers(5)
        if kind == 0:
            cv2.line(pixels, a, b, tone, thick)
        elif kind == 1:
            cv2.line(
                pixels, (-5, a[1]), (width + 5, a[1] + int(rng.integers(-12, 13))), tone, thick
            )
        elif kind == 2:
            cv2.rectangle(pixels, a, b, tone, thick)
        elif kind == 3:
            cv2.circle(pixels, a, int(rng.integers(1, 60)), tone, int(rng.choice([-1, thick])))
        else:
            cv2.putText(pixels, str(rng.integers(1000)), a, 0, rng.uniform(0.5, 4), tone, thick)
    answered(reader, pixels, ink)


def test_real_digits_on_squares_at_any_turn(reader: Reader, sample: Splits) -> None:
    """What is read there is not asked here, but something is."""
    rng = np.random.default_rng(0)
    for degrees in (-4, -2, -1, 1, 2, 3, 5):
        for pitch in (18, 25, 40, 90):
            digits, _ = a_number(sample, rng, 3)
            ink = page(digits, in_a_row(digits, 5), SCALE, 40).ink
            grid = np.full((2 * ink.shape[1],) * 2, 235, np.uint8)
            grid[::pitch] = grid[:, ::pitch] = 120
            middle = (ink.shape[1], ink.shape[1])
            turn = cv2.getRotationMatrix2D(middle, degrees, 1)
            grid = cv2.warpAffine(grid, turn, grid.shape, borderValue=235)
            grid = grid[50 : 50 + ink.shape[0], 60 : 60 + ink.shape[1]]
            answered(reader, np.minimum(grid, on_paper(ink)), "auto")


def test_the_ink_of_a_digit_is_in_its_box(reader: Reader, sample: Splits) -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(4):
        written, reading = read_right(reader, sample, rng)
        for number, digit in enumerate(reading.digits, 1):
            left, top, right_, bottom = digit.box
            own = (written.owners == number) & (written.ink > 100)
            shares.append(own[top:bottom, left:right_].sum() / own.sum())
    assert np.mean(np.array(shares) >= 0.97) >= 0.85  # of some a stray bit stays outside


def test_an_image_in_mnist_geometry_is_read_as_it_is_predicted(
    reader: Reader, sample: Splits
) -> None:
    for image in sample["test"].images[:50]:
        predicted = reader.recognizer.predict(png(image))
        read = reader.read(png(image)).digits
        assert [one.digit for one in read] == [predicted.digit]
        assert read[0].confidence == predicted.confidence
    assert reader.read(png(np.zeros((28, 28), np.uint8))).digits == ()
