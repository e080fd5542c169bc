"""Pictures of every format and kind, and mutants of them."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digits.errors import PictureError
from digits.recognition.preprocess import preprocess
from mutations import mutated

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
READ = "read"
NO_INK = "no ink"
TRACEBACK = "traceback"


def verdict(content: bytes) -> tuple[str, float]:
    """The outcome of preprocessing, and the seconds of processor time that it took.

    The outcome is READ, NO_INK, the problem of a PictureError, or TRACEBACK and another error.
    """
    started = time.process_time()
    try:
        seen = preprocess(content)
        image = seen.image
        said = READ if seen.has_ink else NO_INK
        if image.shape != (28, 28) or image.dtype != np.uint8:
            said = f"{TRACEBACK}: gave {image.shape} {image.dtype}"
    except PictureError as error:
        said = error.problem
        if "\n" in str(error):
            said = f"{TRACEBACK}: more than a line: {said!r}"
    except Exception as error:
        said = f"{TRACEBACK}: {error!r}"
    return said, time.process_time() - started


def seeds() -> dict[str, list[bytes]]:
    """Some good pictures of a digit for each format."""
    small, large = _seven(48, 64), _seven(150, 200)
    tones = np.asarray(small.convert("L"))
    deep, real = tones.astype(np.uint16) * 257, tones / np.float32(255)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise to look at it
    clear = small.convert("RGBA")
    clear.putalpha(Image.fromarray(255 - tones))
    modes = [small.convert(mode) for mode in ("L", "P", "1", "LA")]
    lying = [image.transpose(Image.Transpose.ROTATE_90) for image in (small, large, clear, *modes)]
    frames = {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}
    return {
        "PNG": [
            *(_file(image, "PNG") for image in (small, large, clear, *modes)),
            _file(Image.fromarray(np.rot90(deep)), "PNG", exif=exif),
            _file(small.convert("P"), "PNG", transparency=3),
            _file(small, "PNG", **frames),
        ],
        "JPEG": [
            *(_file(image, "JPEG", exif=exif) for image in (lying[0], lying[1], lying[3])),
            _file(large, "JPEG", progressive=True, quality=95),
            _file(small, "JPEG", subsampling=0, restart_marker_blocks=4, keep_rgb=True),
            _file(small.convert("CMYK"), "JPEG"),
        ],
        "WEBP": [
            _file(lying[1], "WEBP", exif=exif),
            _file(small, "WEBP", lossless=True),
            _file(clear, "WEBP"),
            _file(small, "WEBP", **frames),
        ],
        "GIF": [
            _file(large, "GIF", interlace=0),
            _file(small.convert("P"), "GIF", transparency=3, comment=b"seven"),
            _file(small, "GIF", **frames),
        ],
        "TIFF": [
            *(_file(modes[0], "TIFF", compression=name) for name in _compressions()),
            *(_file(image, "TIFF", exif=exif) for image in (lying[0], *lying[2:])),
            *(_file(modes[2], "TIFF", compression=name) for name in ("group3", "group4")),
            _file(large, "TIFF", compression="jpeg"),
            _file(small.convert("CMYK"), "TIFF", compression="tiff_lzw"),
            _file(small.convert("LAB"), "TIFF"),
            _file(Image.fromarray(deep), "TIFF", compression="tiff_lzw"),
            _file(Image.fromarray(real), "TIFF"),
            _file(Image.fromarray(real), "TIFF", compression="tiff_adobe_deflate"),
            _file(Image.fromarray(tones.astype(np.int32)), "TIFF", big_tiff=True),
            _file(small, "TIFF", compression="tiff_lzw", **frames),
            tiled_tiff(tones, 16, 16),
        ],
        "BMP": [
            *(_file(image, "BMP") for image in (small, clear, *modes[:3])),
            encoded_runs(tones),
        ],
    }


def mutants(kind: str, seed: int, count: int) -> Iterator[bytes]:
    """`count` damaged files of a format, always the same for a seed."""
    chance = random.Random(f"{kind} {seed}")
    everything = seeds()
    other = [content for contents in everything.values() for content in contents]
    for _ in range(count):
        content = mutated(chance.choice(everything[kind]), chance, other)
        # Otherwise a PNG's checksums would refuse nearly all of them at the door.
        yield (_with_checksums(content) if kind == "PNG" and chance.random() < 0.8 else content)


def _with_checksums(damaged: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what they now hold."""
    content = bytearray(damaged)
    place = 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            break
        struct.pack_into(">I", content, end, zlib.crc32(content[place + 4 : end]))
        place = end + 4
    return bytes(content)


def _seven(width: int, height: int) -> Image.Image:
    """A dark 7 on uneven paper."""
    ramp = np.linspace(180, 240, width) + np.linspace(-15, 15, height)[:, None]
    speckle = np.random.default_rng(7).normal(0, 4, (height, width))
    image = Image.fromarray(np.clip(ramp + speckle, 0, 255).astype(np.uint8)).convert("RGB")
    line = [(0.25 * width, 0.2 * height), (0.75 * width, 0.2 * height), (0.4 * width, 0.8 * height)]
    ImageDraw.Draw(image).line(line, fill=(20, 30, 110), width=max(2, width // 12))
    return image


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _compressions() -> Iterator[str]:
    """Those that the libtiff here can write."""
    names = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "lzma",
             "zstd")  # fmt: skip
    for name in names:
        try:
            _file(Image.new("L", (8, 8)), "TIFF", compression=name)
        except (OSError, ValueError, KeyError):
            continue
        yield name


def tiled_tiff(tones: np.ndarray, tile_width: int, tile_height: int) -> bytes:
    """A gray TIFF in deflated tiles, which Pillow reads but does not write."""
    height, width = tones.shape
    padded = np.pad(tones, ((0, -height % tile_height), (0, -width % tile_width)))
    tiles = [
        zlib.compress(padded[y : y + tile_height, x : x + tile_width].tobytes())
        for y in range(0, height, tile_height)
        for x in range(0, width, tile_width)
    ]
    return tiff_of_tiles((width, height), (tile_width, tile_height), tiles)


def tiff_of_tiles(size: tuple[int, int], tile: tuple[int, int], tiles: list[bytes]) -> bytes:
    """A gray TIFF with these deflated tiles, which need not be as large as it says."""
    lists = 8 + 2 + 10 * 12 + 4
    start = lists + 8 * len(tiles)
    lengths = [len(data) for data in tiles]
    offsets = [start + sum(lengths[:place]) for place in range(len(tiles))]
    # Width, height, bits, compression, photometric, samples, tile sides, offsets, lengths.
    tags = [(256, size[0]), (257, size[1]), (258, 8), (259, 8), (262, 1), (277, 1), (322, tile[0]),
            (323, tile[1])]  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, 10)
    head += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    for tag, values, place in ((324, offsets, lists), (325, lengths, lists + 4 * len(tiles))):
        head += struct.pack("<HHII", tag, 4, len(tiles), place if len(tiles) > 1 else values[0])
    return b"".join(
        (head, bytes(4), struct.pack(f"<{2 * len(tiles)}I", *offsets, *lengths), *tiles)
    )


def encoded_runs(tones: np.ndarray, size: tuple[int, int] | None = None) -> bytes:
    """A BMP in runs, which Pillow reads but does not write; it may say another size."""
    runs = b"".join(
        b"".join(bytes((1, int(tone))) for tone in row) + b"\0\0" for row in tones[::-1]
    )
    runs += b"\0\1"
    palette = b"".join(bytes((tone, tone, tone, 0)) for tone in range(256))
    width, height = size or tones.shape[::-1]
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + palette + runs
