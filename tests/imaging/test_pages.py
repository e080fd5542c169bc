"""Pictures in files of other kinds, and files that hold several."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from digits import PictureError, Reader, Recognizer, Splits
from digits.imaging.decode import Named, decode
from digits.imaging.pages import Page, pages_of
from digits.recognition.bulk import pictures_in
from drawing import drawn_large, on_paper

CLOSE = 12  # gray values that a lossy format may change, in the mean


def photo(sample: Splits, index: int) -> Image.Image:
    ink = drawn_large(sample["test"].images[index], 6, (40, 30, 40, 30))
    return Image.fromarray(on_paper(ink))


@pytest.fixture
def three(sample: Splits) -> list[Image.Image]:
    return [photo(sample, index) for index in range(3)]


@pytest.mark.parametrize("suffix", ["heic", "avif", "webp", "jp2", "pgm", "ico", "tga"])
def test_formats(sample: Splits, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    image = photo(sample, 0)
    if suffix == "heic":
        pillow_heif.from_pillow(image.convert("RGB")).save(path)
    elif suffix == "ico":
        image = image.resize((256, 256))
        image.save(path, sizes=[(256, 256)])
    else:
        image.save(path)
    gray = decode(path).gray
    assert gray.shape == image.size[::-1]
    assert np.abs(gray.astype(int) - np.asarray(image)).mean() < CLOSE
    content = path.read_bytes()
    if suffix != "tga":  # which has no signature: its name tells it
        assert np.array_equal(decode(content).gray, gray)


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_each_page_is_a_picture(
    sample: Splits, three: list[Image.Image], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    three[0].save(path, save_all=True, append_images=three[1:])
    assert list(pages_of(path)) == [Page(str(path), number) for number in range(3)]
    outcomes = list(Recognizer("cnn").predict_many([path, tmp_path / "none.pdf"]))
    assert [outcome.name for outcome in outcomes] == [
        *(f"{path}#{number}" for number in (1, 2, 3)),
        str(tmp_path / "none.pdf"),
    ]
    labels = sample["test"].labels[:3].tolist()
    assert [o.result and o.result.digit for o in outcomes] == [*labels, None]
    readings = [outcome.result for outcome in Reader("cnn").read_many([path])]
    assert [reading and reading.text for reading in readings] == [str(label) for label in labels]


def test_the_first_page_of_bytes_is_read_and_the_others_are_told(
    three: list[Image.Image], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.pdf"
    three[0].save(path, save_all=True, append_images=three[1:])
    with caplog.at_level(logging.WARNING):
        first = decode(Named("upload", path.read_bytes()))
    assert first.name == "upload"
    assert "only the first is read" in caplog.text
    assert np.array_equal(first.gray, decode(Page(str(path), 0)).gray)


def test_one_page_stays_the_file(three: list[Image.Image], tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    three[0].save(path)
    assert list(pages_of(path)) == [str(path)]


def test_a_damaged_pdf_is_one_error(three: list[Image.Image], tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    three[0].save(path)
    path.write_bytes(path.read_bytes()[:300])
    (page,) = pages_of(path)
    with pytest.raises(PictureError, match="the PDF is damaged"):
        decode(page)
    with pytest.raises(PictureError, match="the PDF is damaged"):
        decode(Page(str(path), 7))


def test_rows_of_a_csv_file_are_pictures(sample: Splits, tmp_path: Path) -> None:
    test = sample["test"].limit(5)
    path = tmp_path / "test.csv"
    rows = [",".join(map(str, row)) for row in test.images.reshape(-1, 784).tolist()]
    path.write_text("\n".join([",".join(f"pixel{i}" for i in range(784)), *rows]))
    outcomes = list(Recognizer("cnn").predict_many([path]))
    assert [outcome.name for outcome in outcomes] == [f"{path}#{n}" for n in range(1, 6)]
    assert [o.result and o.result.digit for o in outcomes] == test.labels.tolist()
    path.write_text("no,table\n1,2\n")
    (error,) = pictures_in(path)
    assert isinstance(error, PictureError)
    assert "columns instead of 785" in error.problem


def test_a_small_pdf_that_draws_for_ever_is_given_up(tmp_path: Path) -> None:
    """Each of twelve drawings is ten of the next: a million million lines in 3 KB."""
    levels = 12
    box = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
    drawings = [
        _stream(box + b"/Resources<</XObject<</F %d 0 R>>>>" % (level + 6), b"/F Do " * 10)
        for level in range(levels)
    ]
    content = _pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</XObject<</F 5 0 R>>>>>>",
        _stream(b"", b"/F Do"),
        *drawings,
        _stream(box, b"0 0 m 9 9 l S "),
    )
    with pytest.raises(PictureError, match="takes too long to draw"):
        decode(content)


def _stream(entries: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def _pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, the first of which is its catalog."""
    content, places = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number, each in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(content)
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    count, start = len(objects) + 1, len(content)
    content += b"xref\n0 %d\n%strailer<</Size %d/Root 1 0 R>>\n" % (count, places, count)
    return content + b"startxref\n%d\n%%%%EOF" % start
