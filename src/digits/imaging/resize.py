"""Resizing, the same everywhere."""

from __future__ import annotations

import cv2
import numpy as np

from .pixels import Gray

_MAX_ENLARGEMENT = 4.0  # more adds pixels, but no detail


def resize(gray: Gray, scale: float) -> Gray:
    """`gray` (height, width) resized by `scale`; no side becomes less than a pixel.

    Pixel areas are averaged to shrink, and interpolated by cubics to enlarge: as OpenCV advises.
    """
    if scale == 1:
        return gray
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, (width, height), interpolation=interpolation), np.uint8)


def resize_to_limits(gray: Gray, max_side: int, min_side: int = 0) -> Gray:
    """Shrink `gray` to a longer side of `max_side`, or enlarge it to a shorter side of `min_side`.

    Within these limits it stays as it is. `max_side` takes precedence.
    """
    longer, shorter = max(gray.shape), min(gray.shape)
    scale = min(1.0, max_side / longer)
    if scale == 1:
        scale = min(_MAX_ENLARGEMENT, max(1.0, min_side / shorter), max_side / longer)
    return resize(gray, scale)
