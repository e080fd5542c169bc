"""Pixels of any mode, depth, or dtype to 8-bit gray and alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import PictureError
from .colormaps import undo_colormap

Gray = NDArray[np.uint8]

MAX_PIXELS = 50_000_000  # decoded, with a float copy beside them, this many take some 500 MB

# Samples above 8 bits rarely use the whole range of their type: a 12-bit scan lies in 16 bits.
_FULL_SCALES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_CHUNK = 1_000_000  # samples that are scaled at once, which bounds the memory
_ROUNDING = 1e-3  # by which floats may leave their range
_CHANNELS = (1, 2, 3, 4)
_ARRAYS = (
    "Give (height, width) or (height, width, channels) with 1 channel (gray), 2 (gray, alpha), "
    "3 (RGB) or 4 (RGBA), as uint8, uint16, bool, or float from 0 to 1 or from 0 to 255"
)


def check_size(width: int, height: int) -> None:
    """Raise PictureError if a picture has no pixels, or too many."""
    if width < 1 or height < 1:
        raise PictureError("the picture has no pixels", "Give another picture")
    if width * height > MAX_PIXELS:
        raise too_many_pixels()


def too_large(size: str) -> PictureError:
    """The error for a picture that exceeds a limit of size."""
    return PictureError(f"the picture is too large ({size})", "Shrink it, or crop it to the digit")


def too_many_pixels() -> PictureError:
    """The error for more than MAX_PIXELS."""
    return too_large(f"more than {MAX_PIXELS / 1e6:.0f} megapixels")


def from_image(image: Image.Image) -> tuple[Gray, Gray | None]:
    """Gray and alpha, (height, width) uint8, of a loaded PIL image; alpha is None without one."""
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image), None
    if image.mode.startswith(("I", "F")):
        return _scaled(np.asarray(image))
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L")), None
    if not image.has_transparency_data:
        if image.mode not in ("1", "RGB"):
            image = image.convert("RGB")
        return np.asarray(_gray(image)), None
    if image.mode == "La":  # Pillow converts it to LA alone
        image = image.convert("LA")
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    return np.asarray(_gray(image.convert("RGB"))), np.asarray(image.getchannel("A"))


def _gray(image: Image.Image) -> Image.Image:
    """The gray of an image of mode 1 or RGB: of a figure in false colors, its values."""
    figure = undo_colormap(image) if image.mode == "RGB" else None
    return image.convert("L") if figure is None else figure


def from_array(array: NDArray[Any]) -> tuple[Gray, Gray | None]:
    """Gray and alpha, (height, width) uint8, of a NumPy array; alpha is None without one.

    Args:
        array: (h, w) or (h, w, 1) gray, (h, w, 2) gray and alpha, (h, w, 3) RGB, (h, w, 4) RGBA.
            uint8; bool; uint16 over the range that the values suggest, as in a file; or float
            from 0 to 1, or from 0 to 255 where a value is above 1.

    Raises:
        PictureError: For another shape or dtype, or for values out of range.
    """
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in _CHANNELS:
        raise PictureError(f"the array has shape {array.shape}", _ARRAYS)
    height, width, channels = array.shape
    check_size(width, height)
    if channels in (2, 4):  # each with a scale of its own
        parts = [_eight_bits(array[..., :-1]), _eight_bits(array[..., -1:])]
        pixels = np.concatenate(parts, axis=2)
    else:
        pixels = _eight_bits(array)
    if channels == 1:
        return np.array(pixels[..., 0], order="C"), None
    return from_image(Image.fromarray(np.ascontiguousarray(pixels)))


def _eight_bits(array: NDArray[Any]) -> Gray:
    """`array` as uint8, 0 to 255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return _scaled(array)[0]
    if array.dtype.kind not in "iuf":
        raise PictureError(f"the array has dtype {array.dtype}", _ARRAYS)
    low, high = float(array.min()), float(array.max())
    if not (low >= -_ROUNDING and high <= 255 + _ROUNDING):  # NaN is in no range either
        raise PictureError(f"the array has values from {low:.4g} to {high:.4g}", _ARRAYS)
    scale = 255.0 if array.dtype.kind == "f" and high <= 1 + _ROUNDING else 1.0
    return np.asarray(np.rint(np.clip(array * np.float64(scale), 0, 255)), np.uint8)


def _scaled(values: NDArray[Any]) -> tuple[Gray, Gray | None]:
    """Samples of more than 8 bits, or floats, to 0..255; those that are not finite get alpha 0."""
    values = np.ascontiguousarray(values)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8), np.zeros(values.shape, np.uint8)
    if finite.all():
        low, high = float(values.min()), float(values.max())
    else:
        low = float(values.min(where=finite, initial=np.inf))
        high = float(values.max(where=finite, initial=-np.inf))
    full = next((scale for scale in _FULL_SCALES if high <= scale), None)
    if low >= 0 and full is not None:
        low, high = 0.0, full
    scale = 255 / (high - low) if high > low else 0.0
    gray = np.empty(values.shape, np.uint8)
    flat = gray.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        known = np.where(finite.reshape(-1)[chunk], values.reshape(-1)[chunk], np.float64(low))
        flat[chunk] = np.rint((known - low) * scale)
    return gray, None if finite.all() else finite.astype(np.uint8) * np.uint8(255)
