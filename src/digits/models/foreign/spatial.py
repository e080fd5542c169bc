"""Layers that know rows, columns and channels, in either order."""

from __future__ import annotations

import math
from collections.abc import Callable

from .settings import Made, Parts, Settings, Shape

TO_LAST = ("Permute", {"dims": (2, 3, 1)})
TO_FIRST = ("Permute", {"dims": (3, 1, 2)})


def _spatial(
    settings: Settings, shapes: list[Shape], make: Callable[[Shape], tuple[Parts, Shape]]
) -> tuple[Parts, Shape]:
    """`make` for (rows, columns, channels), with the axes turned there and back if need be."""
    shape = shapes[0]
    if len(shape) != 3:
        raise settings.refused("needs pictures with channels")
    if not settings.channels_first():
        return make(shape)
    if settings.get("activation") == "softmax":  # over the columns, it would be
        raise settings.refused("has a softmax that does not go over the channels")
    parts, output = make((shape[1], shape[2], shape[0]))
    if len(output) == 3:
        return (TO_LAST, *parts, TO_FIRST), (output[2], output[0], output[1])
    return (TO_LAST, *parts), output


def _slid(settings: Settings, size: int, window: int, step: int, same: bool) -> int:
    """How many windows of a row there are."""
    count = -(-size // step) if same else (size - window) // step + 1
    if count < 1:
        raise settings.refused("has a window larger than its picture")
    return count


def conv2d(settings: Settings, shapes: list[Shape]) -> Made:
    filters = settings.integer("filters", "nb_filter")
    window = _window(settings)
    step = settings.integers("strides", "subsample", count=2, default=1)
    dilation = settings.integers("dilation_rate", count=2, default=1)
    groups = settings.integer("groups", default=1)
    same = _is_same(settings)
    bias = settings.flag("use_bias", "bias", default=True)
    activation = settings.activation()
    stored: list[Shape] = []

    def make(shape: Shape) -> tuple[Parts, Shape]:
        rows, columns, channels = shape
        if channels % groups or filters % groups:
            raise settings.refused("has groups that do not divide its channels")
        stored.append((*window, channels // groups, filters))
        reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
        output = (
            _slid(settings, rows, reach[0], step[0], same),
            _slid(settings, columns, reach[1], step[1], same),
            filters,
        )
        values = {
            "filters": filters, "kernel_size": window, "strides": step, "groups": groups,
            "padding": "same" if same else "valid", "dilation_rate": dilation,
            "activation": activation, "use_bias": bias,
        }  # fmt: skip
        return (("Conv2D", values),), output

    parts, output = _spatial(settings, shapes, make)
    conversion = _kernel_conversion(settings, stored)
    stored += [(filters,)] if bias else []
    return Made(parts, output, tuple(stored), conversion, places=math.prod(output) // filters)


def _window(settings: Settings) -> tuple[int, ...]:
    rows = settings.get("nb_row")
    if rows is not None:
        return (settings.integer("nb_row", most=1000), settings.integer("nb_col", most=1000))
    return settings.integers("kernel_size", count=2)


def _kernel_conversion(settings: Settings, stored: list[Shape]) -> str:
    """Keras 1 in Theano's order stored (out, in, rows, columns); Theano mirrors kernels."""
    mirrored = settings.origin.backend == "theano"
    if settings.origin.major == 1 and settings.channels_first():
        rows, columns, inside, outside = stored[0]
        stored[0] = (outside, inside, rows, columns)
        return "th kernel mirrored" if mirrored else "th kernel"
    return "kernel mirrored" if mirrored else ""


def _is_same(settings: Settings) -> bool:
    word = settings.choice("padding", "border_mode", default="valid", of=("valid", "same"))
    return word == "same"


def depthwise(settings: Settings, shapes: list[Shape]) -> Made:
    window = settings.integers("kernel_size", count=2)
    step = settings.integers("strides", count=2, default=1)
    many = settings.integer("depth_multiplier", default=1, most=64)
    same = _is_same(settings)
    bias = settings.flag("use_bias", default=True)
    activation = settings.activation()
    settings.nothing_but(groups=1)
    if settings.integers("dilation_rate", count=2, default=1) != (1, 1):
        raise settings.refused("has dilation_rate set, which is not supported")
    filters = settings.integer("filters") if settings.kind == "SeparableConv2D" else None
    stored: list[Shape] = []

    def make(shape: Shape) -> tuple[Parts, Shape]:
        rows, columns, channels = shape
        last = filters or channels * many
        stored.append((*window, channels, many))
        if filters:
            stored.append((1, 1, channels * many, filters))
        if bias:
            stored.append((last,))
        output = (
            _slid(settings, rows, window[0], step[0], same),
            _slid(settings, columns, window[1], step[1], same),
            last,
        )
        values = {
            "kernel_size": window, "strides": step, "padding": "same" if same else "valid",
            "depth_multiplier": many, "activation": activation, "use_bias": bias,
        }  # fmt: skip
        return ((settings.kind, values | ({"filters": filters} if filters else {})),), output

    parts, output = _spatial(settings, shapes, make)
    return Made(parts, output, tuple(stored), places=math.prod(output))


def pooling(kind: str) -> Callable[[Settings, list[Shape]], Made]:
    def read(settings: Settings, shapes: list[Shape]) -> Made:
        window = settings.integers("pool_size", count=2, default=2)
        step = settings.integers("strides", count=2, default=list(window))
        same = _is_same(settings)

        def make(shape: Shape) -> tuple[Parts, Shape]:
            output = (
                _slid(settings, shape[0], window[0], step[0], same),
                _slid(settings, shape[1], window[1], step[1], same),
                shape[2],
            )
            values = {
                "pool_size": window, "strides": step, "padding": "same" if same else "valid",
            }  # fmt: skip
            return ((kind, values),), output

        return Made(*_spatial(settings, shapes, make))

    return read


def global_pooling(kind: str) -> Callable[[Settings, list[Shape]], Made]:
    def read(settings: Settings, shapes: list[Shape]) -> Made:
        keep = settings.flag("keepdims", default=False)

        def make(shape: Shape) -> tuple[Parts, Shape]:
            output = (1, 1, shape[2]) if keep else (shape[2],)
            return ((kind, {"keepdims": keep}),), output

        return Made(*_spatial(settings, shapes, make))

    return read


def zero_padding(settings: Settings, shapes: list[Shape]) -> Made:
    value = settings.get("padding", default=1)
    flat = [value] * 4 if isinstance(value, int) else []
    if isinstance(value, list) and len(value) == 2:
        flat = [n for pair in value for n in (pair if isinstance(pair, list) else [pair, pair])]
    if len(flat) != 4 or any(type(n) is not int or not 0 <= n <= 100 for n in flat):
        raise settings.refused("has an unusual padding")
    top, bottom, left, right = flat

    def make(shape: Shape) -> tuple[Parts, Shape]:
        output = (shape[0] + top + bottom, shape[1] + left + right, shape[2])
        return (("ZeroPadding2D", {"padding": ((top, bottom), (left, right))}),), output

    return Made(*_spatial(settings, shapes, make))
