"""The net that finds digits: its architecture and its loss. Imports Keras when called."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .._io.stderr import native_stderr_silenced
from ..recognition.finder.looks import MULTIPLE, SIZE_UNIT, STRIDE, WAY_UNIT
from .synthetic.pages.targets import IGNORED

HEADS = 15
"""Channels on the grid of 4×4 pixels: heat, 10 digits, x and y to the middle, height and width."""

SUBPIXELS = 4
"""Channels of the mask on the grid of 2×2 pixels, row by row."""

WIDTHS = (24, 48, 80, 112, 128)
"""Channels at strides 2, 4, 8, 16, 32."""

PARTS = ("mask", "dice", "heat", "label", "middle", "size")
"""Names of the parts of the loss."""

_INVERTED = 0.25  # of the pages, light and dark exchanged, besides those that are made so
_NOISE = 0.08  # at most, of half the range of a page; none in half of them
_FINE = 48  # channels at stride 4 on the way up
_PRIOR = -4.0  # logit of the heat at first: few cells are the middle of a digit


def build(widths: tuple[int, ...] = WIDTHS) -> Any:
    """A U-Net (Ronneberger et al., 2015) with residual blocks.

    It takes (n, h, w, 2) of `net_input`, with sides that are multiples of 32, and gives logits of
    the mask (n, h/2, w/2, 4) and the heads (n, h/4, w/4, 15): logits of the heat and of the ten
    digits, then the way to the middle in units of 16 pixels, and the logarithms of height and width
    in units of 32 pixels.
    """
    import keras

    layers = keras.layers

    def conv(x: Any, channels: int, kernel: int = 3, stride: int = 1, active: bool = True) -> Any:
        x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3)(x)
        return layers.ReLU()(x) if active else x

    def residual(x: Any, channels: int) -> Any:
        y = conv(conv(x, channels), channels, active=False)
        return layers.ReLU()(layers.Add()([x, y]))

    def joined(low: Any, high: Any, channels: int) -> Any:
        low = layers.UpSampling2D(2)(conv(low, channels, 1, active=False))
        x = layers.Add()([low, conv(high, channels, 1, active=False)])
        return conv(layers.ReLU()(x), channels)

    picture = keras.Input((None, None, 2), name="picture")
    by2 = conv(picture, widths[0], 4, 2)
    by4 = conv(conv(by2, widths[1], 3, 2), widths[1])
    by8 = residual(conv(by4, widths[2], 3, 2), widths[2])
    by16 = residual(residual(conv(by8, widths[3], 3, 2), widths[3]), widths[3])
    by32 = conv(conv(by16, widths[4], 3, 2), widths[4])
    up8 = joined(joined(by32, by16, widths[3]), by8, widths[2])
    up4 = joined(up8, by4, _FINE)
    prior = keras.initializers.Constant([_PRIOR] + [0.0] * (HEADS - 1))
    heads = layers.Conv2D(HEADS, 1, bias_initializer=prior, name="heads")(conv(up4, 64, 1))
    up2 = joined(up4, by2, widths[0])
    low = keras.initializers.Constant(-2.0)  # little of a picture is ink
    mask = layers.Conv2D(SUBPIXELS, 1, bias_initializer=low, name="mask")(up2)
    return keras.Model(picture, [mask, heads], name="finder")


def compile_net(net: Any) -> bytes:
    """`net` as a LiteRT flatbuffer with built-in operations and float16 weights, for any size."""
    import tensorflow as tf

    signature = [tf.TensorSpec((1, None, None, 2), tf.float32, name="picture")]
    function = tf.function(lambda picture: net(picture, training=False), input_signature=signature)
    holder = tf.Module()
    holder.weights = [weight.value for weight in net.weights]
    concrete = function.get_concrete_function()
    with native_stderr_silenced():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def trainable(net: Any, frozen_statistics: bool = False, seed: int = 0) -> Any:
    """`net` as a model that is trained on what `Targets` hold, each time in other tones."""
    import keras

    class Trainable(keras.Model):  # type: ignore[misc]
        """The net, its loss, and the means of the parts of the loss."""

        def __init__(self) -> None:
            super().__init__()
            self.net = net
            self.seeds = keras.random.SeedGenerator(seed)
            self.parts = {name: keras.metrics.Mean(name) for name in PARTS}

        def call(self, planes: Any, training: bool = False) -> Any:
            planes = keras.ops.cast(planes, "float32")
            if training:
                planes = self.varied(planes)
            return self.net(planes, training=training and not frozen_statistics)

        def varied(self, planes: Any) -> Any:
            """Some inverted, some with noise: what other tones would give."""
            count, random = keras.ops.shape(planes)[0], keras.random
            each = random.uniform((count, 1, 1, 1), seed=self.seeds)
            planes = keras.ops.where(each < _INVERTED, -planes, planes)
            noise = random.normal(keras.ops.shape(planes), seed=self.seeds)
            depth = random.uniform((count, 1, 1, 1), -_NOISE, _NOISE, seed=self.seeds)
            return planes + noise * keras.ops.maximum(depth, 0)

        def compute_loss(self, x: Any, y: Any, y_pred: Any, *_: Any, **__: Any) -> Any:
            parts = loss(y_pred, y)
            for name, value in parts.items():
                self.parts[name].update_state(value)
            return sum(parts.values())

    model = Trainable()
    model(keras.ops.zeros((1, MULTIPLE, MULTIPLE, 2)))
    return model


def loss(outputs: tuple[Any, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """The parts of the loss of a batch, in any backend of Keras.

    Args:
        outputs: Logits of the net: of the mask, and of the heads.
        truth: `mask`, `heat`, `owner`, `weight` and `digits` as `Targets` hold them.

    Returns:
        Named scalars; the loss is their sum.
    """
    from keras import ops

    mask, heads = outputs
    count, rows, columns = ops.shape(heads)[:3]
    wanted = ops.cast(truth["mask"], "float32") / 255
    wanted = ops.reshape(wanted, (count, 2 * rows, 2, 2 * columns, 2))
    wanted = ops.reshape(ops.transpose(wanted, (0, 1, 3, 2, 4)), (count, 2 * rows, 2 * columns, 4))
    entropy = ops.binary_crossentropy(wanted, mask, from_logits=True)
    ink, axes = ops.sigmoid(mask), (1, 2, 3)
    shared = 2 * ops.sum(ink * wanted, axes) + 8
    dice = 1 - shared / (ops.sum(ink, axes) + ops.sum(wanted, axes) + 8)
    # Penalty-reduced focal loss (Law and Deng, CornerNet, 2018).
    heat = ops.cast(truth["heat"], "float32")
    counted = ops.cast(heat != IGNORED, "float32")
    heat = counted * heat / 254
    found = ops.clip(ops.sigmoid(heads[..., 0]), 1e-4, 1 - 1e-4)
    middle = ops.cast(heat > 0.995, "float32")
    focal = middle * (1 - found) ** 2 * ops.log(found)
    focal += (1 - middle) * (1 - heat) ** 4 * found**2 * ops.log(1 - found) * counted
    # What each cell has to say of its digit.
    owner = ops.cast(truth["owner"], "int32")
    of_owner = ops.reshape(ops.maximum(owner, 1) - 1, (count, rows * columns, 1))
    digits = ops.take_along_axis(truth["digits"], of_owner, axis=1)
    digits = ops.reshape(digits, (count, rows, columns, 5))
    weight = ops.cast(truth["weight"], "float32")
    total = ops.sum(weight) + 1e-3
    label = ops.cast(ops.maximum(digits[..., 0], 0), "int32")
    classes = ops.sparse_categorical_crossentropy(label, heads[..., 1:11], from_logits=True)
    x = (ops.arange(columns, dtype="float32") + 0.5) * STRIDE
    y = (ops.arange(rows, dtype="float32")[:, None] + 0.5) * STRIDE
    high = ops.log(ops.maximum(digits[..., 4], 2) / SIZE_UNIT)
    wide = ops.log(ops.maximum(digits[..., 3], 2) / SIZE_UNIT)
    off = ops.abs(heads[..., 11] - (digits[..., 1] - x) / WAY_UNIT)
    off += ops.abs(heads[..., 12] - (digits[..., 2] - y) / WAY_UNIT)
    off = off * 0.5 / ops.exp(high)  # of the height of the digit
    size = ops.abs(heads[..., 13] - high) + ops.abs(heads[..., 14] - wide)
    return {
        "mask": 3 * ops.mean(entropy),
        "dice": ops.mean(dice),
        "heat": -ops.sum(focal) / (ops.sum(middle) + 1),
        "label": ops.sum(classes * weight) / total,
        "middle": 2 * ops.sum(off * weight) / total,
        "size": 0.3 * ops.sum(size * weight) / total,
    }


def save_keras(net: Any, path: Path) -> None:
    """Write the net to a Keras file at once."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder, path.name)
        net.save(part)
        part.replace(path)
