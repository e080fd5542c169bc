"""Random augmentation inside the training step, as a Keras layer in front of the model.

It works under every backend of Keras and is not saved with the model. `recipe.Augment` describes
the transformations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models._keras import import_keras
from .recipe import Augment

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_SIDE = 28
_CENTER = (_SIDE - 1) / 2
_GRID = 6  # control points of the elastic displacement field along each axis
_COARSE_SIDE = 16  # pixels along each axis of a low-resolution image
LOW_AUGMENTATION = 0.5
"""Fraction of the images that are augmented in a recipe's `low_augmentation_epochs`."""


def augmented(model: Any, augment: Augment, seed: int) -> Any:
    """A Keras model that trains `model` on randomly augmented images.

    It shares the weights of `model` and gives the same predictions. Its first layer has a variable
    `fraction`, of the images to augment, which is 1 at first.

    Args:
        model: Takes pixels (n, 28, 28).
        augment: The transformations.
        seed: Of the random transformations.
    """
    keras = import_keras()
    return keras.Sequential(
        [keras.Input((_SIDE, _SIDE)), _augmentation_layer(augment, seed), model]
    )


def variations(
    images: NDArray[np.uint8], augment: Augment, seed: int, batch: int = 1024
) -> NDArray[np.uint8]:
    """A random variation of each image.

    Args:
        images: (n, 28, 28) pixel values.
        augment: The transformations.
        seed: Of the random transformations.
        batch: Images at a time; it is one of the things that decide on their values.

    Returns:
        (n, 28, 28).
    """
    keras = import_keras()
    transform = _Transform(augment, keras.random.SeedGenerator(seed))
    varied = np.empty_like(images)
    for start in range(0, len(images), batch):
        part = keras.ops.convert_to_tensor(images[start : start + batch].astype(np.float32))
        pixels = keras.ops.convert_to_numpy(transform.apply(part, 1.0))
        varied[start : start + batch] = np.rint(np.clip(pixels, 0, 255))
    return varied


