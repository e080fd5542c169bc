"""Drawings: what they show is read back from their pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from digits import Prediction, ReadDigit, Reading, Reason, preprocess
from digits.errors import OutputError
from digits.imaging.decode import Picture, decode
from digits.imaging.geometry import bounding_box
from digits.reports.drawing import annotate, check_output, save, show
from digits.reports.drawing.style import BLUE, RED
from drawing import drawn_large

BLUE, RED = ImageColor.getrgb(BLUE), ImageColor.getrgb(RED)
# Left, top, right, bottom of the four panels of the first row.
PANELS = [(x, 142, x + 336, 478) for x in (56, 436, 816)]
BARS = (1196, 142, 1616, 478)


@pytest.fixture(scope="module")
def image(sample):
    return sample["test"].images[0]


def prediction(digit, confidence=0.983, reason=None):
    probabilities = [0.017 / 9] * 10
    probabilities[digit or 0] = confidence
    return Prediction(digit, confidence, tuple(probabilities), 0.0, reason)


NOTHING = Prediction(None, 0.0, (0.0,) * 10, 1.0, Reason.NO_INK)


def page(height=600, width=800, light=255):
    return Picture("page.png", np.full((height, width), light, np.uint8))


def reading(*digits):
    """Each of `digits`: the digit, its confidence, its line, its box."""
    return Reading(tuple(ReadDigit(*digit, np.zeros((28, 28), np.uint8)) for digit in digits))


def pixels(drawing, box=None):
    return np.asarray(drawing.crop(box) if box else drawing)


def where(drawing, color, box=None):
    """Left, top, right, bottom of all pixels of `color`, and how many there are."""
    found = (pixels(drawing, box) == color).all(axis=2)
    if not found.any():
        return None, 0
    rows, columns = np.nonzero(found)
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return tuple(map(int, edges)), int(found.sum())


def on_paper(digit, height, width):
    """A 28×28 digit as dark ink in the middle of white paper."""
    gray = np.full((height, width), 255, np.uint8)
    y, x = (height - 28) // 2, (width - 28) // 2
    gray[y : y + 28, x : x + 28] = 255 - digit
    return Picture("paper.png", gray)


def test_every_picture_is_a_row(image):
    row = preprocess(Picture("a.png", image)), prediction(7)
    one, three, none = show([row]), show([row] * 3), show([])
    assert one.mode == "RGB"
    assert one.width == three.width == none.width
    step = one.height - none.height
    assert step > 336
    assert three.height - none.height == 3 * step
    first = pixels(three)[none.height : none.height + step]
    np.testing.assert_array_equal(first, pixels(three)[none.height + step :][:step])


def test_the_panels_show_picture_foreground_and_model_input(image):
    preprocessed = preprocess(Picture("a.png", image))
    drawing = show([(preprocessed, prediction(7))])
    enlarged = image.repeat(12, axis=0).repeat(12, axis=1)
    for panel, expected in ((PANELS[1], 255 - enlarged), (PANELS[2], enlarged)):
        np.testing.assert_array_equal(pixels(drawing, panel)[:, :, 0], expected)
    left, top, right, bottom = (12 * side for side in preprocessed.box)
    frame, _ = where(drawing, RED, PANELS[0])
    assert frame == (left - 4, top - 4, right + 4, bottom + 4)
    inside = pixels(drawing, PANELS[0])[top:bottom, left:right, 0]
    np.testing.assert_array_equal(inside, enlarged[top:bottom, left:right])


def test_the_box_is_right_where_the_mask_is_smaller_than_the_picture(image):
    ink = np.zeros((1400, 2800), np.uint8)
    digit = drawn_large(image, 30, (0, 0, 0, 0))
    ink[200 : 200 + digit.shape[0], 600 : 600 + digit.shape[1]] = digit
    drawing = show([(preprocess(Picture("wide.png", 255 - ink)), prediction(1))])
    frame, _ = where(drawing, RED, PANELS[0])
    left, top, right, bottom = np.array(bounding_box(np.where(ink > 60, ink, 0))) * 336 / 2800
    expected = (left - 4, 84 + top - 4, right + 4, 84 + bottom + 4)  # in the middle of the panel
    np.testing.assert_allclose(frame, expected, atol=4)


def test_only_the_answer_is_highlighted(image):
    preprocessed = preprocess(Picture("a.png", image))
    sevens, threes = show([(preprocessed, prediction(7))]), show([(preprocessed, prediction(3))])
    (_, top, _, bottom), _ = where(sevens, BLUE, BARS)
    assert top == pytest.approx(7 * 33.6, abs=12)
    assert bottom == pytest.approx(8 * 33.6, abs=12)
    (_, top, _, _), _ = where(threes, BLUE, BARS)
    assert top == pytest.approx(3 * 33.6, abs=12)
    nothing = show([(preprocessed, prediction(None, reason=Reason.UNSURE))])
    assert where(nothing, BLUE, BARS) == (None, 0)


def test_bars_are_as_long_as_the_probabilities(image):
    preprocessed = preprocess(Picture("a.png", image))
    lengths = []
    for p in (0.25, 0.5, 1.0):
        four = Prediction(4, p, (0.0,) * 4 + (p,) + (0.0,) * 5, 1 - p)
        line = pixels(show([(preprocessed, four)]), BARS)[round(4.5 * 33.6), 40:]
        lengths.append((line == BLUE).all(axis=1).sum())
    np.testing.assert_allclose(np.array(lengths) / lengths[-1], [0.25, 0.5, 1], atol=0.01)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 4000 + ".png",
        "/a/long/path" * 9 + "/7.png",
        "zażółć – 数字 😀.png",
        "bad\udcffname\0\n.png",
    ],
)
def test_any_name_fits_beside_the_answer(image, name):
    preprocessed = preprocess(Picture(name, image))
    without = replace(preprocessed, picture=replace(preprocessed.picture, name=""))
    for answer in (prediction(7), prediction(None, reason=Reason.SEVERAL)):
        drawing, plain = show([(preprocessed, answer)]), show([(without, answer)])
        # Left of the answer only; the margins stay white.
        differs = (pixels(drawing) != pixels(plain)).any(axis=(0, 2)).nonzero()[0]
        assert bool(name) == bool(len(differs))
        if name:
            assert differs.min() >= 54
            assert differs.max() < 1196 - 20
        assert (pixels(drawing)[:, :50] == 255).all()
        assert (pixels(drawing)[:, -50:] == 255).all()


@pytest.mark.parametrize("size", [(16, 16), (1, 10_000), (10_000, 1), (16, 5), (3000, 2000)])
def test_any_size_can_be_shown_and_annotated(size):
    gray = np.full(size, 255, np.uint8)
    picture = Picture("odd.png", gray)
    assert show([(preprocess(picture), NOTHING)]).width > 1000
    height, width = size
    for found in (reading(), reading((1, 0.5, 0, (0, 0, width, height)))):
        drawing = annotate(picture, found)
        assert drawing.width >= width
        assert drawing.height >= height
        assert max(drawing.size) >= 400


def test_foreground_in_the_alpha_channel_alone_is_visible(image):
    for tone in (0, 255):
        picture = Picture("clear.png", np.full((28, 28), tone, np.uint8), image)
        drawing = show([(preprocess(picture), prediction(7))])
        assert np.ptp(pixels(drawing, PANELS[0])[:, :, 2].astype(int)) > 180
        assert np.ptp(pixels(annotate(picture, reading()))[:400].astype(int)) > 180


def test_annotate_frames_each_digit_and_leaves_the_picture_alone(image):
    picture = on_paper(image, 600, 800)
    box = (386, 286, 414, 314)
    drawing = annotate(picture, reading((7, 0.99, 0, box)))
    assert drawing.size == (800, 600)
    np.testing.assert_array_equal(pixels(drawing, box)[:, :, 0], picture.gray[286:314, 386:414])
    row = (pixels(drawing)[300] == BLUE).all(axis=1).nonzero()[0]
    assert row.min() == 386 - 3
    assert row.max() == 414 + 2
    (_, top, _, bottom), _ = where(drawing, BLUE)
    assert top < 286 - 12  # the label stands above
    assert bottom == 314 + 3


def test_small_pictures_are_enlarged_with_their_boxes():
    picture = page(28, 100)
    drawing = annotate(picture, reading((7, 0.99, 0, (40, 10, 52, 24))))
    assert drawing.width == 400
    row = (pixels(drawing)[4 * 17] == BLUE).all(axis=1).nonzero()[0]
    assert row.min() == pytest.approx(160, abs=4)
    assert row.max() == pytest.approx(208, abs=4)
    assert annotate(page(300, 399), reading()).width == 798
    assert annotate(page(300, 400), reading()).width == 400


def test_lines_alternate_in_color():
    digits = [(1, 0.99, line, (100, 60 + 120 * line, 140, 120 + 120 * line)) for line in range(3)]
    drawing = annotate(page(), reading(*digits))
    for (_, _, line, box), hue in zip(digits, (BLUE, RED, BLUE), strict=True):
        around = (box[0] - 10, box[1] - 45, box[2] + 10, box[3] + 10)
        assert where(drawing, hue, around)[1] > 200
        assert where(drawing, RED if hue == BLUE else BLUE, around)[1] == 0, line


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_unsure_digits_differ_without_color(ground):
    box = (300, 300, 360, 400)
    left_side = (290, 300, 300, 400)
    marked = {}
    for name, digit, confidence in (("sure", 7, 0.9), ("unsure", 7, 0.89), ("none", None, 0.2)):
        drawing = annotate(page(light=ground), reading((digit, confidence, 0, box)))
        marked[name] = (
            where(drawing, BLUE, left_side)[1],
            where(drawing, BLUE, (300, 200, 360, 296)),
        )
    assert marked["unsure"][0] < 0.8 * marked["sure"][0]
    assert marked["none"][0] == marked["unsure"][0]
    assert marked["unsure"][1][1] < 0.6 * marked["sure"][1][1]
    assert marked["none"][1] != marked["unsure"][1]


def labels(drawing, boxes):
    """The drawing's colored pixels outside of the boxes and their frames."""
    colored = ((pixels(drawing) == BLUE) | (pixels(drawing) == RED)).all(axis=2)
    for left, top, right, bottom in boxes:
        colored[max(0, top - 5) : bottom + 5, max(0, left - 5) : right + 5] = False
    return colored


