"""Looks at a picture by the net that finds digits: its input, its outputs, and how to run it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..._io.stderr import native_stderr_silenced
from ...errors import ModelError
from ...imaging.decode import Gray

Planes = NDArray[np.float32]

MULTIPLE = 32
"""The sides of what the net sees are multiples of this many pixels."""

_WINDOW = 33  # pixels: the surroundings that a pixel is compared with
_MIN_RANGE = 6.0  # gray values: a picture of less is not stretched further
_MIN_SPREAD = 0.05  # of the range of the picture: less local contrast is not enlarged further
STRIDE = 4
"""Pixels of a cell's side, on the grid of the heads."""

SIZE_UNIT = 32.0
"""Pixels: the net gives logarithms of sizes in this unit."""

WAY_UNIT = 16.0
"""Pixels: the net gives the way to the middle in this unit."""

_REPEATED = 0.4  # of width and height: closer middles are of one digit
_MOST = 4000  # digits in one look
_MIN_SIDE = 48  # pixels of a strip's shorter side
_LONGEST = 4.0  # times the wanted side: a narrower strip is not enlarged further
_FLAT = 1  # gray values: no camera gives an edge that deviates so little
_MORE_AROUND_DRAWINGS = 3  # times: what is around them is known
_SAMPLES = 4096  # pixels from which the range is taken


def net_input(gray: Gray) -> Planes:
    """(h, w, 2) float32, what the net sees of a gray picture.

    The first plane is the picture with its 1st and 99th percentile at -1 and 1. The second is how
    far each pixel is from the mean of its surroundings, in their standard deviations; it shows ink
    alike in light and shadow.
    """
    step = max(1, int(np.sqrt(gray.size / _SAMPLES)))
    sample = np.sort(gray[::step, ::step], axis=None)
    low = float(sample[round(0.01 * (len(sample) - 1))])
    high = float(sample[round(0.99 * (len(sample) - 1))])
    scale = 1 / max(high - low, _MIN_RANGE)
    planes = np.empty((*gray.shape, 2), np.float32)
    tones = np.clip((gray - np.float32(low)) * np.float32(scale), -0.5, 1.5)
    size = (_WINDOW, _WINDOW)
    mean = cv2.blur(tones, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(tones * tones, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0)) + np.float32(_MIN_SPREAD)
    planes[..., 0] = tones * 2 - 1
    planes[..., 1] = np.clip((tones - mean) / spread / 2, -3, 3)
    return planes


@dataclass(frozen=True)
class Detections:
    """Digits that the net sees at one scale, the surest first.

    Attributes:
        scores: (n,) how sure it is that there is a digit, 0..1.
        probabilities: (n, 10) which digit it is, if there is one.
        boxes: (n, 4) left, top, right, bottom in pixels of the picture that it saw.
    """

    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    boxes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


def detections(heads: Planes, least: float) -> Detections:
    """The digits in the heads (h/4, w/4, 15) of the net whose score is `least` or more."""
    heat = sigmoid(heads[..., 0])
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((heat >= highest) & (heat >= least))
    scores = heat[rows, columns]
    order = np.argsort(-scores, kind="stable")[:_MOST]
    rows, columns, scores = rows[order], columns[order], scores[order]
    found = heads[rows, columns]
    high, wide = np.exp(np.clip(found[:, 13:15], -4, 4)).T * SIZE_UNIT
    x = (columns + 0.5) * STRIDE + np.clip(found[:, 11], -8, 8) * WAY_UNIT
    y = (rows + 0.5) * STRIDE + np.clip(found[:, 12], -8, 8) * WAY_UNIT
    boxes = np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], axis=1)
    kept = _without_repeats(boxes)
    return Detections(scores[kept], softmax(found[kept, 1:11]), boxes[kept].astype(np.float32))


