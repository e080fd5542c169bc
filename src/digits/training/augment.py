"""Random variations of the training pictures, made inside the training step.

Backend-neutral: a Keras layer in front of the model while it trains, and no part of what is saved.
Each picture draws its own variation; see `models.presets.Augment` for what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models._keras import import_keras
from ..models.recipe import Augment

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_SIDE = 28
_CENTRE = (_SIDE - 1) / 2
_GRID = 6  # control points of the elastic field along each side
_COARSE = 16  # pixels along the side of a coarse picture
CALM = 0.5
"""The share of the pictures that are varied in the calm epochs at the end of a training."""


def augmented(model: Any, augment: Augment, seed: int) -> Any:
    """A model that trains `model` on randomly varied pictures.

    It shares the weights of `model`; outside training it gives the same answers. Its first layer
    holds the variable `share`, of the pictures that are varied.
    """
    keras = import_keras()
    return keras.Sequential([keras.Input((_SIDE, _SIDE)), _layer(augment, seed), model])


def _layer(augment: Augment, seed: int) -> Any:
    keras = import_keras()

    class RandomVariation(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(seed)
            self.share = self.add_weight(initializer="ones", trainable=False, name="share")

        def call(self, pixels: Any, training: bool = False) -> Any:
            return _Variation(augment, self.seeds).of(pixels, self.share) if training else pixels

    return RandomVariation()


def _resampling(size: int, to: int, kernel: Kernel) -> NDArray[np.float32]:
    """(to, size): the weights by which `size` values along a line become `to`.

    kernel: the weight of a value at a distance in values, of the coarser of the two.
    """
    scale = size / to
    places = (np.arange(to) + 0.5) * scale - 0.5
    weights = kernel(np.abs(places[:, None] - np.arange(size)) / max(scale, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def _linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(0, 1 - distance)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution (1981), a = -0.5."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


class _Variation:
    """One random variation of a batch (n, 28, 28) of pixel values, each picture its own."""

    def __init__(self, augment: Augment, seeds: Any) -> None:
        keras = import_keras()
        self.ops, self.random = keras.ops, keras.random
        self.augment, self.seeds = augment, seeds

    def of(self, pixels: Any, share: Any) -> Any:
        """`share` of the pictures varied, the others as they are."""
        self.count = self.ops.shape(pixels)[0]
        return self.ops.where(self._chance(share), self._varied(pixels), pixels)

    def _varied(self, pixels: Any) -> Any:
        """In the order in which a picture comes about: hand, pen, paper, camera."""
        augment = self.augment
        pixels = self._warped(pixels)
        if not augment.wild:
            return pixels
        plain = pixels
        pixels = self._stroke(pixels)
        pixels = self._with_neighbours(pixels)
        pixels = self._with_frame(pixels)
        pixels = self._coarse(pixels)
        pixels = self._camera(pixels)
        return self.ops.where(self._chance(augment.wild), pixels, plain)

    def _uniform(self, low: float, high: float, *shape: int) -> Any:
        return self.random.uniform((self.count, *shape), low, high, seed=self.seeds)

    def _chance(self, share: Any) -> Any:
        """(n, 1, 1) truth values, `share` of them true."""
        return self._uniform(0, 1, 1, 1) < share

    def _warped(self, pixels: Any) -> Any:
        """Turned, zoomed, sheared, shifted, stretched and bent, in one bilinear resampling.

        A point p of the output is looked up at Z·S·R·(p - c) + c + shift + bend(p), with c the
        centre.
        """
        ops, augment = self.ops, self.augment
        angle = self._uniform(-augment.rotation, augment.rotation, 1, 1) * (3.14159265 / 180)
        shear = self._uniform(-augment.shear, augment.shear, 1, 1)
        zoom_x = 1 + self._uniform(-augment.zoom, augment.zoom, 1, 1)
        zoom_y = 1 + self._uniform(-augment.zoom, augment.zoom, 1, 1)
        if augment.stretch:
            narrow_x, narrow_y = self._narrowness(pixels)
            stretched = self._chance(augment.stretch)
            share = self._uniform(0.3, 1, 1, 1)
            zoom_x = ops.where(stretched, zoom_x * (1 + share * (narrow_x - 1)), zoom_x)
            zoom_y = ops.where(stretched, zoom_y * (1 + share * (narrow_y - 1)), zoom_y)
        cos, sin = ops.cos(angle), ops.sin(angle)
        place = ops.arange(_SIDE, dtype="float32") - _CENTRE
        x, y = place[None, None, :], place[None, :, None]
        across = zoom_x * (cos * x - sin * y + shear * (sin * x + cos * y))
        down = zoom_y * (sin * x + cos * y)
        across = across + _CENTRE + self._uniform(-augment.shift, augment.shift, 1, 1) * _SIDE
        down = down + _CENTRE + self._uniform(-augment.shift, augment.shift, 1, 1) * _SIDE
        if augment.elastic:
            bend = self.random.normal((2, self.count, _GRID, _GRID), seed=self.seeds)
            bend = augment.elastic * self._resized(bend, _SIDE, _cubic)
            across, down = across + bend[0], down + bend[1]
        return self._looked_up(pixels, across, down)

    def _narrowness(self, pixels: Any) -> tuple[Any, Any]:
        """Width and height of the ink as shares (0.2 to 1) of its 20-pixel box, each (n, 1, 1)."""
        ops = self.ops
        inked = ops.cast(pixels > 64, "float32")
        width = ops.sum(ops.max(inked, axis=1), axis=1)
        height = ops.sum(ops.max(inked, axis=2), axis=1)
        narrow = [ops.clip(side / 20, 0.2, 1)[:, None, None] for side in (width, height)]
        return narrow[0], narrow[1]

    def _looked_up(self, pixels: Any, across: Any, down: Any) -> Any:
        """Bilinear values of `pixels` at fractional places (n, 28, 28); 0 outside."""
        ops = self.ops
        side = _SIDE + 2
        flat = ops.reshape(ops.pad(pixels, ((0, 0), (1, 1), (1, 1))), (-1,))
        across = ops.clip(across + 1, 0, side - 1.001)
        down = ops.clip(down + 1, 0, side - 1.001)
        left, top = ops.floor(across), ops.floor(down)
        right_share, low_share = across - left, down - top
        start = ops.arange(self.count, dtype="int32")[:, None, None] * (side * side)
        place = start + ops.cast(top * side + left, "int32")
        upper = ops.take(flat, place) * (1 - right_share) + ops.take(flat, place + 1) * right_share
        place = place + side
        lower = ops.take(flat, place) * (1 - right_share) + ops.take(flat, place + 1) * right_share
        return upper * (1 - low_share) + lower * low_share

    def _merged(self, merge: Any, pixels: Any) -> Any:
        """`merge` of each pixel with those around it, which it takes three at a time."""
        ops = self.ops
        rows = ops.pad(pixels, ((0, 0), (1, 1), (0, 0)))
        pixels = merge(rows[:, :-2], rows[:, 1:-1], rows[:, 2:])
        columns = ops.pad(pixels, ((0, 0), (0, 0), (1, 1)))
        return merge(columns[..., :-2], columns[..., 1:-1], columns[..., 2:])

    def _widened(self, pixels: Any) -> Any:
        """The brightest of each 3×3 pixels (0 outside)."""
        return self._merged(lambda a, b, c: self.ops.maximum(self.ops.maximum(a, b), c), pixels)

    def _stroke(self, pixels: Any) -> Any:
        """A thicker or a thinner pen: some share of the way to the widened or narrowed stroke."""
        ops, reach = self.ops, self.augment.stroke
        wider = self._widened(pixels)
        thinner = 255 - self._widened(255 - pixels)
        change = self._uniform(-reach, reach, 1, 1)
        once = ops.clip(change, 0, 1)
        pixels = pixels + once * (wider - pixels) + ops.clip(-change, 0, 0.5) * (thinner - pixels)
        twice = self._widened(pixels)
        return pixels + ops.clip(change - 1, 0, 1) * (twice - pixels)

    def _with_neighbours(self, pixels: Any) -> Any:
        """The edge of another digit looks in from the side: what a cut between two leaves over."""
        ops = self.ops
        way = ops.round(self._uniform(15, 20, 1, 1)) * ops.sign(self._uniform(-1, 1, 1, 1))
        sideways = self._chance(0.8)
        place = ops.arange(_SIDE, dtype="float32")
        across = place[None, None, :] + ops.where(sideways, way, 0.0)
        down = place[None, :, None] + ops.where(sideways, 0.0, way)
        inside = (across >= 0) & (across < _SIDE) & (down >= 0) & (down < _SIDE)
        shown = ops.cast(inside & self._chance(self.augment.neighbours), "float32")
        next_one = ops.arange(1, self.count + 1, dtype="int32")[:, None, None] % self.count
        place = ops.clip(down, 0, _SIDE - 1) * _SIDE + ops.clip(across, 0, _SIDE - 1)
        place = next_one * _SIDE**2 + ops.cast(place, "int32")
        moved = ops.take(ops.reshape(pixels, (-1,)), place)
        return ops.maximum(pixels, moved * shown)

    def _with_frame(self, pixels: Any) -> Any:
        """A piece of a ruled line or box near the edge."""
        ops = self.ops
        place = ops.arange(_SIDE, dtype="float32")
        for axis in ((None, slice(None), None), (None, None, slice(None))):
            edge = self._uniform(0, 4, 1, 1)
            edge = ops.where(self._chance(0.5), edge, _SIDE - 1 - edge)
            thickness = self._uniform(0.7, 1.6, 1, 1)
            line = ops.clip(thickness - ops.abs(place[axis] - edge), 0, 1)
            line = line * self._uniform(60, 255, 1, 1)
            shown = ops.cast(self._chance(self.augment.frame), "float32")
            pixels = ops.maximum(pixels, line * shown)
        return pixels

    def _coarse(self, pixels: Any) -> Any:
        """A small or binary original: fewer pixels, hard edges."""
        ops = self.ops
        small = self._resized(pixels, _COARSE, _linear)
        mark = self._uniform(50, 120, 1, 1)
        small = ops.where(self._chance(0.6), ops.where(small > mark, 255.0, 0.0), small)
        large = self._resized(small, _SIDE, _linear)
        return ops.where(self._chance(self.augment.coarse), large, pixels)

    def _resized(self, pictures: Any, side: int, kernel: Kernel) -> Any:
        """(…, n, n) as (…, side, side): along each axis a product with a matrix, which is fast."""
        weights = _resampling(pictures.shape[-1], side, kernel)
        return self.ops.matmul(self.ops.matmul(weights, pictures), weights.T)

    def _camera(self, pixels: Any) -> Any:
        """Blur, contrast and noise."""
        ops, augment = self.ops, self.augment
        blurred = self._merged(lambda a, b, c: (a + b + c) / 3, pixels)
        pixels = pixels + self._uniform(0, augment.blur, 1, 1) * (blurred - pixels)
        gain = ops.exp(self._uniform(-augment.contrast, 2 * augment.contrast, 1, 1))
        middle = self._uniform(70, 120, 1, 1)
        pixels = ops.clip((pixels - middle) * gain + middle * ops.minimum(gain, 1.0), 0, 255)
        spread = self._uniform(0, augment.noise, 1, 1) * ops.cast(self._chance(0.5), "float32")
        grain = self.random.normal((self.count, _SIDE, _SIDE), seed=self.seeds)
        return ops.clip(pixels + spread * grain, 0, 255)
