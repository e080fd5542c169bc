"""The foreground of a picture: its ink, whatever the light and the paper.

The order is: one gray value per pixel → contrast to the background → mask → ruled lines removed.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import Gray, Picture
from .resize import resize_to_limits
from .ruled_lines import INKED, connected_components, without_ruled_lines

Ink = Literal["auto", "dark", "light"]

_MAX_SIDE = 2000  # pixels, where there are two channels to work on
_MIN_CONTRAST = 8  # of 255 between ink and background; fainter is no ink
_MIN_SPECK = 0.02  # of the area of the largest component; smaller ones are removed
_MIN_RANGE = 60  # of 255: opaque pixels with less hold either ink or background, not both
_MAX_PALE = 0.3  # of the area of strong ink: more pale ink apart from it is something else
_BOLD = 60  # of 255 between ink and background
_MIN_SNR = 5.0  # contrast of ink over the standard deviation of the noise
_MIN_PIXELS = 12  # of ink in a noisy picture


def check_ink(ink: str) -> None:
    """Raise ValueError unless `ink` is one of `Ink`."""
    if ink not in get_args(Ink):
        raise ValueError(f"ink must be one of {', '.join(get_args(Ink))}, not {ink!r}")


def flatten(picture: Picture, ink: Ink) -> tuple[Gray, Ink]:
    """One gray value per pixel, (height, width) uint8, and what is then known of the ink.

    Where the opaque pixels hardly differ, the shape is in the alpha channel, which is returned.
    Otherwise transparent pixels take the median gray of the opaque ones. A large picture with an
    alpha channel is shrunk.
    """
    gray, alpha = picture.gray, picture.alpha
    if alpha is None or alpha.min() == 255:
        return gray, ink
    gray, alpha = resize_to_limits(gray, _MAX_SIDE), resize_to_limits(alpha, _MAX_SIDE)
    opaque = gray[alpha >= max(1, int(alpha.max()) * 0.9)]
    if not opaque.size:
        return alpha, "light"
    low, high = np.percentile(opaque, (0.5, 99.5))
    if alpha.min() < 128 and high - low < _MIN_RANGE:
        return alpha, "auto"
    weight = alpha / np.float32(255)
    flat = gray * weight + np.float32(np.median(opaque)) * (1 - weight)
    return np.rint(flat).astype(np.uint8), ink


def foreground_mask(gray: Gray, ink: Ink = "auto") -> Gray:
    """How much of each pixel is ink: (height, width) uint8, 0 background to 255 foreground.

    Ruled lines and specks are left out. All 0 without ink.

    Args:
        gray: (height, width) uint8.
        ink: Whether it is `dark` or `light`; `auto` finds out.
    """
    contrast = _contrast(gray, ink)
    mask = _soft_mask(contrast)
    if _is_uneven(contrast, mask):
        mask = _soft_mask(_tophat(contrast))
    if not mask.any():
        return mask
    return _without_specks(without_ruled_lines(_without_pale_marks(mask)))


def _soft_mask(contrast: NDArray[np.float32]) -> Gray:
    """From contrast to a mask.

    Soft from 0.3 to 0.8 of the ink's usual strength: paper goes, smooth edges stay, and pencil
    becomes as strong as a marker.
    """
    threshold = _threshold(contrast)
    noise, two_tones = _noise(contrast, threshold)
    least = max(float(_MIN_CONTRAST), 0.0 if two_tones else _MIN_SNR * noise)
    strong = contrast[contrast > max(threshold, least)]
    if not strong.size or (not two_tones and strong.size < _MIN_PIXELS):
        return np.zeros(contrast.shape, np.uint8)
    level = float(np.median(strong))
    low = max(0.3 * level, 0.0 if two_tones else min(0.5 * level, 3 * noise))
    mask = np.clip((contrast - low) / (0.8 * level - low), 0, 1) * 255
    return np.asarray(np.rint(mask), np.uint8)


def _contrast(gray: Gray, ink: Ink) -> NDArray[np.float32]:
    """How far each pixel is from the background towards the ink, in gray values."""
    signed = gray - _background(gray)
    if np.ptp(signed) < _MIN_CONTRAST:
        return np.zeros(gray.shape, np.float32)
    threshold = _threshold(signed)
    bright = signed > threshold
    noise, two_tones = _noise(signed, threshold)
    light = ink == "light"
    if ink == "auto":
        light = _ink_is_light(bright) if two_tones else _tail_is_light(signed, noise)
    if not light:
        signed, bright = -signed, ~bright
    # Bold ink may have mask the plane towards itself.
    background = signed[~bright] if two_tones and not bright.all() else signed
    return np.asarray(signed - np.median(background), np.float32)


def _noise(values: NDArray[np.float32], threshold: float) -> tuple[float, bool]:
    """The standard deviation of the noise, and whether `threshold` parts two tones rather than it.

    A threshold amid mere noise halves it; each half then shows 0.6 of its deviation, and their
    means are 1.6 of it apart.
    """
    bright = values > threshold
    if not bright.any() or bright.all():
        return _spread(values), False
    halves = (_spread(values[bright]) + _spread(values[~bright])) / 2
    noise = min(_spread(values), halves / 0.6)
    gap = float(values[bright].mean() - values[~bright].mean())
    if (
        gap <= 2.5 * noise and gap > _BOLD
    ):  # soft edges of bold ink pass for noise, but have no grain
        grain = _spread(values - cv2.medianBlur(values, 3))
        return noise, grain < gap / 20
    return noise, gap > 2.5 * noise


def _spread(values: NDArray[np.float32]) -> float:
    """The noise: the standard deviation as far as the median deviation tells it."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _tail_is_light(signed: NDArray[np.float32], noise: float) -> bool:
    """Whether more stands out on the bright side: for little ink in a noisy picture."""
    out = np.clip(np.abs(signed) - 4 * noise, 0, None)
    return bool(out[signed > 0].sum() > out[signed < 0].sum())


