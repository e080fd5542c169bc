from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits.errors import PictureError
from digits.imaging.decode import Named, decode
from imaging.broken_pictures import encoded_runs, tiled_tiff

RAMP = np.arange(24 * 10, dtype=np.uint8).reshape(24, 10)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gray() -> Image.Image:
    return Image.fromarray(RAMP)


@pytest.mark.parametrize(
    "content",
    [
        encoded(gray(), "PNG"),
        encoded(gray().convert("RGB"), "PNG"),
        encoded(gray().convert("RGBA"), "PNG"),
        encoded(gray().convert("LA"), "PNG"),
        encoded(gray().convert("P"), "PNG"),
        encoded(Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG"),
        encoded(gray(), "BMP"),
        encoded(gray(), "GIF"),
        encoded(gray(), "TIFF"),
        encoded(gray(), "TIFF", compression="tiff_lzw"),
        encoded(Image.fromarray(RAMP.astype(np.int32)), "TIFF"),
        encoded(Image.fromarray(RAMP.astype(np.float32)), "TIFF"),
        encoded(Image.fromarray(RAMP.astype(np.float32) / 255), "TIFF"),
        encoded(gray(), "WEBP", lossless=True),
    ],
)
def test_every_lossless_kind_gives_the_same_gray(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.dat"
    path.write_bytes(content)
    for source in (content, path, str(path)):
        picture = decode(source)
        assert picture.gray.dtype == np.uint8
        assert np.array_equal(picture.gray, RAMP)
        assert picture.alpha is None or picture.alpha.min() == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"keep_rgb": True}])
def test_jpeg(mode: str, options: dict[str, Any]) -> None:
    smooth = np.linspace(20, 230, 64 * 48).astype(np.uint8).reshape(48, 64)
    picture = decode(encoded(Image.fromarray(smooth).convert(mode), "JPEG", quality=95, **options))
    assert np.abs(picture.gray.astype(int) - smooth).max() < 12


def test_colors_of_a_jpeg_weigh_as_elsewhere() -> None:
    bands = np.repeat(np.eye(3, dtype=np.uint8) * 255, 16, axis=0)
    image = Image.fromarray(np.repeat(bands[:, None], 32, axis=1))
    tones = decode(encoded(image, "JPEG", quality=95)).gray
    assert np.abs(tones.astype(int) - decode(encoded(image, "PNG")).gray).max() < 12


def test_a_tiff_in_tiles_and_a_bmp_in_runs() -> None:
    assert np.array_equal(decode(tiled_tiff(RAMP, 16, 16)).gray, RAMP)
    assert np.array_equal(decode(encoded_runs(RAMP)).gray, RAMP)


def test_one_bit() -> None:
    picture = decode(encoded(gray().point(lambda v: 255 * (v > 99)).convert("1"), "PNG"))
    assert np.array_equal(picture.gray, np.where(RAMP > 99, 255, 0))


def test_twelve_bits_in_sixteen_use_the_whole_range() -> None:
    content = encoded(Image.fromarray(RAMP.astype(np.uint16) * 16), "TIFF")
    assert np.abs(decode(content).gray.astype(int) - RAMP).max() <= 1


def test_values_of_any_size_are_stretched() -> None:
    wide = (RAMP.astype(np.float32) - 100) * 1e36
    stretched = np.rint(RAMP * (255 / 239))
    assert np.array_equal(decode(encoded(Image.fromarray(wide), "TIFF")).gray, stretched)


def test_what_is_not_a_number_is_clear() -> None:
    values = RAMP.astype(np.float32)
    values[3, 4] = np.nan
    values[5, 6] = np.inf
    picture = decode(encoded(Image.fromarray(values), "TIFF"))
    assert picture.alpha is not None
    assert sorted(zip(*np.nonzero(picture.alpha == 0), strict=True)) == [(3, 4), (5, 6)]
    nothing = decode(encoded(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"))
    assert nothing.alpha is not None
    assert not nothing.alpha.any()


def with_alpha(mode: str) -> Image.Image:
    alpha = Image.fromarray(255 - RAMP)
    if mode == "RGBA":
        return Image.merge("RGBA", (gray(), gray(), gray(), alpha))
    return Image.merge("LA", (gray(), alpha))


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "TIFF")])
def test_alpha(mode: str, kind: str) -> None:
    picture = decode(encoded(with_alpha(mode), kind))
    assert np.array_equal(picture.gray, RAMP)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, 255 - RAMP)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_a_color_declared_clear(mode: str) -> None:
    image = gray().point(lambda v: 255 * (v > 99)).convert(mode)
    clear = (255, 255, 255) if mode == "RGB" else image.getpixel((9, 23))
    picture = decode(encoded(image, "PNG", transparency=clear))
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha == 0, RAMP > 99)


