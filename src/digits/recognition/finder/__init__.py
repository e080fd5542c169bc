"""Which pixels of a picture are the digit, and where digits are: the one door to both.

A small net sees it (`FinderNet`). It was trained on generated pages (`training/finder`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..._io.files import read_error
from ..._io.workers import worker_threads
from ...errors import ModelError
from ...imaging.decode import Gray, Picture
from ...imaging.foreground import Ink, flatten, is_blank
from ...imaging.geometry import Box, bounding_box, mnist_image, to_mnist_geometry
from ...imaging.resize import resize_to_limits
from ...models.find import shipped_folder
from .found import UNSEEN as UNSEEN
from .found import Foreground as Foreground
from .found import FoundDigit as FoundDigit
from .ink import ink_in
from .lines import find_all
from .lines import lines_of as lines_of
from .looks import FinderNet, Look
from .sightings import Sightings
from .single import find_single

NET = "finder.tflite"
"""Name of the compiled net in the folder of the shipped models."""

_DIGIT_MAX_SIDE = 1600  # pixels; a digit of one thirtieth of it still has 53
_PAGE_MAX_SIDE = 2400  # pixels
_MOST_OF_COMPRESSION = 2  # gray values by which it changes a picture of one tone
_NONE = np.append(np.zeros(10), 1).astype(np.float32)  # probabilities: no digit


def find_foreground(
    picture: Picture, ink: Ink = "auto", net: FinderNet | None = None
) -> Foreground:
    """Find the pixels of the one digit in a picture.

    Args:
        picture: Any.
        ink: Whether the digit is `dark` or `light`; with `auto`, either is found.
        net: The shipped one if None.

    Raises:
        ModelError: If the shipped net is missing or damaged.
    """
    gray, ink = flatten(picture, ink)
    if _is_of_one_tone(gray):
        return Foreground(np.zeros_like(gray), (0, 0, 0, 0), _NONE, several=0.0, blank=True)
    found = find_single(net or shipped_net(), resize_to_limits(gray, _DIGIT_MAX_SIDE), ink)
    seen = found.seen
    row = _probabilities(seen, 0) if len(seen) else _NONE
    blank = not found.mask.any() and is_blank(gray)
    return Foreground(found.mask, bounding_box(found.mask), row, found.several, blank)


def find_digits(
    picture: Picture, ink: Ink = "auto", net: FinderNet | None = None
) -> list[FoundDigit]:
    """Find all that may be digits in a picture, the likeliest first; `lines_of` puts them in order.

    A picture in MNIST's size and geometry is one digit, as it is. Arguments and errors as of
    `find_foreground`.
    """
    image = mnist_image(picture, ink)
    if image is not None:
        return [FoundDigit(image, bounding_box(image), UNSEEN)] if image.any() else []
    gray, ink = flatten(picture, ink)
    if _is_of_one_tone(gray):
        return []
    small = resize_to_limits(gray, _PAGE_MAX_SIDE)
    seen, looks = find_all(net or shipped_net(), small, ink)
    scale = picture.gray.shape[0] / small.shape[0]
    return [_found(seen, index, looks, scale, picture.gray.shape) for index in range(len(seen))]


@cache
def shipped_net() -> FinderNet:
    """The compiled net of the package."""
    path = shipped_folder() / NET
    try:
        return FinderNet(path.read_bytes(), str(path), worker_threads())
    except OSError as error:
        raise read_error(ModelError, str(path), error) from None


def _is_of_one_tone(gray: Gray) -> bool:
    """Whether nothing can be in a picture. The net sees ink of six gray values."""
    return bool(np.ptp(gray) <= _MOST_OF_COMPRESSION)


def _found(
    seen: Sightings, index: int, looks: list[Look], scale: float, shape: tuple[int, ...]
) -> FoundDigit:
    """One digit with its 28×28 and its probabilities of ten digits and of none."""
    mask, box = ink_in(looks, seen.boxes[index])
    left, top, right, bottom = (float(v) * scale for v in box)
    place: Box = (
        max(0, int(left)), max(0, int(top)),
        min(shape[1], int(np.ceil(right))), min(shape[0], int(np.ceil(bottom))),
    )  # fmt: skip
    image = to_mnist_geometry(mask, bounding_box(mask))
    return FoundDigit(image, place, _probabilities(seen, index))


def _probabilities(seen: Sightings, index: int) -> NDArray[np.float32]:
    score = seen.scores[index]
    return np.append(seen.probabilities[index] * score, 1 - score).astype(np.float32)
