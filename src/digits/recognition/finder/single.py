"""The one digit in a picture: which pixels are its ink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...imaging.decode import Gray
from ...imaging.foreground import Ink
from .looks import STRIDE, WAY_UNIT, FinderNet, Look, Planes
from .sightings import Sightings, merged, of_ink

_SIDES = (96, 192)  # pixels of the longer side of the first looks
_FAR_SIDE = 384  # pixels of it, where these show nothing
_MARGIN = 16  # pixels around the picture, for digits that touch its edge
_CLOSE = (48.0, 72.0)  # pixels of the digit's longer side in the closer looks
_CLOSER = (100.0, 140.0)  # and where these show no ink of a sure digit: it is hair-thin
_AROUND = 0.45  # of the longer side: what a closer look shows around the digit
_SURE = 0.4  # of the score: without such a digit, the picture is looked at from nearer
_NEAR = 0.4  # of the longer side: middles that are nearer are of one digit
_ALIKE = 0.5  # of the height of the chosen digit: smaller ones beside it do not count
_INK = 0.4  # of the probability: what is less is no part of a stroke
_WHOLE = 56.0  # pixels of the digit's longer side in the mask that is given
_MAX_MASK = 1024  # pixels of the mask's longer side
_MIN_PIECE = 0.04  # of the ink: smaller pieces are dust
_OWN = 0.5  # of a piece's ink that has to point to the digit


@dataclass(frozen=True, eq=False)
class Single:
    """The digit of a picture.

    Attributes:
        mask: (h, w) uint8, its ink, 0 to 255, of the whole picture, perhaps at another scale.
        seen: That digit alone, as all looks show it; empty without any.
        several: Score of the surest other digit that is not much smaller; 0 without any.
    """

    mask: Gray
    seen: Sightings
    several: float


def find_single(net: FinderNet, gray: Gray, ink: Ink = "auto") -> Single:
    """Find the ink of the one digit in a picture, the largest and surest of several."""
    looks = [net.look_at_all(gray, side, _MARGIN) for side in _SIDES]
    seen = of_ink(merged(looks), looks, ink)
    if not len(seen) or seen.scores[0] < _SURE:
        looks.append(net.look_at_all(gray, _FAR_SIDE, _MARGIN))
        seen = of_ink(merged(looks), looks, ink)
    if not len(seen):
        return Single(np.zeros(gray.shape, np.uint8), seen, 0.0)
    seen = seen[_order(seen)]
    box = seen.boxes[0]
    closer = _closer(net, gray, box, _CLOSE)
    mask = _ink(gray, box, closer)
    if not mask.any() and seen.scores[0] > _SURE:
        closer = _closer(net, gray, box, _CLOSER)
        mask = _ink(gray, box, closer)
    again = _in(box, of_ink(merged([*looks, *closer]), closer, ink))
    if not len(again):
        mask = np.zeros_like(mask)
    return Single(mask, again, _several(seen))


def _order(seen: Sightings) -> NDArray[np.intp]:
    """The indices of digits, the one first that a picture of one digit most likely means."""
    size = (seen.boxes[:, 2:] - seen.boxes[:, :2]).max(axis=1)
    best = int((seen.scores**2 * np.sqrt(size)).argmax())
    return np.append(best, np.delete(np.arange(len(seen)), best))


def _in(box: NDArray[np.floating], seen: Sightings) -> Sightings:
    """The surest digit whose middle is near that of `box`, or none."""
    away = np.abs(seen.middles - (box[:2] + box[2:]) / 2).max(axis=1)
    return seen[np.flatnonzero(away < _NEAR * (box[2:] - box[:2]).max())[:1]]


def _several(seen: Sightings) -> float:
    """The score of the surest digit after the first that is not much smaller."""
    beside = seen.scores[1:][seen.heights[1:] > _ALIKE * seen.heights[0]]
    return float(beside.max(initial=0.0))


def _closer(
    net: FinderNet, gray: Gray, box: NDArray[np.floating], sides: tuple[float, ...]
) -> list[Look]:
    """Looks at what is in and around `box`, in which its longer side has these pixels."""
    longer = max(float((box[2:] - box[:2]).max()), 1.0)
    around = np.array([-1, -1, 1, 1]) * (_AROUND * longer + 4) + box
    return [net.look(gray, around, side / longer) for side in sides]


def _ink(gray: Gray, box: NDArray[np.floating], looks: list[Look]) -> Gray:
    """The ink of the digit in `box` by the mean of looks; as large as `Single.mask`."""
    longer = max(float((box[2:] - box[:2]).max()), 1.0)
    scale = min(_WHOLE / longer, _MAX_MASK / max(gray.shape))
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    share, own = np.zeros((2, height, width), np.float32)
    for look in looks:
        matrix = np.array([[scale / look.scale, 0, 0], [0, scale / look.scale, 0]])
        matrix[:, 2] = -np.array([look.left, look.top]) * scale / look.scale
        share += cv2.warpAffine(look.mask, matrix, (width, height))
        own += cv2.warpAffine(_pointing(look, box), matrix, (width, height))
    count = np.float32(len(looks))
    return _piece(np.asarray(share / count), np.asarray(own / count))


def _pointing(look: Look, box: NDArray[np.floating]) -> Planes:
    """For each pixel of a look how far the middle that it points to lies in `box`: 0 or 1."""
    rows, columns = look.heads.shape[:2]
    x = (np.arange(columns) + 0.5)[None] * STRIDE + look.heads[..., 11] * WAY_UNIT
    y = (np.arange(rows) + 0.5)[:, None] * STRIDE + look.heads[..., 12] * WAY_UNIT
    x, y = (x - look.left) / look.scale, (y - look.top) / look.scale
    middle, size = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], 1)
    size = np.maximum(size, 0.4 * size.max())
    near = (np.abs(x - middle[0]) < 0.5 * size[0]) & (np.abs(y - middle[1]) < 0.5 * size[1])
    large = np.repeat(np.repeat(near, STRIDE, axis=0), STRIDE, axis=1)
    return large.astype(np.float32)


def _piece(share: Planes, own: Planes) -> Gray:
    """The pieces of likely ink that mostly point to the digit."""
    count, labels = cv2.connectedComponents((share > _INK).astype(np.uint8), connectivity=8)
    ink = np.bincount(labels.ravel(), share.ravel(), count)
    pointing = np.bincount(labels.ravel(), (share * own).ravel(), count)
    kept = (pointing > _OWN * ink) & (ink > _MIN_PIECE * ink[1:].sum())
    kept[0] = False
    if not kept.any():
        return np.zeros(share.shape, np.uint8)
    near = cv2.dilate(kept[labels].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(near, np.rint(np.clip(share * 255, 0, 255)), 0).astype(np.uint8)
