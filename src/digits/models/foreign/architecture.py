"""What a foreign model file asks for, read as data and checked against an allowlist.

Nothing here builds or runs anything: a Keras configuration (versions 1, 2 and 3) becomes a
`Network` of plain values, or a ModelError that names the layer or setting that is not supported.
The shapes of all weights follow from the configuration, so that they can be compared with the file
before any is read, and bounded before anything is allocated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .graph import Node, class_and_config, nodes_of
from .layers import LAYERS
from .settings import KerasLayers, LayerSpec, Origin, Settings, Shape, quoted, refused

MAX_WEIGHTS = 50_000_000
MAX_VALUES = 20_000_000  # in the output of one layer, for one picture
MAX_STEPS = 400  # of all loops together: they are written out, step by step
MAX_WORK = 5_000_000_000  # multiplications for one picture
MAX_JSON = 4 << 20  # characters
INPUTS: tuple[Shape, ...] = (
    (28, 28), (784,), (28, 28, 1), (1, 28, 28), (28, 28, 3), (3, 28, 28),
    (32, 32), (1024,), (32, 32, 1), (1, 32, 32), (32, 32, 3), (3, 32, 32),
)  # fmt: skip
"""With 32 pixels, as LeNet-5 has them, there are two more all around; all channels are alike."""


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        name: Its name in the file, under which its weights are found.
        inputs: The names of the layers whose outputs it takes.
        spec: What it becomes.
    """

    name: str
    inputs: tuple[str, ...]
    spec: LayerSpec


@dataclass(frozen=True)
class Network:
    """A checked network.

    Attributes:
        layers: In an order in which they can be computed.
        input: Shape of its input, one of `INPUTS`.
        scaled: Whether it expects pixels 0..1 (else 0..255).
        inverted: Whether it expects dark ink on light ground.
        logits: Whether its output needs a softmax to become probabilities.
    """

    layers: tuple[Layer, ...]
    input: Shape
    scaled: bool
    logits: bool
    inverted: bool = False


def parse(config: str | bytes, keras_version: str, backend: str) -> Network:
    """Check the network that a file describes.

    Args:
        config: The attribute `model_config`, JSON.
        keras_version: The attribute of this name, "" if there is none.
        backend: The attribute of this name, "" if there is none.

    Raises:
        ModelError: It is damaged, or something in it is not supported.
    """
    if len(config) > MAX_JSON:
        raise refused("the configuration is too long")
    try:
        decoded = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise refused("the configuration is damaged") from error
    major = int(keras_version[:1]) if keras_version[:1] in tuple("123456789") else 1
    layers, shape = _layers(nodes_of(decoded), Origin(major, backend))
    layers, logits = _with_probabilities(layers)
    return Network(tuple(layers), shape, not _rescales(layers), logits)


def _layers(nodes: Sequence[Node], origin: Origin) -> tuple[list[Layer], Shape]:
    first, *rest = nodes
    shape = _input_shape(first.config)
    outputs = {first.name: shape}
    layers: list[Layer] = []
    weights = work = steps = 0
    for node in rest:
        spec = _spec(node, [outputs[name] for name in node.inputs], origin)
        count = sum(math.prod(s) for s in spec.stored)
        weights += count
        work += spec.uses * count + math.prod(spec.output)
        steps += spec.steps
        if steps > MAX_STEPS:
            raise refused("the recurrent layers take too many steps")
        too_large = weights > MAX_WEIGHTS or math.prod(spec.output) > MAX_VALUES
        if too_large or work > MAX_WORK:
            raise refused(f"layer {quoted(node.name)} is too large")
        layers.append(Layer(node.name, node.inputs, spec))
        outputs[node.name] = spec.output
    if not layers or layers[-1].spec.output != (10,):
        found = "×".join(map(str, layers[-1].spec.output)) if layers else "no"
        raise refused(f"the model has {found} outputs, not ten")
    return layers, shape


def _spec(node: Node, shapes: list[Shape], origin: Origin) -> LayerSpec:
    if node.kind not in LAYERS:
        raise refused(f"layer {quoted(node.name)} is a {quoted(node.kind)}, which is not supported")
    config, after = _split_activation(node, origin)
    settings = Settings(node.kind, node.name, config, origin)
    spec = LAYERS[node.kind](settings, shapes)
    settings.refuse_unread()
    spec = replace(spec, layers=(*spec.layers, *after))
    if origin.major < 3:
        spec = replace(spec, layers=_with_early_hard_sigmoid(spec.layers))
    if len(shapes) > 1 and not spec.merges:
        raise refused(f"layer {quoted(node.name)} takes several inputs")
    return spec


