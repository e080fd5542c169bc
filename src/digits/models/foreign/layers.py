"""The allowlist of layers, whatever version of Keras wrote them.

Each function reads the settings of one class as data and returns its `LayerSpec`. Shapes are
without the batch axis. `LAYERS` is the allowlist; there is no other way in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .graph import class_and_config
from .recurrent import bidirectional, recurrent
from .settings import KerasLayers, LayerSpec, Settings, Shape, quoted
from .spatial import (
    conv1d,
    conv2d,
    depthwise,
    global_pooling,
    global_pooling1d,
    pooling,
    pooling1d,
    resizing,
    zero_padding,
)

Reader = Callable[[Settings, list[Shape]], LayerSpec]

_KERAS_EPSILON = 1e-7  # by which Keras bounds a deviation that it divides by
_MAX_STATISTIC = 1e9


def _dropout(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    rate = settings.number("rate", "p", default=0.5)
    if not 0 <= rate < 1:
        raise settings.refused("has an unsupported rate")
    return LayerSpec((("Dropout", {"rate": rate}),), shapes[0])


def _training_only(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """A layer that does nothing when predicting."""
    settings.get("rate", "p", "sigma", "stddev", "l1", "l2", "sparsity")
    return LayerSpec((), shapes[0])


def _augmentation(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """A layer that changes pictures at random, in training alone."""
    settings.ignore_all()
    return LayerSpec((), shapes[0])


def _elementwise(kind: str, **numbers: float) -> Reader:
    """A layer without weights that keeps the shape; `numbers` are its settings with defaults."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        values = {n: settings.number(n, default=default) for n, default in numbers.items()}
        return LayerSpec(((kind, values),), shapes[0])

    return read