def test_palette_with_alpha_per_color() -> None:
    content = encoded(gray().convert("P"), "PNG", transparency=bytes(range(256)))
    picture = decode(content)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, RAMP)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_the_camera_meant_it(kind: str, orientation: int) -> None:
    scene = np.full((16, 32), 255, np.uint8)
    scene[:8, :8] = 0
    # What a camera stores so that this orientation shows the scene (EXIF 2.3, tag 0x0112).
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](scene)))
    picture = decode(encoded(stored, kind, exif=exif))
    assert picture.gray.shape == scene.shape
    assert np.abs(picture.gray.astype(int) - scene).mean() < 3


def test_broken_exif_is_passed_over() -> None:
    content = encoded(gray(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert decode(content).gray.shape == RAMP.shape


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_is_read_and_that_is_said(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    rest = [Image.new("L", (10, 24), tone) for tone in (255, 99)]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(gray(), kind, save_all=True, append_images=rest, **options)
    picture = decode(content, "sheet")
    assert np.array_equal(picture.gray, RAMP)
    assert picture.more
    assert caplog.messages == ["sheet holds several pictures; only the first is read"]
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "BMP", "JPEG"])
def test_nothing_is_said_of_a_single_one(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not decode(encoded(gray(), kind)).more
    assert not caplog.messages


def test_the_preview_in_a_phones_jpeg_is_no_second_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = encoded(gray(), "MPO", save_all=True, append_images=[Image.new("L", (5, 12))])
    assert decode(content).gray.shape == RAMP.shape
    assert not caplog.messages


def test_a_broken_second_frame_does_not_harm_the_first() -> None:
    content = encoded(gray(), "GIF", save_all=True, append_images=[Image.new("L", (10, 24), 255)])
    assert np.array_equal(decode(content[: len(content) - 12]).gray, RAMP)


def hollow_png(width: int, height: int) -> bytes:
    content = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    for name, body in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")):
        checked = name + body
        content += struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
    return content


BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"just some words\n" * 20, "not a picture"),
    "pdf": (b"%PDF-1.7 and so on", "the PDF is damaged"),
    "heic": (b"\0\0\0\x18ftypheic and so on", "damaged"),
    "video": (b"\0\0\0\x18ftypmp42 and so on", "a video"),
    "drawing": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
    "raw": (b"FUJIFILMCCD-RAW 0201", "raw picture"),
    "png cut in the pixels": (encoded(gray(), "PNG")[:-40], "cut short"),
    "png cut in the header": (encoded(gray(), "PNG")[:20], "cut short"),
    "png with a wrong sum": (encoded(gray(), "PNG").replace(b"IDAT", b"IDAZ"), "cut short"),
    "jpeg cut": (encoded(gray(), "JPEG")[:-60], "cut short"),
    "gif cut": (encoded(gray(), "GIF")[:30], "cut short"),
    "tiff cut": (encoded(gray(), "TIFF")[:60], "cut short"),
    "webp cut": (encoded(gray(), "WEBP")[:50], "cut short"),
    "51 megapixels": (hollow_png(8000, 6400), "too large"),
    "100 megapixels": (hollow_png(10_000, 10_000), "too large"),
    "4 gigapixels": (hollow_png(65_000, 65_000), "too large"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_one_clear_line(case: str, tmp_path: Path) -> None:
    content, reason = BROKEN[case]
    path = tmp_path / "a b.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=reason) as caught:
        decode(path)
    assert caught.value.path == str(path)
    assert str(path) not in caught.value.problem
    assert "\n" not in str(caught.value)
    with pytest.raises(PictureError, match=f"^-: .*{reason}"):
        decode(Named("-", content))
    with pytest.raises(PictureError, match=reason) as caught:
        decode(content)
    assert caught.value.path is None


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none.png", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "nul\0.png", "null"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(PictureError, match=reason):
            decode(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes in the file system")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path(os.devnull)):
        with pytest.raises(PictureError, match="not a regular file"):
            decode(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(gray(), "PNG"))
    path.chmod(0)
    with pytest.raises(PictureError, match="permission denied"):
        decode(path)


def test_a_file_of_more_than_100_mb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(101_000_000)  # takes no room on the disk
    with pytest.raises(PictureError, match="too large"):
        decode(path)


def test_any_cut_of_a_picture_is_a_picture_error() -> None:
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        content = encoded(gray(), kind)
        for end in range(1, len(content) - 1, 7):
            damaged = content[:end] + bytes([content[end] ^ 0xFF]) + content[end + 1 :]
            for broken in (content[:end], damaged):
                try:
                    decode(broken)
                except PictureError:
                    continue


@pytest.mark.parametrize("extreme", [1e-45, 3e38])
def test_floats_as_small_and_large_as_they_get(extreme: float) -> None:
    values = np.array([[-extreme, 0, extreme]], np.float32)
    assert decode(encoded(Image.fromarray(values), "TIFF")).gray.tolist() == [[0, 128, 255]]