def _augmentation_layer(augment: Augment, seed: int) -> Any:
    keras = import_keras()

    class RandomAugmentation(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(seed)
            self.fraction = self.add_weight(initializer="ones", trainable=False, name="fraction")

        def call(self, pixels: Any, training: bool = False) -> Any:
            if not training:
                return pixels
            return _Transform(augment, self.seeds).apply(pixels, self.fraction)

    return RandomAugmentation()


class _Transform:
    """A random transformation of each image in a batch (n, 28, 28) of pixels."""

    def __init__(self, augment: Augment, seeds: Any) -> None:
        keras = import_keras()
        self.ops, self.random = keras.ops, keras.random
        self.augment, self.seeds = augment, seeds

    def apply(self, pixels: Any, fraction: Any) -> Any:
        """Transform this fraction of the images."""
        self.count = self.ops.shape(pixels)[0]
        return self.ops.where(self._bernoulli(fraction), self._transformed(pixels), pixels)

    def _transformed(self, pixels: Any) -> Any:
        warped = self._warp(pixels)
        if not self.augment.photometric:
            return warped
        pixels = self._change_stroke(warped)
        pixels = self._add_neighbor(pixels)
        pixels = self._add_lines(pixels)
        pixels = self._reduce_resolution(pixels)
        pixels = self._blur_and_contrast(pixels)
        return self.ops.where(self._bernoulli(self.augment.photometric), pixels, warped)

    def _uniform(self, low: float, high: float) -> Any:
        """(n, 1, 1) random numbers."""
        return self.random.uniform((self.count, 1, 1), low, high, seed=self.seeds)

    def _bernoulli(self, probability: Any) -> Any:
        """(n, 1, 1) random booleans."""
        return self._uniform(0, 1) < probability

    def _warp(self, pixels: Any) -> Any:
        """Rotate, zoom, shear, shift, stretch and bend, in one bilinear resampling.

        The output pixel p is sampled at Z·S·R·(p - c) + c + shift + elastic(p), c the center.
        """
        ops, augment = self.ops, self.augment
        angle = self._uniform(-augment.rotation, augment.rotation) * (math.pi / 180)
        shear = self._uniform(-augment.shear, augment.shear)
        zoom_x = 1 + self._uniform(-augment.zoom, augment.zoom)
        zoom_y = 1 + self._uniform(-augment.zoom, augment.zoom)
        if augment.stretch:
            narrow_x, narrow_y = self._relative_size(pixels)
            stretched = self._bernoulli(augment.stretch)
            strength = self._uniform(0.3, 1)
            zoom_x = ops.where(stretched, zoom_x * (1 + strength * (narrow_x - 1)), zoom_x)
            zoom_y = ops.where(stretched, zoom_y * (1 + strength * (narrow_y - 1)), zoom_y)
        cos, sin = ops.cos(angle), ops.sin(angle)
        coordinate = ops.arange(_SIDE, dtype="float32") - _CENTER
        x, y = coordinate[None, None, :], coordinate[None, :, None]
        source_x = zoom_x * (cos * x - sin * y + shear * (sin * x + cos * y))
        source_y = zoom_y * (sin * x + cos * y)
        source_x = source_x + _CENTER + self._uniform(-augment.shift, augment.shift) * _SIDE
        source_y = source_y + _CENTER + self._uniform(-augment.shift, augment.shift) * _SIDE
        if augment.elastic:
            field = self.random.normal((2, self.count, _GRID, _GRID), seed=self.seeds)
            field = augment.elastic * self._resized(field, _SIDE, _cubic)
            source_x, source_y = source_x + field[0], source_y + field[1]
        return self._sampled(pixels, source_x, source_y)

    def _relative_size(self, pixels: Any) -> tuple[Any, Any]:
        """Width and height (n, 1, 1) of the digit, as fractions (0.2 to 1) of MNIST's 20 pixels."""
        ops = self.ops
        foreground = ops.cast(pixels > 64, "float32")
        width = ops.sum(ops.max(foreground, axis=1), axis=1)
        height = ops.sum(ops.max(foreground, axis=2), axis=1)
        sizes = [ops.clip(side / 20, 0.2, 1)[:, None, None] for side in (width, height)]
        return sizes[0], sizes[1]

    def _sampled(self, pixels: Any, x: Any, y: Any) -> Any:
        """Bilinear samples of `pixels` at fractional coordinates (n, 28, 28); 0 outside."""
        ops = self.ops
        side = _SIDE + 2
        flat = ops.reshape(ops.pad(pixels, ((0, 0), (1, 1), (1, 1))), (-1,))
        x = ops.clip(x + 1, 0, side - 1.001)
        y = ops.clip(y + 1, 0, side - 1.001)
        left, top = ops.floor(x), ops.floor(y)
        right, low = x - left, y - top  # weights
        start = ops.arange(self.count, dtype="int32")[:, None, None] * (side * side)
        index = start + ops.cast(top * side + left, "int32")
        upper = ops.take(flat, index) * (1 - right) + ops.take(flat, index + 1) * right
        index = index + side
        lower = ops.take(flat, index) * (1 - right) + ops.take(flat, index + 1) * right
        return upper * (1 - low) + lower * low

    def _filtered(self, reduce: Any, pixels: Any) -> Any:
        """A separable 3×3 filter (0 outside); `reduce` merges three pixels."""
        ops = self.ops
        rows = ops.pad(pixels, ((0, 0), (1, 1), (0, 0)))
        pixels = reduce(rows[:, :-2], rows[:, 1:-1], rows[:, 2:])
        columns = ops.pad(pixels, ((0, 0), (0, 0), (1, 1)))
        return reduce(columns[..., :-2], columns[..., 1:-1], columns[..., 2:])

    def _dilated(self, pixels: Any) -> Any:
        return self._filtered(lambda a, b, c: self.ops.maximum(self.ops.maximum(a, b), c), pixels)

    def _change_stroke(self, pixels: Any) -> Any:
        """Blend with the dilated (thicker) or eroded (thinner) image."""
        ops, limit = self.ops, self.augment.stroke
        dilated = self._dilated(pixels)
        eroded = 255 - self._dilated(255 - pixels)
        change = self._uniform(-limit, limit)
        first = ops.clip(change, 0, 1)
        pixels = pixels + first * (dilated - pixels) + ops.clip(-change, 0, 0.5) * (eroded - pixels)
        return pixels + ops.clip(change - 1, 0, 1) * (self._dilated(pixels) - pixels)

    def _add_neighbor(self, pixels: Any) -> Any:
        """Show the edge of the batch's next digit at the side, as a cut between two digits does."""
        ops = self.ops
        distance = ops.round(self._uniform(15, 20)) * ops.sign(self._uniform(-1, 1))
        horizontal = self._bernoulli(0.8)
        coordinate = ops.arange(_SIDE, dtype="float32")
        x = coordinate[None, None, :] + ops.where(horizontal, distance, 0.0)
        y = coordinate[None, :, None] + ops.where(horizontal, 0.0, distance)
        inside = (x >= 0) & (x < _SIDE) & (y >= 0) & (y < _SIDE)
        visible = ops.cast(inside & self._bernoulli(self.augment.neighbors), "float32")
        following = ops.arange(1, self.count + 1, dtype="int32")[:, None, None] % self.count
        index = ops.clip(y, 0, _SIDE - 1) * _SIDE + ops.clip(x, 0, _SIDE - 1)
        index = following * _SIDE**2 + ops.cast(index, "int32")
        neighbor = ops.take(ops.reshape(pixels, (-1,)), index)
        return ops.maximum(pixels, neighbor * visible)

    def _add_lines(self, pixels: Any) -> Any:
        """Draw a vertical and a horizontal line near the edge."""
        ops = self.ops
        coordinate = ops.arange(_SIDE, dtype="float32")
        for axis in ((None, slice(None), None), (None, None, slice(None))):
            position = self._uniform(0, 4)
            position = ops.where(self._bernoulli(0.5), position, _SIDE - 1 - position)
            thickness = self._uniform(0.7, 1.6)
            line = ops.clip(thickness - ops.abs(coordinate[axis] - position), 0, 1)
            line = line * self._uniform(60, 255)
            visible = ops.cast(self._bernoulli(self.augment.frame), "float32")
            pixels = ops.maximum(pixels, line * visible)
        return pixels

    def _reduce_resolution(self, pixels: Any) -> Any:
        """Resize to 16×16 and back; three in five are binarized in between."""
        ops = self.ops
        small = self._resized(pixels, _COARSE_SIDE, _linear)
        threshold = self._uniform(50, 120)
        binary = ops.where(small > threshold, 255.0, 0.0)
        small = ops.where(self._bernoulli(0.6), binary, small)
        large = self._resized(small, _SIDE, _linear)
        return ops.where(self._bernoulli(self.augment.coarse), large, pixels)

    def _resized(self, images: Any, side: int, kernel: Kernel) -> Any:
        """(…, n, n) as (…, side, side): one matrix product for each axis, which is fast."""
        weights = _resampling_matrix(images.shape[-1], side, kernel)
        return self.ops.matmul(self.ops.matmul(weights, images), weights.T)

    def _blur_and_contrast(self, pixels: Any) -> Any:
        """Blur, contrast, and noise on every second image."""
        ops, augment = self.ops, self.augment
        blurred = self._filtered(lambda a, b, c: (a + b + c) / 3, pixels)
        pixels = pixels + self._uniform(0, augment.blur) * (blurred - pixels)
        gain = ops.exp(self._uniform(-augment.contrast, 2 * augment.contrast))
        pivot = self._uniform(70, 120)
        pixels = ops.clip((pixels - pivot) * gain + pivot * ops.minimum(gain, 1.0), 0, 255)
        deviation = self._uniform(0, augment.noise) * ops.cast(self._bernoulli(0.5), "float32")
        noise = self.random.normal((self.count, _SIDE, _SIDE), seed=self.seeds)
        return ops.clip(pixels + deviation * noise, 0, 255)


def _resampling_matrix(size: int, to: int, kernel: Kernel) -> NDArray[np.float32]:
    """(to, size) weights that resample `size` values to `to`.

    `kernel` gives the weight at a distance, in samples of the coarser of the two.
    """
    scale = size / to
    centers = (np.arange(to) + 0.5) * scale - 0.5
    weights = kernel(np.abs(centers[:, None] - np.arange(size)) / max(scale, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def _linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(0, 1 - distance)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys's cubic convolution (1981), a = -0.5."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))