def _activation(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    return LayerSpec((("Activation", {"activation": settings.activation()}),), shapes[0])


def _relu(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    values: dict[str, Any] = {
        "negative_slope": settings.number("negative_slope", default=0.0),
        "threshold": settings.number("threshold", "theta", default=0.0),
    }
    if settings.get("max_value") is not None:
        values["max_value"] = settings.number("max_value", default=0.0)
    return LayerSpec((("ReLU", values),), shapes[0])


def _leaky_relu(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    slope = settings.number("negative_slope", "alpha", default=0.3)
    return LayerSpec((("LeakyReLU", {"negative_slope": slope}),), shapes[0])


def _prelu(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    shape = shapes[0]
    shared = settings.get("shared_axes", default=[])
    known = isinstance(shared, list) and all(axis in range(1, len(shape) + 1) for axis in shared)
    if not known:
        raise settings.refused("has unsupported shared_axes")
    slopes = tuple(1 if axis + 1 in shared else size for axis, size in enumerate(shape))
    return LayerSpec((("PReLU", {"shared_axes": shared or None}),), shape, (slopes,))


def _softmax(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    settings.require(axis=-1)
    return LayerSpec((("Softmax", {}),), shapes[0])


def _dense(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    shape = shapes[0]
    units = settings.integer("units", "output_dim")
    bias = settings.flag("use_bias", "bias", default=True)
    settings.require(lora_rank=None, quantization_mode=None)
    values = {"units": units, "activation": settings.activation(), "use_bias": bias}
    stored = ((shape[-1], units), *([(units,)] if bias else []))
    uses = math.prod(shape[:-1])
    return LayerSpec((("Dense", values),), (*shape[:-1], units), stored, uses=uses)


def _flatten(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    shape = shapes[0]
    layers: KerasLayers = (("Flatten", {}),)
    if settings.channels_first() and len(shape) > 1:  # it moves the channels to the end first
        layers = (("Permute", {"dims": (*range(2, len(shape) + 1), 1)}), *layers)
    return LayerSpec(layers, (math.prod(shape),))


def _reshape(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    target = settings.get("target_shape", "dims")
    size = math.prod(shapes[0])
    if (
        not isinstance(target, list)
        or not 1 <= len(target) <= 4
        or any(type(n) is not int or n == 0 or n < -1 for n in target)
        or target.count(-1) > 1
    ):
        raise settings.refused("has an unsupported target_shape")
    known = math.prod(n for n in target if n > 0)
    output = tuple(n if n > 0 else size // known for n in target)
    if math.prod(output) != size:
        raise settings.refused("does not fit its input")
    return LayerSpec((("Reshape", {"target_shape": output}),), output)


def _permute(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    dims = settings.integers("dims", count=len(shapes[0]))
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise settings.refused("has unsupported dims")
    return LayerSpec((("Permute", {"dims": dims}),), tuple(shapes[0][d - 1] for d in dims))


def _batch_norm(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    shape = shapes[0]
    axis = _axis(settings, shape)
    settings.require(mode=0, renorm=False)
    center, scale = (settings.flag(n, default=True) for n in ("center", "scale"))
    values = {
        "axis": axis, "center": center, "scale": scale,
        "epsilon": settings.number("epsilon", default=1e-3),
    }  # fmt: skip
    stored = ((shape[axis - 1],),) * (2 + center + scale)
    return LayerSpec((("BatchNormalization", values),), shape, stored)


def _normalization(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """Normalization: a rescaling by two numbers, or a batch normalization by stored statistics.

    They are of each value along the last axis, of every value, or (no axis) of all together.
    """
    shape = shapes[0]
    settings.require(invert=False)
    if settings.get("mean", "variance") is not None:
        settings.get("axis")
        mean = _one_number(settings, "mean")
        deviation = max(math.sqrt(max(_one_number(settings, "variance"), 0)), _KERAS_EPSILON)
        values: dict[str, float] = {"scale": 1 / deviation, "offset": -mean / deviation}
        return LayerSpec((("Rescaling", values),), shape)
    axes = settings.get("axis", default=-1)
    every = list(range(1, len(shape) + 1))
    if axes == []:
        kept: Shape = ()
    elif axes in (every, [axis - 1 - len(shape) for axis in every]):
        kept = shape
    elif _axis(settings, shape) == len(shape):
        kept = shape[-1:]
    else:
        raise settings.refused("has an unsupported axis")
    flags = {"center": False, "scale": False, "epsilon": _KERAS_EPSILON**2}
    flat = (-1, math.prod(kept))
    layers: KerasLayers = (
        ("Reshape", {"target_shape": flat}), ("BatchNormalization", flags),
        ("Reshape", {"target_shape": shape}),
    )  # fmt: skip
    return LayerSpec(layers, shape, (kept, kept, ()), "flat")  # the last counts the examples


def _one_number(settings: Settings, name: str) -> float:
    """A setting that is a number, or a list of lists with a single one."""
    value = settings.get(name)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) not in (int, float) or not abs(value) <= _MAX_STATISTIC:
        raise settings.refused(f"has an unsupported {name}")
    return float(value)


def _time_distributed(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """TimeDistributed, around a layer that acts on the last axis anyway, or that flattens."""
    kind, config = class_and_config(settings.get("layer"), "a wrapped layer")
    shape = shapes[0]
    if len(shape) < 2 or not isinstance(config, dict):
        raise settings.refused("needs rows")
    if kind == "Flatten":
        output = (shape[0], math.prod(shape[1:]))
        return LayerSpec((("Reshape", {"target_shape": output}),), output)
    if kind not in _LAST_AXIS:
        raise settings.refused(f"wraps a {quoted(kind)}, which is not supported")
    inner = Settings(kind, settings.name, config, settings.origin)
    spec = _LAST_AXIS[kind](inner, shapes)
    inner.refuse_unread()
    return spec


def _layer_norm(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    shape = shapes[0]
    if _axis(settings, shape) != len(shape):
        raise settings.refused("has an unsupported axis")
    settings.require(rms_scaling=False)
    center, scale = (settings.flag(n, default=True) for n in ("center", "scale"))
    epsilon = settings.number("epsilon", default=1e-3)
    values = {"center": center, "scale": scale, "epsilon": epsilon}
    stored = ((shape[-1],),) * (center + scale)
    return LayerSpec((("LayerNormalization", values),), shape, stored)


def _axis(settings: Settings, shape: Shape) -> int:
    """The axis, counted from 1; 0 is the batch."""
    axis = settings.get("axis", default=-1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or not -len(shape) <= axis <= len(shape) or axis == 0:
        raise settings.refused("has an unsupported axis")
    return axis if axis > 0 else len(shape) + 1 + axis


def _merging(kind: str) -> Reader:
    """A layer that adds, multiplies, averages or compares its inputs, with broadcasting."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        _check_several(settings, shapes)
        widest = tuple(max(sizes) for sizes in zip(*shapes, strict=False))
        fits = all(
            len(s) == len(widest) and all(a in (b, 1) for a, b in zip(s, widest, strict=True))
            for s in shapes
        )
        if not fits:
            raise settings.refused("takes inputs that do not fit each other")
        return LayerSpec(((kind, {}),), widest, merges=True)

    return read


def _concatenate(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    _check_several(settings, shapes)
    first = shapes[0]
    axis = _axis(settings, first)
    if len({s[: axis - 1] + s[axis:] for s in shapes}) != 1:
        raise settings.refused("takes inputs that do not fit each other")
    output = (*first[: axis - 1], sum(s[axis - 1] for s in shapes), *first[axis:])
    return LayerSpec((("Concatenate", {"axis": axis}),), output, merges=True)


def _check_several(settings: Settings, shapes: list[Shape]) -> None:
    if len(shapes) < 2:
        raise settings.refused("takes too few inputs")


_LAST_AXIS: dict[str, Reader] = {"Dense": _dense, "Activation": _activation, "Dropout": _dropout}

LAYERS: dict[str, Reader] = {
    **dict.fromkeys(
        ("SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
         "ActivityRegularization"), _training_only,
    ),
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
         "RandomBrightness", "RandomShear", "RandomErasing", "RandomGaussianBlur",
         "RandomPerspective", "RandomInvert", "RandomSharpness", "RandomElasticTransform"),
        _augmentation,
    ),
    "Dropout": _dropout,
    "Activation": _activation, "ReLU": _relu, "LeakyReLU": _leaky_relu, "PReLU": _prelu,
    "ELU": _elementwise("ELU", alpha=1.0), "Softmax": _softmax,
    "Rescaling": _elementwise("Rescaling", scale=1.0, offset=0.0),
    "Dense": _dense, "Flatten": _flatten, "Reshape": _reshape, "Permute": _permute,
    "Conv2D": conv2d, "Convolution2D": conv2d,
    "DepthwiseConv2D": depthwise, "SeparableConv2D": depthwise,
    **{kind: pooling(kind) for kind in ("MaxPooling2D", "AveragePooling2D")},
    **{kind: global_pooling(kind) for kind in ("GlobalMaxPooling2D", "GlobalAveragePooling2D")},
    "ZeroPadding2D": zero_padding, "Resizing": resizing,
    "Conv1D": conv1d,
    **{kind: pooling1d(kind) for kind in ("MaxPooling1D", "AveragePooling1D")},
    **{kind: global_pooling1d(kind) for kind in ("GlobalMaxPooling1D", "GlobalAveragePooling1D")},
    "Normalization": _normalization, "TimeDistributed": _time_distributed,
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "SimpleRNN": recurrent, "LSTM": recurrent, "GRU": recurrent,
    "Bidirectional": bidirectional,
    **{kind: _merging(kind) for kind in ("Add", "Multiply", "Average", "Maximum")},
    "Concatenate": _concatenate,
}  # fmt: skip
