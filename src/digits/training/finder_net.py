"""The net that finds digits: its architecture and its loss. Imports Keras when called."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .._io.stderr import native_stderr_silenced

HEADS = 15
"""Channels on the grid of 4×4 pixels: heat, 10 digits, x and y to the middle, height and width."""

SUBPIXELS = 4
"""Channels of the mask on the grid of 2×2 pixels, row by row."""

WIDTHS = (16, 32, 64, 80, 80)
"""Channels at strides 2, 4, 8, 16, 32."""

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
    by16 = residual(conv(by8, widths[3], 3, 2), widths[3])
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


def loss(mask: Any, heads: Any, truth: dict[str, Any]) -> dict[str, Any]:
    """The parts of the loss of a batch.

    Args:
        mask: Logits of the net.
        heads: The other output of the net.
        truth: `mask` (n, h/2, w/2, 4) 0..1, `heat` (n, h/4, w/4) 0..1 or negative where ignored,
            `label` (n, h/4, w/4) int32, `weight` the same shape, `boxes` (n, h/4, w/4, 4).

    Returns:
        Named scalars; the loss is their sum.
    """
    import tensorflow as tf

    wanted = truth["mask"]
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, mask)
    ink = tf.sigmoid(mask)
    axes = [1, 2, 3]
    shared = 2 * tf.reduce_sum(ink * wanted, axes) + 8
    dice = 1 - shared / (tf.reduce_sum(ink, axes) + tf.reduce_sum(wanted, axes) + 8)
    # Penalty-reduced focal loss (Law and Deng, CornerNet, 2018).
    heat = truth["heat"]
    found = tf.clip_by_value(tf.sigmoid(heads[..., 0]), 1e-4, 1 - 1e-4)
    middle = tf.cast(heat > 0.995, tf.float32)
    counted = tf.cast(heat >= 0, tf.float32)
    near = (1 - tf.maximum(heat, 0.0)) ** 4
    focal = middle * (1 - found) ** 2 * tf.math.log(found)
    focal += (1 - middle) * near * found**2 * tf.math.log(1 - found) * counted
    count = tf.reduce_sum(middle) + 1
    weight = truth["weight"]
    total = tf.reduce_sum(weight) + 1e-3
    classes = tf.nn.sparse_softmax_cross_entropy_with_logits(truth["label"], heads[..., 1:11])
    off = tf.abs(heads[..., 11:13] - truth["boxes"][..., :2])
    off = off * 0.5 / tf.exp(truth["boxes"][..., 2:3])  # of the height of the digit
    size = tf.abs(heads[..., 13:15] - truth["boxes"][..., 2:])
    return {
        "mask": 3 * tf.reduce_mean(entropy),
        "dice": tf.reduce_mean(dice),
        "heat": -tf.reduce_sum(focal) / count,
        "label": tf.reduce_sum(classes * weight) / total,
        "middle": 2 * tf.reduce_sum(tf.reduce_sum(off, -1) * weight) / total,
        "size": 0.3 * tf.reduce_sum(tf.reduce_sum(size, -1) * weight) / total,
    }


def save_keras(net: Any, path: Path) -> None:
    """Write the net to a Keras file at once."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder, path.name)
        net.save(part)
        part.replace(path)
