"""Figures that were drawn in false colors, back to the values that the colors stand for.

`imshow` draws an image in the colors of a color map. Most maps grow steadily lighter, and gray
shows their values well enough. Others (jet, turbo, coolwarm) are as dark at both ends, and gray
makes outlines of strokes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colors = NDArray[np.int16]

MAPS = (
    "jet", "turbo", "rainbow", "gist_rainbow", "hsv", "coolwarm", "bwr", "seismic", "RdBu",
    "RdYlBu", "RdYlGn", "Spectral", "PiYG", "PRGn", "BrBG", "PuOr",
)  # fmt: skip
"""Matplotlib's maps whose lightness is not steady; each may also run backward (`jet_r`)."""

_SAMPLE_SIDE = 96  # pixels of a side of what is examined
_MIN_SHARE = 0.1  # of a figure is of one color: what surrounds the strokes
_MIN_CHROMA = 40  # of 255: less is gray
_TOLERANCE = 8  # of 255 in each channel: rounding, and colors resampled between two of a map
_MIN_EXPLAINED = 0.95  # of the colored pixels are of the map; the others are text or a grid
_MIN_COLORS = 12  # different ones, so that a drawing in two flat colors is no figure


def undo_colormap(image: Image.Image) -> Image.Image | None:
    """The values of a figure in false colors, as an image of mode L; None for any other picture.

    What is not in the colors of the map (margins, axes, text) keeps its gray.

    Args:
        image: Of mode RGB.
    """
    small = image.resize((_SAMPLE_SIDE, _SAMPLE_SIDE), Image.Resampling.NEAREST)
    sample = np.asarray(small, np.int16).reshape(-1, 3)
    colored = sample[np.ptp(sample, axis=1) >= _MIN_CHROMA]
    if len(colored) < _MIN_SHARE * len(sample):
        return None
    colors, counts = np.unique(colored, axis=0, return_counts=True)
    if len(colors) < _MIN_COLORS or counts.max() < _MIN_SHARE * len(sample):
        return None
    table = _table_of(colors, counts)
    return None if table is None else _values(image, table)


def _table_of(colors: Colors, counts: NDArray[np.intp]) -> Colors | None:
    """The (256, 3) colors of the map that explains the colors best, dark ground first."""
    import matplotlib  # 0.1 s, for what is a figure by all appearances

    best, least = None, np.inf
    for name in MAPS:
        table = (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.int16)
        distances, nearest = _nearest(colors, table)
        explained = counts[distances <= _TOLERANCE].sum() / counts.sum()
        mean = float((distances * counts).sum() / counts.sum())
        if explained >= _MIN_EXPLAINED and mean < least:
            ground = nearest[counts.argmax()]
            best, least = table if ground < 128 else table[::-1], mean
    return best


def _nearest(colors: Colors, table: Colors) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """The distance of each color from its nearest in a table, and the index of that one."""
    distances = np.abs(colors[:, None] - table[None]).max(axis=2)
    nearest = distances.argmin(axis=1)
    return distances[np.arange(len(colors)), nearest], nearest


def _values(image: Image.Image, table: Colors) -> Image.Image:
    """`image` with the index of each color of `table` as its gray."""
    gray = np.asarray(image.convert("L"))
    # One lookup per color, of which a figure has few; its pixels may be many.
    packed = np.asarray(image.convert("RGBA")).view(np.uint32)[..., 0]
    colors, index = np.unique(packed, return_inverse=True)
    channels = colors.view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int16)
    values = np.full(len(colors), -1, np.int16)
    for start in range(0, len(colors), 4096):  # each takes 256 distances
        distances, nearest = _nearest(channels[start : start + 4096], table)
        near = distances <= _TOLERANCE
        values[start : start + 4096][near] = nearest[near]
    values = values[index.reshape(gray.shape)]
    return Image.fromarray(np.where(values >= 0, values, gray).astype(np.uint8))
