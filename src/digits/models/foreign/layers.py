"""The layers that a model file may have, whatever version of Keras wrote it.

Each function reads the settings of one class as data and returns its `Made`: the Keras 3 layers
that stand for it, the shapes of its weights, and the shape of its output. Shapes are without the
batch. `LAYERS` is the list of what is allowed; there is no other way in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import spatial
from .recurrent import bidirectional, recurrent
from .settings import Made, Parts, Settings, Shape


def _dropout(settings: Settings, shapes: list[Shape]) -> Made:
    rate = settings.number("rate", "p", default=0.5)
    if not 0 <= rate < 1:
        raise settings.refused("has an unusual rate")
    return Made((("Dropout", {"rate": rate}),), shapes[0])


def _nothing(settings: Settings, shapes: list[Shape]) -> Made:
    """A layer that works only while training."""
    settings.get("rate", "p", "sigma", "stddev", "l1", "l2", "sparsity")
    return Made((), shapes[0])


def _same(kind: str, **numbers: float) -> Callable[[Settings, list[Shape]], Made]:
    """A layer without weights that keeps the shape; `numbers` are its settings with defaults."""

    def read(settings: Settings, shapes: list[Shape]) -> Made:
        values = {n: settings.number(n, default=default) for n, default in numbers.items()}
        return Made(((kind, values),), shapes[0])

    return read


def _activation(settings: Settings, shapes: list[Shape]) -> Made:
    return Made((("Activation", {"activation": settings.activation()}),), shapes[0])


def _relu(settings: Settings, shapes: list[Shape]) -> Made:
    values: dict[str, Any] = {
        "negative_slope": settings.number("negative_slope", default=0.0),
        "threshold": settings.number("threshold", "theta", default=0.0),
    }
    if settings.get("max_value") is not None:
        values["max_value"] = settings.number("max_value", default=0.0)
    return Made((("ReLU", values),), shapes[0])


def _leaky_relu(settings: Settings, shapes: list[Shape]) -> Made:
    slope = settings.number("negative_slope", "alpha", default=0.3)
    return Made((("LeakyReLU", {"negative_slope": slope}),), shapes[0])


def _softmax(settings: Settings, shapes: list[Shape]) -> Made:
    settings.nothing_but(axis=-1)
    return Made((("Softmax", {}),), shapes[0])


def _dense(settings: Settings, shapes: list[Shape]) -> Made:
    shape = shapes[0]
    units = settings.integer("units", "output_dim")
    bias = settings.flag("use_bias", "bias", default=True)
    settings.nothing_but(lora_rank=None, quantization_mode=None)
    values = {"units": units, "activation": settings.activation(), "use_bias": bias}
    stored = ((shape[-1], units), *([(units,)] if bias else []))
    places = math.prod(shape[:-1])
    return Made((("Dense", values),), (*shape[:-1], units), stored, places=places)


def _flatten(settings: Settings, shapes: list[Shape]) -> Made:
    shape = shapes[0]
    parts: Parts = (("Flatten", {}),)
    if settings.channels_first() and len(shape) > 1:  # it puts the channels last first
        parts = (("Permute", {"dims": (*range(2, len(shape) + 1), 1)}), *parts)
    return Made(parts, (math.prod(shape),))


def _reshape(settings: Settings, shapes: list[Shape]) -> Made:
    target = settings.get("target_shape", "dims")
    size = math.prod(shapes[0])
    if (
        not isinstance(target, list)
        or not 1 <= len(target) <= 4
        or any(isinstance(n, bool) or not isinstance(n, int) or n == 0 or n < -1 for n in target)
        or target.count(-1) > 1
    ):
        raise settings.refused("has an unusual target_shape")
    known = math.prod(n for n in target if n > 0)
    output = tuple(n if n > 0 else size // known for n in target)
    if math.prod(output) != size:
        raise settings.refused("does not fit what comes before it")
    return Made((("Reshape", {"target_shape": output}),), output)


def _permute(settings: Settings, shapes: list[Shape]) -> Made:
    dims = settings.integers("dims", count=len(shapes[0]))
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise settings.refused("has unusual dims")
    return Made((("Permute", {"dims": dims}),), tuple(shapes[0][d - 1] for d in dims))


def _rescaling(settings: Settings, shapes: list[Shape]) -> Made:
    values = {n: settings.number(n, default=d) for n, d in (("scale", 1.0), ("offset", 0.0))}
    return Made((("Rescaling", values),), shapes[0])


def _batch_norm(settings: Settings, shapes: list[Shape]) -> Made:
    shape = shapes[0]
    axis = _axis(settings, shape)
    settings.nothing_but(mode=0, renorm=False)
    center, scale = (settings.flag(n, default=True) for n in ("center", "scale"))
    values = {
        "axis": axis, "center": center, "scale": scale,
        "epsilon": settings.number("epsilon", default=1e-3),
    }  # fmt: skip
    stored = ((shape[axis - 1],),) * (2 + center + scale)
    return Made((("BatchNormalization", values),), shape, stored)


def _layer_norm(settings: Settings, shapes: list[Shape]) -> Made:
    shape = shapes[0]
    if _axis(settings, shape) != len(shape):
        raise settings.refused("has an unusual axis")
    settings.nothing_but(rms_scaling=False)
    center, scale = (settings.flag(n, default=True) for n in ("center", "scale"))
    epsilon = settings.number("epsilon", default=1e-3)
    values = {"center": center, "scale": scale, "epsilon": epsilon}
    return Made((("LayerNormalization", values),), shape, ((shape[-1],),) * (center + scale))


def _axis(settings: Settings, shape: Shape) -> int:
    """The axis, counted from 1, the batch being 0."""
    axis = settings.get("axis", default=-1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or not -len(shape) <= axis <= len(shape) or axis == 0:
        raise settings.refused("has an unusual axis")
    return axis if axis > 0 else len(shape) + 1 + axis


def _merging(kind: str) -> Callable[[Settings, list[Shape]], Made]:
    def read(settings: Settings, shapes: list[Shape]) -> Made:
        if len(shapes) < 2:
            raise settings.refused("takes too few inputs")
        if kind != "Concatenate":
            widest = tuple(max(sizes) for sizes in zip(*shapes, strict=False))
            fits = all(
                len(s) == len(widest) and all(a in (b, 1) for a, b in zip(s, widest, strict=True))
                for s in shapes
            )
            if not fits:
                raise settings.refused("takes inputs that do not fit each other")
            return Made(((kind, {}),), widest, joins=True)
        axis = _axis(settings, shapes[0])
        rest = {s[: axis - 1] + s[axis:] for s in shapes}
        if len(rest) != 1:
            raise settings.refused("takes inputs that do not fit each other")
        first = shapes[0]
        output = (*first[: axis - 1], sum(s[axis - 1] for s in shapes), *first[axis:])
        return Made(((kind, {"axis": axis}),), output, joins=True)

    return read


LAYERS: dict[str, Callable[[Settings, list[Shape]], Made]] = {
    **dict.fromkeys(
        ("SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
         "ActivityRegularization"), _nothing,
    ),
    "Dropout": _dropout,
    "Activation": _activation, "ReLU": _relu, "LeakyReLU": _leaky_relu,
    "ELU": _same("ELU", alpha=1.0), "Softmax": _softmax,
    "Dense": _dense, "Flatten": _flatten, "Reshape": _reshape, "Permute": _permute,
    "Rescaling": _rescaling,
    "Conv2D": spatial.conv2d, "Convolution2D": spatial.conv2d,
    "DepthwiseConv2D": spatial.depthwise, "SeparableConv2D": spatial.depthwise,
    **{kind: spatial.pooling(kind) for kind in ("MaxPooling2D", "AveragePooling2D")},
    **{k: spatial.global_pooling(k) for k in ("GlobalMaxPooling2D", "GlobalAveragePooling2D")},
    "ZeroPadding2D": spatial.zero_padding,
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "SimpleRNN": recurrent, "LSTM": recurrent, "GRU": recurrent,
    "Bidirectional": bidirectional,
    **{k: _merging(k) for k in ("Add", "Multiply", "Average", "Maximum", "Concatenate")},
}  # fmt: skip
