"""A picture is the same from a path, bytes, a file object, a PIL image and an array."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from digits.errors import PictureError
from digits.imaging.decode import Named, Picture, Source, decode
from drawing import drawn_large, on_paper, png
from imaging.broken_pictures import seeds

RAMP = np.arange(24 * 10, dtype=np.uint8).reshape(24, 10)
CONTENTS = {
    f"{kind} {number}": content
    for kind, contents in seeds().items()
    for number, content in enumerate(contents)
}


def same(a: Picture, b: Picture) -> bool:
    return np.array_equal(a.gray, b.gray) and (
        a.alpha is b.alpha is None
        or (a.alpha is not None and b.alpha is not None and np.array_equal(a.alpha, b.alpha))
    )


@pytest.mark.parametrize("kind", CONTENTS)
def test_path_bytes_file_and_image_agree(kind: str, tmp_path: Path) -> None:
    content = CONTENTS[kind]
    path = tmp_path / "picture"
    path.write_bytes(content)
    expected = decode(content)
    assert (expected.name, decode(path).name) == ("the picture", str(path))
    sources: list[Source] = [path, str(path), io.BytesIO(content), bytearray(content)]
    for source in sources:
        assert same(decode(source), expected)
    with path.open("rb") as file:
        assert same(decode(file), expected)
    with Image.open(io.BytesIO(content)) as image:
        size, mode = image.size, image.mode
        picture = decode(image)
        if kind.startswith("JPEG"):  # a file gives its own gray, an image that of clipped colors
            assert np.abs(picture.gray.astype(int) - expected.gray).mean() < 1
        else:
            assert same(picture, expected)
        assert (image.size, image.mode) == (size, mode)  # the caller's own, left as it was
        assert same(decode(image.copy()), picture)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1", "I;16", "F"])
def test_an_image_and_its_array_agree(mode: str) -> None:
    image = Image.fromarray(drawn_large(np.asarray(RAMP), 3, (9, 5, 2, 7)))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    elif mode in ("LA", "RGBA"):
        image = image.convert(mode)
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    elif mode != "L":
        image = image.convert(mode)
    array = np.asarray(image)
    assert same(decode(array), decode(image))
    if array.ndim == 2:
        assert same(decode(array[..., None]), decode(image))


LAYOUTS: dict[str, Any] = {
    "as it is": lambda a: a,
    "Fortran": np.asfortranarray,
    "flipped twice": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
def test_arrays_of_any_dtype_and_layout(layout: str, channels: tuple[int, ...]) -> None:
    plain = np.random.default_rng(0).integers(0, 256, (24, 10, *channels)).astype(np.uint8)
    plain[0, 0], plain[0, 1] = 0, 255  # so that all know the range
    expected = decode(plain)
    arrays = [
        plain,
        plain.astype(np.uint16) * 257,
        plain.astype(np.int64),
        plain / 255,
        plain.astype(np.float32),
        (plain / np.float32(255)).astype(np.float32),
        plain.astype(np.float16),
    ]
    for array in arrays:
        before = array.copy()
        made = LAYOUTS[layout](array)
        made.flags.writeable = False
        assert same(decode(made), expected)
        assert np.array_equal(made, before)
    bits = plain > 127
    assert same(decode(LAYOUTS[layout](bits)), decode(bits.astype(np.uint8) * np.uint8(255)))


def test_colors_of_an_array_weigh_as_in_a_file() -> None:
    colors = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    assert same(decode(colors), decode(png(colors)))


def test_a_picture_keeps_its_pixels() -> None:
    array = RAMP.copy()
    picture = decode(array)
    array[:] = 0
    assert np.array_equal(picture.gray, RAMP)
    assert decode(picture) is picture
    assert repr(picture) == "Picture('the picture', 10x24)"
    assert same(pickle.loads(pickle.dumps(picture)), picture)


def test_floats_just_outside_their_range_are_rounded() -> None:
    assert same(decode(RAMP / np.float32(239) * (1 + 1e-6)), decode(RAMP / np.float32(239)))
    assert decode(np.full((3, 3), 0.5)).gray.max() == 128
    assert decode(np.full((3, 3), 1.5)).gray.max() == 2  # of 255


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros(784, np.uint8), r"shape \(784,\)"),
        (np.zeros((1, 28, 28), np.uint8), r"shape \(1, 28, 28\)"),
        (np.zeros((5, 28, 28, 1), np.uint8), r"shape \(5, 28, 28, 1\)"),
        (np.zeros((28, 28, 5), np.uint8), r"shape \(28, 28, 5\)"),
        (np.zeros((), np.uint8), r"shape \(\)"),
        (np.zeros((0, 28), np.uint8), "no pixels"),
        (np.zeros((28, 28, 0), np.uint8), r"shape \(28, 28, 0\)"),
        (np.full((28, 28), 300, np.int64), "from 300 to 300"),
        (np.zeros((28, 28), complex), "dtype complex128"),
        (np.zeros((2, 2), object), "dtype object"),
        (np.array([["a"]]), "dtype <U1"),
        (np.full((28, 28), -0.5), "from -0.5 to -0.5"),
        (np.full((28, 28), 256.0), "from 256 to 256"),
        (np.full((28, 28), np.nan), "from nan to nan"),
        (np.full((28, 28), np.inf), "from inf to inf"),
        (np.broadcast_to(np.uint8(0), (8000, 8000)), "too large"),
    ],
)
def test_other_arrays_are_refused(array: NDArray[Any], problem: str) -> None:
    with pytest.raises(PictureError, match=problem) as caught:
        decode(array)
    assert caught.value.path is None
    if "pixels" not in problem and "large" not in problem:
        assert "(height, width, channels)" in caught.value.remedy
    with pytest.raises(PictureError, match=f"^scan: .*{problem}"):
        decode(array, "scan")


@pytest.mark.parametrize("source", [[RAMP], RAMP.tolist(), (RAMP,), None, 3, {}, np.uint8(3)])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(PictureError, match=f"type {type(source).__name__}") as caught:
        decode(source)
    assert "a NumPy array" in caught.value.remedy


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.rest[: min(len(buffer), 100)]
        self.rest = self.rest[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def test_file_objects(tmp_path: Path) -> None:
    content = png(RAMP)
    file = io.BytesIO(b"before" + content)
    file.seek(6)
    assert np.array_equal(decode(file).gray, RAMP)
    with pytest.raises(PictureError, match="empty"):
        decode(file)  # it is at its end
    assert np.array_equal(decode(Trickle(content)).gray, RAMP)
    text: Any = io.StringIO("words")
    with pytest.raises(PictureError, match="no bytes"):
        decode(text)
    file.close()
    with pytest.raises(PictureError, match="closed file"):
        decode(file)
    path = tmp_path / "broken"
    path.write_bytes(content[: len(content) // 2])
    with path.open("rb") as opened, pytest.raises(PictureError, match="cut short") as caught:
        decode(opened)
    assert caught.value.path == str(path)


def test_an_endless_file_object_is_refused() -> None:
    class Endless(io.RawIOBase):
        count = 0

        def read(self, size: int = -1) -> bytes:
            self.count += 1
            return bytes(min(size, 30_000_000))

    endless: Any = Endless()
    with pytest.raises(PictureError, match="more than 100 MB"):
        decode(endless)
    assert endless.count == 4


def test_names(tmp_path: Path) -> None:
    picture = decode(Named("a", RAMP))
    assert picture.name == "a"
    assert decode(Named("b", picture)).name == "b"
    assert decode(Named("b", picture)).gray is picture.gray
    assert decode(Named("b", RAMP), "c").name == "c"
    assert decode(png(RAMP), "d").name == "d"
    path = tmp_path / "g.png"
    path.write_bytes(png(RAMP))
    with Image.open(path) as image, path.open("rb") as file:
        assert decode(image).name == decode(file).name == str(path)
        assert decode(image.copy()).name == "the picture"
    with pytest.raises(PictureError, match=r"^e: the file is empty\. "):
        decode(Named("e", b""))
    assert decode(Named("f", on_paper(RAMP))).name == "f"


# How each mode is made, and its error in rounding: PA has a palette, LAB a lightness of its own.
MODES = {
    "La": ("LA", 3), "RGBa": ("RGBA", 3), "PA": ("P", 26), "CMYK": ("RGB", 3), "YCbCr": ("RGB", 3),
    "HSV": ("RGB", 3), "LAB": ("RGB", 10), "I": ("L", 0),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_images_of_modes_that_no_file_has(mode: str) -> None:
    first, error = MODES[mode]
    image = Image.fromarray(RAMP).convert("RGBA").convert(first).convert(mode)
    assert np.abs(decode(image).gray.astype(int) - RAMP).max() <= error


def test_images_that_cannot_be_decoded() -> None:
    with pytest.raises(PictureError, match="no pixels"):
        decode(Image.new("L", (0, 5)))
    with pytest.raises(PictureError, match="too large"):
        decode(Image.new("1", (8000, 8000)))
    noise = np.random.default_rng(0).integers(0, 256, (50, 50)).astype(np.uint8)
    broken = Image.open(io.BytesIO(png(noise)[:1000]))
    with broken, pytest.raises(PictureError, match="cut short"):
        decode(broken)


def test_our_own_note_counts_only_with_the_pixels_of_its_file() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("digits", "28x28 dark ink")
    with Image.open(io.BytesIO(png(np.zeros((28, 28), np.uint8), pnginfo=info))) as image:
        assert decode(image).note == "28x28 dark ink"
        assert decode(ImageOps.invert(image)).note == ""