def test_labels_never_hide_a_digit_if_there_is_space():
    column = [(200, 20 + 70 * i, 240, 80 + 70 * i) for i in range(8)]
    row = [(20 + 60 * i, 2, 70 + 60 * i, 80) for i in range(8)]
    for boxes in (column, row):
        found = reading(*((8, 0.99, i, box) for i, box in enumerate(boxes)))
        drawing = annotate(page(), found)
        assert drawing.size == (800, 600)
        assert labels(drawing, boxes).sum() > 8 * 100
        for box in boxes:
            assert (pixels(drawing, box) == 255).all()


def test_a_tight_picture_is_extended_for_its_labels():
    boxes = [(4 + 60 * i, 2, 60 + 60 * i, 78) for i in range(8)]
    picture = page(80, 484)
    drawing = annotate(picture, reading(*((8, 0.99, 0, box) for box in boxes)))
    assert drawing.width == 484
    assert 80 + 15 < drawing.height < 80 + 50
    assert labels(drawing, boxes)[:80].sum() < 0.2 * labels(drawing, boxes).sum()
    for box in boxes:
        assert (pixels(drawing, box) == 255).all()


def test_a_message_below_the_picture_if_nothing_was_read():
    picture = page(light=90)
    drawing = annotate(picture, reading())
    assert (pixels(drawing)[:600] == 90).all()
    assert drawing.height > 610
    assert (pixels(drawing)[600:] < 100).any()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "new/a.webp"])