def _without_repeats(boxes: NDArray[np.floating]) -> list[int]:
    """The boxes, the surest first, whose middle is not near that of a surer one."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = boxes[:, 2:] - boxes[:, :2]
    overlapping = columns_of(boxes)
    repeated = np.zeros(len(boxes), bool)
    kept: list[int] = []
    for first in range(len(boxes)):
        if repeated[first]:
            continue
        kept.append(first)
        others = overlapping(first)
        away = np.abs(middles[others] - middles[first])
        near = (away < _REPEATED * np.minimum(sizes[others], sizes[first])).all(axis=1)
        repeated[others[near]] = True
    return kept


def columns_of(boxes: NDArray[np.floating]) -> Callable[[int], NDArray[np.intp]]:
    """A function that gives, for one of `boxes`, all that may overlap it from left to right."""
    if not len(boxes):
        return lambda index: np.arange(0)
    middles, widths = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 2] - boxes[:, 0]
    order = np.argsort(middles, kind="stable")
    ordered, widest = middles[order], widths.max()

    def overlapping(index: int) -> NDArray[np.intp]:
        reach = (widths[index] + widest) / 2
        start = np.searchsorted(ordered, middles[index] - reach, "left")
        return order[start : np.searchsorted(ordered, middles[index] + reach, "right")]

    return overlapping


def mask_of(logits: Planes) -> Planes:
    """(h, w) probability of ink from the mask (h/2, w/2, 4) of the net."""
    height, width = logits.shape[:2]
    parts = sigmoid(logits).reshape(height, width, 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(parts.reshape(2 * height, 2 * width))


def sigmoid(logits: Planes) -> Planes:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def softmax(logits: Planes) -> Planes:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True, eq=False)
class Look:
    """A part of a picture as the net saw it.

    Attributes:
        gray: (h, w) uint8, what the net saw.
        mask: (h, w) float32, the probability that a pixel is ink of a digit.
        heads: (h/4, w/4, 15) the other output of the net.
        scale: Pixels of the look for each pixel of the picture.
        left, top: Where the picture has its origin, in pixels of the look.
    """

    gray: Gray
    mask: Planes
    heads: Planes
    scale: float
    left: float
    top: float

    def to_picture(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Boxes (n, 4) of the look in pixels of the picture."""
        origin = np.array([self.left, self.top, self.left, self.top])
        return np.asarray((boxes - origin) / self.scale, np.float32)

    def from_picture(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Boxes (..., 4) of the picture in pixels of the look."""
        origin = np.array([self.left, self.top, self.left, self.top])
        return np.asarray(boxes * self.scale + origin, np.float32)


class FinderNet:
    """The compiled net. Threads may share it: they take turns. It can be pickled.

    Args:
        content: The LiteRT flatbuffer.
        name: What errors call it.
        threads: On which it runs.
    """

    def __init__(self, content: bytes, name: str, threads: int = 1) -> None:
        self.content, self.name, self.threads = content, name, threads
        self._lock = threading.Lock()
        self._interpreter: Any = None

    def __reduce__(self) -> tuple[type[FinderNet], tuple[bytes, str, int]]:
        return type(self), (self.content, self.name, self.threads)

    def run(self, planes: Planes) -> tuple[Planes, Planes]:
        """Mask logits (h/2, w/2, 4) and heads (h/4, w/4, 15) for the result of `net_input`.

        Raises:
            ModelError: The content is no such net.
        """
        try:
            with self._lock:
                return self._run(planes[None])
        except (ValueError, RuntimeError, KeyError) as error:  # how LiteRT reports damage
            raise ModelError(
                "the compiled model cannot run", "Install digits again", self.name
            ) from error

    def _run(self, planes: Planes) -> tuple[Planes, Planes]:
        if self._interpreter is None:
            from ai_edge_litert.interpreter import Interpreter

            with native_stderr_silenced():  # LiteRT prints what it will use
                self._interpreter = Interpreter(
                    model_content=self.content, num_threads=self.threads
                )
                self._interpreter.allocate_tensors()
        interpreter = self._interpreter
        source = interpreter.get_input_details()[0]
        if tuple(source["shape"]) != planes.shape:
            interpreter.resize_tensor_input(source["index"], planes.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], planes)
        interpreter.invoke()
        outputs = [
            interpreter.get_tensor(each["index"])[0] for each in interpreter.get_output_details()
        ]
        mask, heads = sorted(outputs, key=lambda output: output.shape[2])
        return mask, heads

    def look(self, gray: Gray, window: NDArray[np.floating], scale: float) -> Look:
        """Look at a part of a picture.

        Args:
            gray: The picture.
            window: Left, top, right, bottom. What lies outside of the picture repeats its edge, or
                is of the one tone that most of the edge is of.
            scale: Pixels of the look for each pixel of the picture.
        """
        spans = [
            _Span.of(float(low), float(high), length, scale)
            for low, high, length in zip(window[:2], window[2:], gray.shape[::-1], strict=True)
        ]
        x, y = spans
        part = gray[y.start : y.stop, x.start : x.stop]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = np.asarray(cv2.resize(part, (x.length, y.length), interpolation=way), np.uint8)
        pads = y.before, y.after, x.before, x.after
        shown = _padded(small, pads, _flat_border(part))
        mask, heads = self.run(net_input(shown))
        left, top = (span.before - span.start * scale for span in spans)
        return Look(shown, mask_of(mask), heads, scale, left, top)

    def look_at_all(self, gray: Gray, side: int, margin: int) -> Look:
        """Look at the whole picture.

        Args:
            gray: The picture.
            side: Pixels of its longer side in the look; more where it is a narrow strip.
            margin: Pixels around it in the look; three times as many around a drawing.
        """
        height, width = gray.shape
        whole = side / max(gray.shape)
        scale = max(whole, min(_MIN_SIDE / min(gray.shape), _LONGEST * whole))
        gap = margin * (1 if _flat_border(gray) is None else _MORE_AROUND_DRAWINGS) / scale
        return self.look(gray, np.array([-gap, -gap, width + gap, height + gap]), scale)


def _flat_border(gray: Gray) -> int | None:
    """The tone of most of the edge of a picture that was drawn on a screen, else None."""
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]).astype(np.int16)
    tone = int(np.median(edge))
    return tone if np.median(np.abs(edge - tone)) <= _FLAT else None


def _padded(gray: Gray, pads: tuple[int, int, int, int], tone: int | None) -> Gray:
    """`gray` with a margin (top, bottom, left, right) of a tone, or that repeats its edge."""
    if tone is None:
        return np.asarray(cv2.copyMakeBorder(gray, *pads, cv2.BORDER_REPLICATE), np.uint8)
    return np.asarray(cv2.copyMakeBorder(gray, *pads, cv2.BORDER_CONSTANT, value=tone), np.uint8)


@dataclass(frozen=True)
class _Span:
    """What a look takes of a picture along one axis, and the pixels that are added.

    Attributes:
        start, stop: In pixels of the picture.
        length, before, after: In pixels of the look.
    """

    start: int
    stop: int
    length: int
    before: int
    after: int

    @classmethod
    def of(cls, low: float, high: float, side: int, scale: float) -> _Span:
        """From `low` to `high`, in pixels of a picture that has `side` of them."""
        start = int(min(max(np.floor(low), 0), side - 1))
        stop = int(min(max(np.ceil(high), start + 1), side))
        length = max(1, round((stop - start) * scale))
        before = max(0, round((start - low) * scale))
        after = max(0, round((high - stop) * scale))
        after += -(length + before + after) % MULTIPLE
        return cls(start, stop, length, before, after)
