"""Pictures whose labels the recognizer doubts, and the contact sheet that shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digits import Reason, Splits
from digits.data.png import png
from digits.ingest import contact_sheet
from digits.ingest.pictures import IngestResult, ingest

Put = Callable[[str, bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def scans(put: Put, sample: Splits, tmp_path: Path) -> Path:
    """Twenty good pictures, a 3 labeled 8, a letter and a row of digits, both labeled 7."""
    test = sample["test"]
    for i in range(20):
        put(f"{test.labels[i]}/{i}.png", png(test.images[i]))
    three = test.images[test.labels == 3][0]
    put("8/wrong.png", png(three))
    row = np.hstack([np.pad(test.images[i], ((20, 20), (8, 8))) for i in (40, 41, 43, 44)])
    Image.fromarray(255 - row).resize((4 * row.shape[1], 4 * row.shape[0])).save(
        put("7/row.png", b"")
    )
    letter = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(letter).text((100, 100), "K", 0, ImageFont.load_default(140), anchor="mm")
    letter.save(put("7/letter.png", b""))
    return tmp_path / "scans"


@pytest.fixture
def result(scans: Path) -> IngestResult:
    return ingest([scans])


def test_doubts_are_listed_and_taken_in(result: IngestResult) -> None:
    (rejected,) = result.rejected
    assert (Path(rejected.path or "").name, rejected.problem) == ("letter.png", "no digit found")
    assert len(result.splits["all"]) == 22
    doubts = {Path(path).name: (label, found) for path, label, found in result.doubts}
    assert doubts.keys() == {"wrong.png", "row.png"}
    label, found = doubts["wrong.png"]
    assert (label, found.digit) == (8, 3)
    label, found = doubts["row.png"]
    assert (label, found.reason) == (7, Reason.SEVERAL)


def test_a_blank_image_of_our_own_is_doubted_rather_than_left_out(put: Put) -> None:
    path = put("7/blank.png", png(np.zeros((28, 28), np.uint8)))
    result = ingest([path.parent])
    assert [doubt.prediction.reason for doubt in result.doubts] == [Reason.NO_INK]


def test_without_the_check_there_are_no_doubts(scans: Path) -> None:
    assert ingest([scans], check=False).doubts == ()


def red(sheet: Image.Image) -> int:
    """The number of pixels in the color of frames and captions of doubtful pictures."""
    pixels = np.asarray(sheet).astype(int)
    return int((pixels[..., 0] - pixels[..., 2] > 150).sum())


def test_the_sheet_shows_every_picture_and_marks_doubts(
    result: IngestResult, scans: Path, tmp_path: Path
) -> None:
    sheet = contact_sheet.contact_sheet(result)
    assert red(sheet) > 2 * 4 * 2 * 50  # two frames
    assert red(contact_sheet.contact_sheet(ingest([scans], check=False))) == 0
    # Every picture is there: black ink on white, twice as large.
    gray = np.asarray(sheet.convert("L"))
    for image in result.dataset.images:
        large = (255 - image).repeat(2, 0).repeat(2, 1)
        assert any_window_equals(gray, large)
    contact_sheet.save_contact_sheet(result, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as saved:
        assert np.array_equal(np.asarray(saved), np.asarray(sheet))


def any_window_equals(image: np.ndarray, window: np.ndarray) -> bool:
    height, width = window.shape
    views = np.lib.stride_tricks.sliding_window_view(image, (height, width))
    # A few pixels decide first, since all of them would need gigabytes.
    rows, columns = np.nonzero(window < 128)
    picked = slice(None, None, max(1, len(rows) // 20))
    same = (views[:, :, rows[picked], columns[picked]] == window[rows, columns][picked]).all(2)
    return any(np.array_equal(views[y, x], window) for y, x in np.argwhere(same))


def test_a_sheet_of_too_many_pictures_keeps_the_doubtful_ones(
    result: IngestResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contact_sheet.contact_sheet(result)
    monkeypatch.setattr(contact_sheet, "MAX_PICTURES", 5)
    few = contact_sheet.contact_sheet(result)
    assert few.height < whole.height
    assert red(few) == red(whole)


def test_a_sheet_of_many_pictures_is_drawn_small(
    result: IngestResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = contact_sheet.contact_sheet(result)
    monkeypatch.setattr(contact_sheet, "_MAX_ENLARGED", 5)
    assert contact_sheet.contact_sheet(result).width < 0.6 * large.width
