"""The tones of a picture, and which of them are ink."""

from __future__ import annotations

from typing import Literal, get_args

import cv2
import numpy as np

from .decode import Gray, Picture
from .resize import resize_to_limits

Ink = Literal["auto", "dark", "light"]

_MAX_SIDE = 2000  # pixels, where there are two channels to work on
_MAX_BLANK_SIDE = 400  # pixels, in which noise is averaged and a hair-thin stroke still shows
_MIN_CONTRAST = 14  # of 255 between ink and background, in the mean of 3×3 pixels
_MIN_RANGE = 60  # of 255: opaque pixels with less hold either ink or background, not both


def check_ink(ink: str) -> None:
    """Raise ValueError unless `ink` is one of `Ink`."""
    if ink not in get_args(Ink):
        raise ValueError(f"ink must be one of {', '.join(get_args(Ink))}, not {ink!r}")


def flatten(picture: Picture, ink: Ink) -> tuple[Gray, Ink]:
    """One gray value per pixel, (height, width) uint8, and what is then known of the ink.

    Where the opaque pixels hardly differ, the shape is in the alpha channel, which is returned.
    Otherwise transparent pixels take the gray of the opaque ones that they touch: the ground, or
    what a tool has left of it around the strokes. A large picture with an alpha channel is shrunk.
    """
    gray, alpha = picture.gray, picture.alpha
    if alpha is None or alpha.min() == 255:
        return gray, ink
    gray, alpha = resize_to_limits(gray, _MAX_SIDE), resize_to_limits(alpha, _MAX_SIDE)
    opaque = (alpha >= max(1, int(alpha.max()) * 0.9)).astype(np.uint8)
    if not opaque.any():
        return alpha, "light"
    low, high = np.percentile(gray[opaque > 0], (0.5, 99.5))
    if alpha.min() < 128 and high - low < _MIN_RANGE:
        return alpha, "auto"
    edge = opaque > cv2.erode(opaque, np.ones((3, 3), np.uint8))
    ground = np.float32(np.median(gray[edge if edge.any() else opaque > 0]))
    weight = alpha / np.float32(255)
    flat = gray * weight + ground * (1 - weight)
    return np.rint(flat).astype(np.uint8), ink


def is_blank(gray: Gray) -> bool:
    """Whether a picture is of one tone, apart from noise."""
    smooth = cv2.blur(resize_to_limits(gray, _MAX_BLANK_SIDE), (3, 3))
    return int(smooth.max()) - int(smooth.min()) < _MIN_CONTRAST
