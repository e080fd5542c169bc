"""The short way for small gray PNG files gives what the long way gives, or leaves them to it."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from digits.imaging.decode import NOTE_KEY, decode
from digits.imaging.plain_png import decode_plain_png


def png(image: Image.Image, notes: dict[str, str] | None = None, **options: Any) -> bytes:
    info, file = PngInfo(), io.BytesIO()
    for key, text in (notes or {}).items():
        info.add_text(key, text)
    image.save(file, "PNG", pnginfo=info, **options)
    return file.getvalue()


def picture(width: int = 28, height: int = 28, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    return Image.fromarray(pixels)


@given(st.integers(1, 64), st.integers(1, 64), st.integers(0, 99), st.integers(0, 9))
def test_all_pixels_are_as_in_the_file(width: int, height: int, seed: int, level: int) -> None:
    image = picture(width, height, seed)
    decoded = decode_plain_png(png(image, compress_level=level), NOTE_KEY)
    assert decoded is not None
    assert (decoded[0] == np.asarray(image)).all()
    assert decoded[1] == ""


def test_the_note_is_found_among_other_texts() -> None:
    content = png(picture(), {"Software": "x", NOTE_KEY: "28x28 dark ink", "Author": "y"})
    decoded = decode_plain_png(content, NOTE_KEY)
    assert decoded is not None
    assert decoded[1] == decode(content).note == "28x28 dark ink"


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


@pytest.mark.parametrize(
    "content",
    [
        png(picture(65, 20)),
        png(picture().convert("RGB")),
        png(picture().convert("LA")),
        png(picture().convert("P")),
        png(picture().convert("1")),
        png(Image.fromarray(np.full((28, 28), 9, np.uint16))),
        png(picture(), transparency=0),  # tRNS
        png(picture())[:33] + chunk(b"eXIf", b"MM\0*") + png(picture())[33:],
        b"\xff\xd8\xff",
        b"",
    ],
    ids=["large", "color", "alpha", "palette", "1 bit", "16 bits", "transparency", "EXIF",
         "no PNG", "empty"],
)  # fmt: skip
def test_other_files_are_left_to_the_long_way(content: bytes) -> None:
    assert decode_plain_png(content, NOTE_KEY) is None


def test_what_follows_the_picture_is_nothing_to_it() -> None:
    assert decode_plain_png(png(picture()) + b"more", NOTE_KEY) is not None
    assert decode(png(picture()) + b"more").gray.shape == (28, 28)


@given(st.data())
def test_a_damaged_file_is_never_decoded(data: st.DataObject) -> None:
    whole = png(picture(seed=1), {NOTE_KEY: "28x28 light ink"})
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert decode_plain_png(whole[:cut], NOTE_KEY) is None
    place = data.draw(st.integers(8, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert decode_plain_png(bytes(changed), NOTE_KEY) is None