def test_drawings_are_written_by_suffix(tmp_path, name):
    drawing = annotate(page(), reading((7, 0.99, 0, (300, 300, 360, 400))))
    check_output(tmp_path / name, overwrite=False)
    save(drawing, tmp_path / name)
    with Image.open(tmp_path / name) as written:
        assert written.format == {".jpg": "JPEG", ".JPEG": "JPEG", ".png": "PNG"}.get(
            Path(name).suffix, "WEBP"
        )
        assert written.size == drawing.size
        difference = pixels(written.convert("RGB")).astype(int) - pixels(drawing)
    assert np.abs(difference).mean() < 1
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]
    assert decode(tmp_path / name).gray.shape == (600, 800)


def test_what_cannot_be_written_is_an_error(tmp_path):
    drawing = annotate(page(), reading())
    for name in ("a.gif", "a", ".png", "a.png.txt"):
        with pytest.raises(OutputError, match=r"Give a name that ends in \.png, \.jpg or \.webp\."):
            save(drawing, tmp_path / name)
        with pytest.raises(OutputError):
            check_output(tmp_path / name, overwrite=True)
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        check_output(tmp_path / "old.png", overwrite=False)
    check_output(tmp_path / "old.png", overwrite=True)
    long = Image.new("RGB", (1, 70_000))
    for name, form in (("old.webp", "WebP"), ("old.jpg", "JPEG")):
        with pytest.raises(OutputError, match=rf"1 × 70000 pixels are too many for {form}\. Give"):
            save(long, tmp_path / name)
    save(long, tmp_path / "long.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        save(drawing, tmp_path / "folder.png")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"old.png", "long.png", "folder.png"}
