"""Arrays of images and labels as Keras users have them, brought into one shape and dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Array = NDArray[Any]

_IMAGES_WANTED = (
    "Give an array of shape (n, 28, 28), (n, 28, 28, 1), (n, 28, 28, 3) or (n, 784), or one "
    "(28, 28), with integers 0 to 255 or floats 0 to 1, white ink on black"
)
_BLOCK = 4096  # images that are converted at a time
_MARGIN = 2  # pixels around the 28×28 of a 32×32, as for LeNet-5
_LABELS_WANTED = "Give one integer 0 to 9 per image, or one-hot rows of shape (n, 10)"


def as_images(array: ArrayLike, name: str) -> Images:
    """Convert an array to images.

    A float array whose maximum is at most 1 is taken as 0..1 and scaled by 255, and so is a
    boolean one; if its minimum is -1, it is taken as -1..1. All other values are pixel values
    0..255.

    Args:
        array: Shape (n, 28, 28), (n, 28, 28, 1), (n, 1, 28, 28), (n, 784), or (28, 28) for one
            image; (n, 28, 28, 3) whose channels become their mean; or (n, 32, 32) with a blank
            margin, which is cut off. Any number dtype, byte order and memory layout.
        name: What to call the array in error messages.

    Returns:
        (n, 28, 28) uint8, C-contiguous; n may be 0. Shares memory with `array` where that is
        such an array already.

    Raises:
        DataError: If the shape, the dtype or a value does not fit.
    """
    values = _as_numbers(array, name, _IMAGES_WANTED)
    shape = values.shape
    if shape[:1] == (0,):
        values = values.reshape(0, 28, 28)
    elif shape == (28, 28) or shape[1:] in ((28, 28), (28, 28, 1), (1, 28, 28), (784,)):
        values = values.reshape(-1, 28, 28)
    elif shape[1:] == (28, 28, 3):
        pass  # its channels are joined block by block
    elif shape[1:] in ((32, 32), (32, 32, 1)):
        values = _without_margin(values.reshape(-1, 32, 32), name)
    elif shape[1:] in ((8, 8), (64,)):
        raise DataError(f"the images of 8×8 pixels in {name} are too small", _IMAGES_WANTED)
    else:
        raise DataError(f"the shape of {name} is {shape}", _IMAGES_WANTED)
    if values.dtype == np.uint8 and values.ndim == 3:
        return np.ascontiguousarray(values)
    return _from_blocks(values, name)


def _from_blocks(values: Array, name: str) -> Images:
    """(n, 28, 28) or (n, 28, 28, 3) numbers as images, without another array of their size."""
    is_float = values.dtype.kind == "f"
    is_share = values.dtype == np.bool_ or (is_float and values.max(initial=0) <= 1)
    is_signed = is_float and is_share and values.min(initial=0) == -1 and values.max() > 0
    if not is_signed:
        _require_range(values, 1 if is_share else 255, name, _IMAGES_WANTED)
    images = np.empty((len(values), 28, 28), np.uint8)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        if block.ndim == 4:
            block = _gray(block)
        if is_signed:
            block = (block + 1) / 2
        if is_share:
            block = np.rint(block * np.float32(255))
        images[start : start + _BLOCK] = _as_uint8(block, 255, name, _IMAGES_WANTED)
    return images


def as_labels(array: ArrayLike, name: str) -> Labels:
    """Convert an array to labels.

    Args:
        array: Shape (n,) or (n, 1), one-hot (n, 10), or one number. The digits may be text.
        name: What to call the array in error messages.

    Returns:
        (n,) uint8, C-contiguous, 0..9.

    Raises:
        DataError: If the shape, the dtype or a value does not fit.
    """
    values = np.atleast_1d(_as_numbers(_from_text(array), name, _LABELS_WANTED))
    if values.ndim == 2 and values.shape[1] == 10 and _is_one_hot(values):
        values = values.argmax(axis=1)
    elif values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"the shape of {name} is {values.shape}", _LABELS_WANTED)
    return _as_uint8(values, 9, name, _LABELS_WANTED)


def _gray(values: Array) -> Array:
    """(n, 28, 28, 3) as (n, 28, 28): the mean of the channels."""
    mean = values.mean(axis=3, dtype=np.float32)
    if values.dtype.kind == "f" or values.dtype == np.bool_:
        return np.asarray(mean)
    return np.asarray(np.rint(mean), values.dtype)


def _without_margin(values: Array, name: str) -> Array:
    inner = values[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    if np.count_nonzero(values) != np.count_nonzero(inner):
        raise DataError(f"the images of {name} are 32×32 without a blank margin", _IMAGES_WANTED)
    return inner


def _as_numbers(array: ArrayLike, name: str, wanted: str) -> Array:
    """`array` as a NumPy array of finite numbers."""
    try:
        values = np.asarray(array)
    except ValueError as error:  # nested lists of different lengths
        raise DataError(f"the rows of {name} have different lengths", wanted) from error
    if values.dtype.kind not in "biuf":
        raise DataError(f"the dtype of {name} is {values.dtype}", wanted)
    # NaN is the least and the greatest of all, so that no array of answers is needed.
    if (
        values.dtype.kind == "f"
        and values.size
        and not np.isfinite([values.min(), values.max()]).all()
    ):
        raise DataError(f"the values of {name} include NaN or infinity", wanted)
    return values


def _from_text(array: ArrayLike) -> ArrayLike:
    """Labels such as "7" or b"7" as numbers; others as they are."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "US":
        return array
    try:
        return array.astype(np.int64)
    except ValueError:
        return array


def _is_one_hot(values: Array) -> bool:
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())


def _require_range(values: Array, high: int, name: str, wanted: str) -> None:
    low, top = values.min(initial=0), values.max(initial=0)
    if low < 0 or top > high:
        raise DataError(f"the values of {name} range from {low:g} to {top:g}", wanted)


def _as_uint8(values: Array, high: int, name: str, wanted: str) -> NDArray[np.uint8]:
    """Whole numbers from 0 to `high` as a C-contiguous uint8 array."""
    _require_range(values, high, name, wanted)
    converted = np.ascontiguousarray(values, np.uint8)
    if values.dtype.kind == "f" and (converted != values).any():
        raise DataError(f"the values of {name} are not whole numbers", wanted)
    return converted
