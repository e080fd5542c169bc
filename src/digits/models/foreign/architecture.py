"""What a foreign model file asks for, read as data and checked against lists of what is allowed.

Nothing here builds or runs anything: a Keras configuration (versions 1, 2 and 3) becomes a
`Network` of plain values, or a ModelError says which layer or setting is not understood. The
shapes of all weights follow from the configuration, so that they can be compared with the file
before any is read, and bounded before anything is allocated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .graph import Node, nodes_of, refused, short
from .layers import LAYERS
from .settings import Made, Origin, Parts, Settings, Shape

MOST_WEIGHTS = 50_000_000
MOST_VALUES = 20_000_000  # of the output of one layer, for one picture
MOST_STEPS = 400  # of all loops together: they are written out, step by step
MOST_WORK = 5_000_000_000  # multiplications for one picture
MOST_JSON = 4 << 20
INPUTS: tuple[Shape, ...] = ((28, 28), (784,), (28, 28, 1), (1, 28, 28))


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    name: its name in the file, where its weights are found.
    parts: what stands for it: (class, settings) of Keras 3 layers, one after the other. Layers
        that do nothing when predicting, such as dropout, have none.
    inputs: the names of the layers whose outputs it takes.
    stored: the shapes of its weights as the file holds them, in order.
    conversion: how those become the weights of today's layer: "" as they are, or a name that
        `rebuild` knows.
    output: the shape of what it gives, without the batch.
    """

    name: str
    parts: Parts
    inputs: tuple[str, ...]
    stored: tuple[Shape, ...]
    conversion: str
    output: Shape


@dataclass(frozen=True)
class Network:
    """A checked network: `layers` in an order in which they can be computed.

    input: its shape, one of `INPUTS`. scaled: whether it wants 0..1 (else 0..255).
    logits: whether a softmax must follow to make probabilities of its output.
    """

    layers: tuple[Layer, ...]
    input: Shape
    scaled: bool
    logits: bool


def parse(config: str | bytes, keras_version: str, backend: str) -> Network:
    """The network that a file's `model_config` describes.

    keras_version, backend: the file's attributes of these names ("" when it has none).
    Raises ModelError when it is not understood or not allowed.
    """
    if len(config) > MOST_JSON:
        raise refused("its configuration is too long")
    try:
        whole = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise refused("its configuration is damaged") from error
    major = int(keras_version[:1]) if keras_version[:1] in tuple("123456789") else 1
    layers, shape = _layers(nodes_of(whole), Origin(major, backend))
    finished, logits = _finished(layers)
    return Network(finished, shape, not _rescales(layers), logits)


def _layers(nodes: Sequence[Node], origin: Origin) -> tuple[list[Layer], Shape]:
    first, *rest = nodes
    shape = _input_shape(first.config)
    outputs = {first.name: shape}
    layers: list[Layer] = []
    weights = work = steps = 0
    for node in rest:
        made = _made(node, [outputs[name] for name in node.inputs], origin)
        count = sum(math.prod(s) for s in made.stored)
        weights += count
        work += made.places * count + math.prod(made.output)
        steps += made.steps
        if steps > MOST_STEPS:
            raise refused("its recurrent layers take too many steps")
        too_large = weights > MOST_WEIGHTS or math.prod(made.output) > MOST_VALUES
        if too_large or work > MOST_WORK:
            raise refused(f"layer {short(node.name)} is too large")
        layers.append(
            Layer(node.name, made.parts, node.inputs, made.stored, made.conversion, made.output)
        )
        outputs[node.name] = made.output
    if not layers or layers[-1].output != (10,):
        given = "×".join(map(str, layers[-1].output)) if layers else "no"
        raise refused(f"it has {given} outputs, not ten")
    return layers, shape


def _made(node: Node, shapes: list[Shape], origin: Origin) -> Made:
    if not shapes:
        raise refused("its layers are not connected")
    if node.kind not in LAYERS:
        raise refused(f"layer {short(node.name)} is a {short(node.kind)}, not an allowed one")
    settings = Settings(node.kind, node.name, node.config, origin)
    made = LAYERS[node.kind](settings, shapes)
    settings.finish()
    if len(shapes) > 1 and not made.joins:
        raise refused(f"layer {short(node.name)} takes several inputs")
    return made


def _input_shape(config: Mapping[str, Any]) -> Shape:
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if not isinstance(shape, list) or any(
        not (n is None or (isinstance(n, int) and not isinstance(n, bool))) for n in shape
    ):
        raise refused("it does not say what it takes in")
    known = tuple(shape[1:])
    if known == (None, 28):  # an RNN for any number of rows
        known = (28, 28)
    if known not in INPUTS:
        raise refused(f"it takes pictures of {'×'.join(map(str, known)) or 'no size'}, not 28×28")
    return known


def _rescales(layers: Sequence[Layer]) -> bool:
    """Whether the network scales 0..255 down by itself (to 0..1 or -1..1, say)."""
    return any(
        kind == "Rescaling" and abs(values["scale"]) < 0.1
        for layer in layers
        for kind, values in layer.parts
    )


def _finished(layers: list[Layer]) -> tuple[tuple[Layer, ...], bool]:
    """The layers, and whether a softmax must follow to make probabilities of their output.

    Ten sigmoids need not add up to one. They are made to: softmax(log(s)) is s / sum(s).
    """
    add_up: dict[str, bool] = {}
    for layer in layers:
        kind, settings = _main(layer)
        if kind in _SHAPING or kind in _AVERAGING:
            add_up[layer.name] = all(add_up.get(name, False) for name in layer.inputs)
        else:
            is_softmax = kind == "Softmax" or settings.get("activation") == "softmax"
            add_up[layer.name] = is_softmax and kind in _ACTIVATED and layer.output[-1] == 10
    if add_up[layers[-1].name]:
        return tuple(layers), False
    by_name = {layer.name: layer for layer in layers}
    end = layers[-1]
    while _main(end)[0] in _SHAPING and end.inputs[0] in by_name:
        end = by_name[end.inputs[0]]
    kind, settings = _main(end)
    if settings.get("activation") == "sigmoid" and kind in _ACTIVATED - {"SimpleRNN"}:
        logs = (kind, settings | {"activation": "log_sigmoid"})
        parts = tuple(logs if part == (kind, settings) else part for part in end.parts)
        layers = [replace(end, parts=parts) if layer is end else layer for layer in layers]
    return tuple(layers), True


_SHAPING = {"", "Flatten", "Reshape", "Permute", "Dropout"}
_AVERAGING = {"Average", "GlobalAveragePooling2D"}
_ACTIVATED = {"Activation", "Softmax", "Dense", "Conv2D", "SeparableConv2D", "SimpleRNN"}


def _main(layer: Layer) -> tuple[str, dict[str, Any]]:
    """What a layer is but for turned axes."""
    nothing: tuple[str, dict[str, Any]] = ("Permute" if layer.parts else "", {})
    return next((part for part in layer.parts if part[0] != "Permute"), nothing)