def _is_uneven(contrast: NDArray[np.float32], mask: Gray) -> bool:
    """Whether the background itself, away from the ink, changes by as much as faint ink would."""
    if not mask.any() or min(mask.shape) < 40:
        return False
    level = float(np.median(contrast[mask > 127])) if (mask > 127).any() else 0.0
    background = (cv2.dilate((mask > 127).astype(np.uint8), np.ones((5, 5))) == 0).astype(
        np.float32
    )
    size = (max(9, min(mask.shape) // 16),) * 2
    share = cv2.blur(background, size)
    mean = cv2.blur(np.clip(contrast, -2 * level, 2 * level) * background, size) / np.maximum(
        share, 0.05
    )
    seen = mean[share > 0.5]
    if seen.size < 0.35 * mean.size:  # the blurred edges of bold ink are all there is
        return False
    low, high = np.percentile(seen, (2, 98))
    return bool(high - low > 0.5 * level)


def _tophat(contrast: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is narrower than a third of the picture and stands out: no shadow, no table.

    A white top-hat (Serra, 1982): what an opening takes away. The opening, which knows no detail,
    is that of a smaller picture.
    """
    height, width = contrast.shape
    scale = min(1.0, 160 / max(height, width))
    little = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(contrast, little, interpolation=cv2.INTER_AREA)
    size = max(9, min(small.shape) // 3) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    background = cv2.resize(cv2.morphologyEx(small, cv2.MORPH_OPEN, kernel), (width, height))
    out = contrast - background
    return np.asarray(out - np.median(out), np.float32)


def _background(gray: Gray) -> NDArray[np.float32]:
    """The tone of the background as a plane: light that falls from one side is not ink.

    Least squares, with less and less weight on what lies far from the plane.
    """
    height, width = (min(side, 48) for side in gray.shape)
    small = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), float)
    across, down = _places(width), _places(height)
    y, x = np.meshgrid(down, across, indexing="ij")
    basis = np.column_stack((np.ones(small.size), x.ravel(), y.ravel()))
    values = small.ravel()
    plane = np.array([np.median(values), 0.0, 0.0])
    for _ in range(8):
        off = np.abs(values - basis @ plane)
        usual = max(2.0, 1.4826 * float(np.median(off)))
        weighted = basis / (1 + (off / (2 * usual)) ** 2)[:, None]
        # The tiny addition keeps pictures of one row or column solvable.
        plane = np.linalg.solve(weighted.T @ basis + 1e-6 * np.eye(3), weighted.T @ values)
    high, wide = gray.shape
    background = plane[0] + plane[1] * _places(wide) + plane[2] * _places(high)[:, None]
    return np.asarray(background, np.float32)


def _places(count: int) -> NDArray[np.floating[Any]]:
    """The middles of `count` pixels, from -1 to 1."""
    return (np.arange(count) + 0.5) * (2 / count) - 1


def _ink_is_light(bright: NDArray[np.bool_]) -> bool:
    """Whether the dark pixels are the background.

    The background fills the picture, its edge and its corners. Each alone fails on bold digits that
    touch the edge; the mean of the three shares is wrong on 0.1 % of MNIST digits cut tightly (the
    share of the whole picture alone on 6 %).
    """
    size = max(1, min(bright.shape) // 8)
    ends = np.r_[:size, -size:0]
    edge = np.concatenate((bright[0], bright[-1], bright[:, 0], bright[:, -1]))
    corners = bright[np.ix_(ends, ends)]
    return bool(bright.mean() + edge.mean() + corners.mean() <= 1.5)


def _without_pale_marks(mask: Gray) -> Gray:
    """Without the squares of paper, and the like, where they are paler than the ink.

    Ink has pale places too, but less of them.
    """
    strong = (mask > INKED).astype(np.uint8)
    near = cv2.dilate(strong, np.ones((7, 7), np.uint8)) > 0
    if np.count_nonzero((mask > 0) & ~near) < _MAX_PALE * np.count_nonzero(strong):
        return mask
    return np.where(near, mask, 0)


def _without_specks(mask: Gray) -> Gray:
    labels, stats = connected_components(mask > 0)
    areas = stats[:, cv2.CC_STAT_AREA]
    kept = areas >= _MIN_SPECK * areas[1:].max(initial=0)
    return np.where(kept[labels], mask, 0)


def _threshold(values: NDArray[np.float32]) -> float:
    """Otsu's threshold: what is above it is the brighter of two classes."""
    low, high = float(values.min()), float(values.max())
    scale = (high - low) / 255 or 1.0
    levels = np.rint((values - low) / scale).astype(np.uint8)
    return low + (float(cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]) + 0.5) * scale