def _split_activation(node: Node, origin: Origin) -> tuple[dict[str, Any], KerasLayers]:
    """The configuration, and the layer that it has as activation: `activation=LeakyReLU()`."""
    value = node.config.get("activation")
    if not isinstance(value, Mapping) or value.get("class_name") == "function":
        return node.config, ()
    kind, config = class_and_config(value, f"the activation of layer {quoted(node.name)}")
    if kind not in _ELEMENTWISE or node.kind in RECURRENT or not isinstance(config, dict):
        problem = f"layer {quoted(node.name)} has the activation {quoted(kind)}"
        raise refused(f"{problem}, which is not supported")
    settings = Settings(kind, node.name, config, origin)
    spec = LAYERS[kind](settings, [()])
    settings.refuse_unread()
    return node.config | {"activation": "linear"}, spec.layers


def _with_early_hard_sigmoid(layers: KerasLayers) -> KerasLayers:
    """The hard sigmoid of Keras 1 and 2, clip(0.2 x + 0.5, 0, 1), by that of Keras 3.

    That is clip(x / 6 + 0.5, 0, 1), so its input is multiplied by 1.2.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for kind, arguments in layers:
        if kind in RECURRENT or arguments.get("activation") != "hard_sigmoid":
            found.append((kind, arguments))
            continue
        if kind != "Activation":
            found.append((kind, arguments | {"activation": "linear"}))
        found += [("Rescaling", {"scale": 1.2}), ("Activation", {"activation": "hard_sigmoid"})]
    return tuple(found)


def _input_shape(config: Mapping[str, Any]) -> Shape:
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if not isinstance(shape, list) or any(n is not None and type(n) is not int for n in shape):
        raise refused("the input has no shape")
    known = tuple(shape[1:])
    if known == (None, 28):  # an RNN for any number of rows
        known = (28, 28)
    if known not in INPUTS:
        found = "×".join(map(str, known)) or "a number"
        raise refused(f"the input is {found}, not 28×28 or 32×32")
    return known


def _rescales(layers: Sequence[Layer]) -> bool:
    """Whether the network itself scales 0..255 down (to 0..1 or -1..1, for example)."""
    return any(
        kind == "Rescaling" and abs(arguments["scale"]) < 0.1
        for layer in layers
        for kind, arguments in layer.spec.layers
    )


RECURRENT = {"SimpleRNN", "LSTM", "GRU", "Bidirectional"}
_ELEMENTWISE = {"ReLU", "LeakyReLU", "ELU", "Softmax", "Activation"}
_RESHAPING = {"", "Flatten", "Reshape", "Permute", "Dropout"}
_AVERAGING = {"Average", "GlobalAveragePooling2D"}
_ACTIVATED = {"Activation", "Softmax", "Dense", "Conv2D", "SeparableConv2D", "SimpleRNN"}


def _with_probabilities(layers: list[Layer]) -> tuple[list[Layer], bool]:
    """The layers, and whether their output needs a softmax to become probabilities.

    Ten sigmoids need not add up to one. Their logarithm makes it so: softmax(log(s)) = s / sum(s).
    """
    adds_up: dict[str, bool] = {}
    for layer in layers:
        kind, arguments = _main(layer)
        if kind in _RESHAPING or kind in _AVERAGING:
            adds_up[layer.name] = all(adds_up.get(name, False) for name in layer.inputs)
        else:
            is_softmax = kind == "Softmax" or arguments.get("activation") == "softmax"
            is_last_axis = kind in _ACTIVATED and layer.spec.output[-1] == 10
            adds_up[layer.name] = is_softmax and is_last_axis
    if adds_up[layers[-1].name]:
        return layers, False
    by_name = {layer.name: layer for layer in layers}
    end = layers[-1]
    while _main(end)[0] in _RESHAPING and end.inputs[0] in by_name:
        end = by_name[end.inputs[0]]
    kind, arguments = _main(end)
    if arguments.get("activation") == "sigmoid" and kind in _ACTIVATED - {"SimpleRNN"}:
        logs = (kind, arguments | {"activation": "log_sigmoid"})
        parts = tuple(logs if p == (kind, arguments) else p for p in end.spec.layers)
        changed = replace(end, spec=replace(end.spec, layers=parts))
        layers = [changed if layer is end else layer for layer in layers]
    return layers, True


def _main(layer: Layer) -> tuple[str, dict[str, Any]]:
    """The Keras layer that does the work: the first that does not only reshape, if there is one."""
    parts = layer.spec.layers or (("", {}),)
    return next((part for part in parts if part[0] not in _RESHAPING), parts[0])
