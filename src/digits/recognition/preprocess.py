"""From any picture to the 28×28 that the models take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..imaging.decode import Gray, Picture, Source, check_legible, decode
from ..imaging.foreground import Ink, check_ink
from ..imaging.geometry import Box, bounding_box, mnist_image, to_mnist_geometry
from .finder import Foreground, find_foreground


@dataclass(frozen=True, eq=False, repr=False)
class Preprocessed:
    """A picture on its way to a model, with the result of each stage.

    `np.asarray(preprocessed)` is `image`.

    Attributes:
        picture: As decoded.
        ink: Whether the ink was said to be `dark` or `light`; `auto` if it was to be found out.
        mask: (height, width) uint8, 0 background to 255 foreground: the ink of the digit. It may
            be smaller than the picture.
        box: Left, top, right, bottom of the foreground in `mask`; right and bottom exclusive.
        image: (28, 28) uint8 in MNIST's geometry, white on black; all 0 without foreground.
        found: What the finder takes it for; None for a picture that was in MNIST's geometry.
    """

    picture: Picture
    ink: Ink
    mask: Gray
    box: Box
    image: Gray
    found: Foreground | None

    @property
    def has_ink(self) -> bool:
        """Whether there is any foreground."""
        return bool(self.image.any())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.image, dtype, copy=copy)

    def __repr__(self) -> str:
        return f"Preprocessed({self.picture.name!r}, box={self.box})"


def preprocess(source: Source | Preprocessed, ink: Ink = "auto") -> Preprocessed:
    """Find the one digit in a picture and bring it into MNIST's size and geometry.

    A picture that is 28×28 in MNIST's geometry already stays as it is, bit for bit (dark ink is
    inverted).

    Args:
        source: A path, the bytes of a picture file, a binary file object, a PIL image, an array
            (see `decode`), or the result of an earlier call, which is returned as it is.
        ink: Whether the digit is `dark` on light ground or `light` on dark; `auto` finds out.

    Raises:
        PictureError: The source cannot be decoded, or it is too small.
        ValueError: There is no such `ink`.
    """
    check_ink(ink)
    if isinstance(source, Preprocessed):
        return source
    picture = decode(source)
    check_legible(picture)
    image = mnist_image(picture, ink)
    if image is not None:
        return Preprocessed(picture, ink, image, bounding_box(image), image, None)
    found = find_foreground(picture, ink)
    image = to_mnist_geometry(found.mask, found.box)
    return Preprocessed(picture, ink, found.mask, found.box, image, found)
