"""Layers on rows, columns and channels, in either order."""

from __future__ import annotations

import math
from collections.abc import Callable

from .settings import KerasLayers, LayerSpec, Settings, Shape

TO_CHANNELS_LAST = ("Permute", {"dims": (2, 3, 1)})
TO_CHANNELS_FIRST = ("Permute", {"dims": (3, 1, 2)})

Reader = Callable[[Settings, list[Shape]], LayerSpec]


def _spatial(
    settings: Settings,
    shapes: list[Shape],
    make: Callable[[Shape], tuple[KerasLayers, Shape]],
) -> tuple[KerasLayers, Shape]:
    """`make` for (rows, columns, channels), between permutations if the channels come first."""
    shape = shapes[0]
    if len(shape) != 3:
        raise settings.refused("needs pictures with channels")
    if not settings.channels_first():
        return make(shape)
    if settings.get("activation") == "softmax":  # it would be over the columns
        raise settings.refused("has a softmax that is not over the channels")
    layers, output = make((shape[1], shape[2], shape[0]))
    if len(output) == 3:
        channels_first = (output[2], output[0], output[1])
        return (TO_CHANNELS_LAST, *layers, TO_CHANNELS_FIRST), channels_first
    return (TO_CHANNELS_LAST, *layers), output


def _output_size(settings: Settings, size: int, window: int, stride: int, same: bool) -> int:
    """Number of positions of a window along one axis."""
    count = -(-size // stride) if same else (size - window) // stride + 1
    if count < 1:
        raise settings.refused("has a window larger than its input")
    return count


def conv2d(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """Conv2D."""
    filters = settings.integer("filters", "nb_filter")
    window = _kernel_size(settings)
    strides = settings.integers("strides", "subsample", count=2, default=1)
    dilation = settings.integers("dilation_rate", count=2, default=1)
    groups = settings.integer("groups", default=1)
    same = _is_same(settings)
    bias = settings.flag("use_bias", "bias", default=True)
    activation = settings.activation()
    stored: list[Shape] = []

    def make(shape: Shape) -> tuple[KerasLayers, Shape]:
        rows, columns, channels = shape
        if channels % groups or filters % groups:
            raise settings.refused("has groups that do not divide its channels")
        stored.append((*window, channels // groups, filters))
        reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
        output = (
            _output_size(settings, rows, reach[0], strides[0], same),
            _output_size(settings, columns, reach[1], strides[1], same),
            filters,
        )
        values = {
            "filters": filters, "kernel_size": window, "strides": strides, "groups": groups,
            "padding": "same" if same else "valid", "dilation_rate": dilation,
            "activation": activation, "use_bias": bias,
        }  # fmt: skip
        return (("Conv2D", values),), output

    layers, output = _spatial(settings, shapes, make)
    conversion = _kernel_conversion(settings, stored)
    stored += [(filters,)] if bias else []
    return LayerSpec(layers, output, tuple(stored), conversion, uses=math.prod(output) // filters)


def _kernel_size(settings: Settings) -> tuple[int, ...]:
    if settings.get("nb_row") is None:
        return settings.integers("kernel_size", count=2)
    return (settings.integer("nb_row", maximum=1000), settings.integer("nb_col", maximum=1000))


def _kernel_conversion(settings: Settings, stored: list[Shape]) -> str:
    """Keras 1 in Theano's order stored (out, in, rows, columns); Theano mirrors kernels."""
    mirrored = settings.origin.backend == "theano"
    if settings.origin.major == 1 and settings.channels_first():
        rows, columns, channels, filters = stored[0]
        stored[0] = (filters, channels, rows, columns)
        return "th kernel mirrored" if mirrored else "th kernel"
    return "kernel mirrored" if mirrored else ""


def _is_same(settings: Settings) -> bool:
    padding = settings.choice("padding", "border_mode", default="valid", choices=("valid", "same"))
    return padding == "same"


def depthwise(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """DepthwiseConv2D."""
    window = settings.integers("kernel_size", count=2)
    strides = settings.integers("strides", count=2, default=1)
    multiplier = settings.integer("depth_multiplier", default=1, maximum=64)
    same = _is_same(settings)
    bias = settings.flag("use_bias", default=True)
    activation = settings.activation()
    settings.require(groups=1)
    if settings.integers("dilation_rate", count=2, default=1) != (1, 1):
        raise settings.refused("has an unsupported dilation_rate")
    filters = settings.integer("filters") if settings.kind == "SeparableConv2D" else None
    stored: list[Shape] = []

    def make(shape: Shape) -> tuple[KerasLayers, Shape]:
        rows, columns, channels = shape
        last = filters or channels * multiplier
        stored.append((*window, channels, multiplier))
        if filters:
            stored.append((1, 1, channels * multiplier, filters))
        if bias:
            stored.append((last,))
        output = (
            _output_size(settings, rows, window[0], strides[0], same),
            _output_size(settings, columns, window[1], strides[1], same),
            last,
        )
        values = {
            "kernel_size": window, "strides": strides, "padding": "same" if same else "valid",
            "depth_multiplier": multiplier, "activation": activation, "use_bias": bias,
        }  # fmt: skip
        return ((settings.kind, values | ({"filters": filters} if filters else {})),), output

    layers, output = _spatial(settings, shapes, make)
    return LayerSpec(layers, output, tuple(stored), uses=math.prod(output))


def pooling(kind: str) -> Reader:
    """The reader of a pooling layer."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        window = settings.integers("pool_size", count=2, default=2)
        strides = settings.integers("strides", count=2, default=list(window))
        same = _is_same(settings)

        def make(shape: Shape) -> tuple[KerasLayers, Shape]:
            output = (
                _output_size(settings, shape[0], window[0], strides[0], same),
                _output_size(settings, shape[1], window[1], strides[1], same),
                shape[2],
            )
            padding = "same" if same else "valid"
            values = {"pool_size": window, "strides": strides, "padding": padding}
            return ((kind, values),), output

        return LayerSpec(*_spatial(settings, shapes, make))

    return read


def global_pooling(kind: str) -> Reader:
    """The reader of a layer that pools each whole feature map."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        keep = settings.flag("keepdims", default=False)

        def make(shape: Shape) -> tuple[KerasLayers, Shape]:
            output = (1, 1, shape[2]) if keep else (shape[2],)
            return ((kind, {"keepdims": keep}),), output

        return LayerSpec(*_spatial(settings, shapes, make))

    return read


def zero_padding(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """ZeroPadding2D."""
    value = settings.get("padding", default=1)
    flat = [value] * 4 if isinstance(value, int) else []
    if isinstance(value, list) and len(value) == 2:
        flat = [n for pair in value for n in (pair if isinstance(pair, list) else [pair, pair])]
    if len(flat) != 4 or any(type(n) is not int or not 0 <= n <= 100 for n in flat):
        raise settings.refused("has an unsupported padding")
    top, bottom, left, right = flat

    def make(shape: Shape) -> tuple[KerasLayers, Shape]:
        output = (shape[0] + top + bottom, shape[1] + left + right, shape[2])
        return (("ZeroPadding2D", {"padding": ((top, bottom), (left, right))}),), output

    return LayerSpec(*_spatial(settings, shapes, make))


def conv1d(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """Conv1D, over rows of pixels."""
    steps, channels = _rows(settings, shapes)
    if settings.channels_first():
        raise settings.refused("has an unsupported data_format")
    filters = settings.integer("filters")
    window, stride, dilation = (
        settings.integers(name, count=1, default=1)[0]
        for name in ("kernel_size", "strides", "dilation_rate")
    )
    groups = settings.integer("groups", default=1)
    padding = settings.choice("padding", default="valid", choices=("valid", "same", "causal"))
    bias = settings.flag("use_bias", default=True)
    if settings.origin.major < 2:
        raise settings.refused("of Keras 1 is not supported")
    if channels % groups or filters % groups:
        raise settings.refused("has groups that do not divide its channels")
    reach = (window - 1) * dilation + 1
    count = _output_size(settings, steps, reach, stride, padding != "valid")
    values = {
        "filters": filters, "kernel_size": window, "strides": stride, "dilation_rate": dilation,
        "groups": groups, "padding": padding, "use_bias": bias,
        "activation": settings.activation(),
    }  # fmt: skip
    stored: tuple[Shape, ...] = ((window, channels // groups, filters),)
    stored += ((filters,),) if bias else ()
    return LayerSpec((("Conv1D", values),), (count, filters), stored, uses=count)


def pooling1d(kind: str) -> Reader:
    """The reader of a layer that pools rows of pixels."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        steps, channels = _rows(settings, shapes)
        if settings.channels_first():
            raise settings.refused("has an unsupported data_format")
        window = settings.integers("pool_size", "pool_length", count=1, default=2)[0]
        stride = settings.integers("strides", "stride", count=1, default=window)[0]
        same = _is_same(settings)
        count = _output_size(settings, steps, window, stride, same)
        values = {
            "pool_size": window, "strides": stride, "padding": "same" if same else "valid",
        }  # fmt: skip
        return LayerSpec(((kind, values),), (count, channels))

    return read


def global_pooling1d(kind: str) -> Reader:
    """The reader of a layer that pools all rows of pixels."""

    def read(settings: Settings, shapes: list[Shape]) -> LayerSpec:
        _, channels = _rows(settings, shapes)
        if settings.channels_first():
            raise settings.refused("has an unsupported data_format")
        keep = settings.flag("keepdims", default=False)
        return LayerSpec(((kind, {"keepdims": keep}),), (1, channels) if keep else (channels,))

    return read


def _rows(settings: Settings, shapes: list[Shape]) -> tuple[int, int]:
    """The number of rows, and of values in each."""
    if len(shapes[0]) != 2:
        raise settings.refused("needs rows of pixels")
    return shapes[0]


def resizing(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """Resizing."""
    height, width = (settings.integer(side, maximum=512) for side in ("height", "width"))
    way = settings.choice("interpolation", default="bilinear", choices=("bilinear", "nearest"))
    settings.require(crop_to_aspect_ratio=False, pad_to_aspect_ratio=False, antialias=False)
    settings.get("fill_mode", "fill_value")  # of padding

    def make(shape: Shape) -> tuple[KerasLayers, Shape]:
        values = {"height": height, "width": width, "interpolation": way}
        return (("Resizing", values),), (height, width, shape[2])

    return LayerSpec(*_spatial(settings, shapes, make))
