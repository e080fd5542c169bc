"""The ink in a picture: how much of it each pixel holds, whatever the light and the paper.

The order is: one tone per pixel → contrast to the ground → ink map → without printed lines.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import Grey, Picture
from .rules import INKED, connected, without_rules

Ink = Literal["auto", "dark", "light"]

_MOST = 2000  # pixels of the longer side, where there are two channels to work on
_LEAST_CONTRAST = 8  # of 255 between ink and ground; fainter is no ink
_LEAST_PART = 0.02  # of the largest piece of ink; smaller pieces are dust
_LEAST_TONES = 60  # of 255 between the tones of opaque pixels that hold both ink and ground
_PALE = 0.3  # of the area of strong ink: more of pale ink apart from it is none
_BOLD = 60  # of 255 between ink and ground
_CLEAR = 5.0  # times the noise: so far does ink stand out where it is little
_LEAST_PIXELS = 12  # of such ink


def flatten(picture: Picture, ink: Ink) -> tuple[Grey, Ink]:
    """One tone per pixel, (height, width) uint8, and what is known of the ink in it.

    A large picture with an alpha channel is made smaller.

    Where the opaque pixels show but one tone, the shape is in the alpha channel: that becomes the
    picture. Otherwise clear pixels take the commonest tone of the opaque ones.
    """
    grey, alpha = picture.grey, picture.alpha
    if alpha is None or alpha.min() == 255:
        return grey, ink
    grey, alpha = resized(grey, _MOST), resized(alpha, _MOST)
    opaque = grey[alpha >= max(1, int(alpha.max()) * 0.9)]
    if not opaque.size:
        return alpha, "light"
    low, high = np.percentile(opaque, (0.5, 99.5))
    if alpha.min() < 128 and high - low < _LEAST_TONES:
        return alpha, "auto"
    weight = alpha / np.float32(255)
    tones = grey * weight + np.float32(np.median(opaque)) * (1 - weight)
    return np.rint(tones).astype(np.uint8), ink


def resized(tones: Grey, most: int, least: int = 0) -> Grey:
    """The picture with its longer side at most `most` pixels, or its shorter at least `least`.

    Enlarged four times at most; `most` goes before `least`.
    """
    scale = min(1.0, most / max(tones.shape))
    if scale == 1:
        scale = min(4.0, max(1.0, least / min(tones.shape)), most / max(tones.shape))
    if scale == 1:
        return tones
    height, width = (max(1, round(length * scale)) for length in tones.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(tones, (width, height), interpolation=way), np.uint8)


def ink_map(tones: Grey, ink: Ink = "auto") -> Grey:
    """How much ink each pixel holds: (height, width) uint8, 0 ground to 255 ink.

    Printed lines and dust are left out. All 0 when there is no ink.
    """
    contrast = _contrast(tones, ink)
    drawn = _drawn(contrast)
    if _is_uneven(contrast, drawn):
        drawn = _drawn(_tophat(contrast))
    if not drawn.any():
        return drawn
    return _without_dust(without_rules(_without_pale_marks(drawn)))


def _drawn(contrast: NDArray[np.float32]) -> Grey:
    """From contrast to an ink map.

    Soft from 0.3 to 0.8 of the ink's usual strength: paper goes, smooth edges stay, and pencil
    becomes as strong as a marker.
    """
    mark = _threshold(contrast)
    noise, two_tones = _noise(contrast, mark)
    least = max(float(_LEAST_CONTRAST), 0.0 if two_tones else _CLEAR * noise)
    strong = contrast[contrast > max(mark, least)]
    if not strong.size or (not two_tones and strong.size < _LEAST_PIXELS):
        return np.zeros(contrast.shape, np.uint8)
    level = float(np.median(strong))
    low = max(0.3 * level, 0.0 if two_tones else min(0.5 * level, 3 * noise))
    drawn = np.clip((contrast - low) / (0.8 * level - low), 0, 1) * 255
    return np.asarray(np.rint(drawn), np.uint8)


def _contrast(tones: Grey, ink: Ink) -> NDArray[np.float32]:
    """How far each pixel is from the ground towards the ink, in grey values."""
    signed = tones - _ground(tones)
    if np.ptp(signed) < _LEAST_CONTRAST:
        return np.zeros(tones.shape, np.float32)
    mark = _threshold(signed)
    bright = signed > mark
    noise, two_tones = _noise(signed, mark)
    light = ink == "light"
    if ink == "auto":
        light = _ink_is_light(bright) if two_tones else _tail_is_light(signed, noise)
    if not light:
        signed, bright = -signed, ~bright
    # Bold ink may have drawn the plane towards itself.
    ground = signed[~bright] if two_tones and not bright.all() else signed
    return np.asarray(signed - np.median(ground), np.float32)


def _noise(values: NDArray[np.float32], mark: float) -> tuple[float, bool]:
    """The standard deviation of the noise, and whether `mark` parts two tones rather than it.

    A mark amid mere noise halves it; each half then shows 0.6 of its deviation, and their means are
    1.6 of it apart.
    """
    bright = values > mark
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


def _is_uneven(contrast: NDArray[np.float32], drawn: Grey) -> bool:
    """Whether the ground itself, away from the ink, changes by as much as faint ink would."""
    if not drawn.any() or min(drawn.shape) < 40:
        return False
    level = float(np.median(contrast[drawn > 127])) if (drawn > 127).any() else 0.0
    ground = (cv2.dilate((drawn > 127).astype(np.uint8), np.ones((5, 5))) == 0).astype(np.float32)
    size = (max(9, min(drawn.shape) // 16),) * 2
    share = cv2.blur(ground, size)
    mean = cv2.blur(np.clip(contrast, -2 * level, 2 * level) * ground, size) / np.maximum(
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
    ground = cv2.resize(cv2.morphologyEx(small, cv2.MORPH_OPEN, kernel), (width, height))
    out = contrast - ground
    return np.asarray(out - np.median(out), np.float32)


def _ground(tones: Grey) -> NDArray[np.float32]:
    """The tone of the ground as a plane: light that falls from one side is not ink.

    Least squares, with less and less weight on what lies far from the plane.
    """
    height, width = (min(side, 48) for side in tones.shape)
    small = np.asarray(cv2.resize(tones, (width, height), interpolation=cv2.INTER_AREA), float)
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
    high, wide = tones.shape
    ground = plane[0] + plane[1] * _places(wide) + plane[2] * _places(high)[:, None]
    return np.asarray(ground, np.float32)


def _places(count: int) -> NDArray[np.floating[Any]]:
    """The middles of `count` pixels, from -1 to 1."""
    return (np.arange(count) + 0.5) * (2 / count) - 1


def _ink_is_light(bright: NDArray[np.bool_]) -> bool:
    """Whether the dark pixels are the ground.

    The ground fills the picture, its edge and its corners. Each alone fails on bold digits that
    touch the edge; the mean of the three shares is wrong on 0.1 % of MNIST digits cut tightly (the
    share of the whole picture alone on 6 %).
    """
    size = max(1, min(bright.shape) // 8)
    ends = np.r_[:size, -size:0]
    edge = np.concatenate((bright[0], bright[-1], bright[:, 0], bright[:, -1]))
    corners = bright[np.ix_(ends, ends)]
    return bool(bright.mean() + edge.mean() + corners.mean() <= 1.5)


def _without_pale_marks(drawn: Grey) -> Grey:
    """Without the squares of paper, and the like, where they are paler than the ink.

    Ink has pale places too, but less of them.
    """
    strong = (drawn > INKED).astype(np.uint8)
    near = cv2.dilate(strong, np.ones((7, 7), np.uint8)) > 0
    if np.count_nonzero((drawn > 0) & ~near) < _PALE * np.count_nonzero(strong):
        return drawn
    return np.where(near, drawn, 0)


def _without_dust(drawn: Grey) -> Grey:
    pieces, about = connected(drawn > 0)
    areas = about[:, cv2.CC_STAT_AREA]
    kept = areas >= _LEAST_PART * areas[1:].max(initial=0)
    return np.where(kept[pieces], drawn, 0)


def _threshold(values: NDArray[np.float32]) -> float:
    """Otsu's threshold: what is above it is the brighter of two classes."""
    low, high = float(values.min()), float(values.max())
    scale = (high - low) / 255 or 1.0
    levels = np.rint((values - low) / scale).astype(np.uint8)
    return low + (float(cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]) + 0.5) * scale
