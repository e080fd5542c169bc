"""The layers that a Keras configuration names, and how they are connected: read as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .settings import quoted, refused

MAX_LAYERS = 300
MAX_INPUTS = 1000  # of one layer
MAX_DEPTH = 8  # levels of `inbound_nodes`; Keras writes up to five
MAX_TEXT = 200  # characters of a name
KERAS = ("keras", "tf_keras", "keras_core", "tensorflow")
_OPERATIONS = {
    "TrueDivide": "/", "Divide": "/", "Subtract": "-", "Add": "+", "Multiply": "*",
    "math.truediv": "/", "math.divide": "/", "math.subtract": "-", "math.multiply": "*",
    "math.add": "+", "__operators__.add": "+",
}  # fmt: skip
_DAMAGED = "the configuration is damaged"
_NOT_CONNECTED = "the layers are not connected"
_ENDS = "the model does not have exactly one input and one output"
_UNKNOWN_CONNECTION = "the layers are connected in an unsupported way"


@dataclass(frozen=True)
class Node:
    """A layer as the file describes it: class, name, settings, and the layers it takes from."""

    kind: str
    name: str
    config: dict[str, Any]
    inputs: tuple[str, ...]


def nodes_of(model: Any) -> list[Node]:
    """The layers of a decoded `model_config`, each after those it takes from; the input is first.

    Raises:
        ModelError: It is not a Sequential or functional model with one input and one output.
    """
    kind, inner = class_and_config(model, "the model")
    if kind == "Sequential":
        inner = {"layers": inner} if isinstance(inner, list) else _mapping(inner)
        return _sequential(inner)
    if kind in ("Model", "Functional"):
        return _functional(_mapping(inner))
    raise refused(f"the model is a {quoted(kind)}")


def class_and_config(entry: Any, what: str) -> tuple[str, Any]:
    """(class_name, config) of an entry, which must name a class of Keras itself."""
    if not isinstance(entry, Mapping) or not {"class_name", "config"} <= set(entry):
        raise refused(f"the configuration of {what} is damaged")
    kind = _text(entry["class_name"])
    module, registered = entry.get("module"), entry.get("registered_name")
    if module is not None and _text(module).split(".")[0] not in KERAS:
        raise refused(f"{quoted(kind)} comes from the module {quoted(module)}, not from Keras")
    if registered not in (None, kind):
        raise refused(f"{quoted(str(registered))} is a custom class")
    return kind, entry["config"]


def _sequential(config: Mapping[str, Any]) -> list[Node]:
    """The layers of a Sequential as a chain that starts at an input."""
    nodes: list[Node] = []
    for number, entry in enumerate(_flat(_entries(config))):
        kind, inner = class_and_config(entry, f"layer {number + 1}")
        inner = _mapping(inner)
        if kind == "InputLayer" and nodes:  # of a Sequential inside
            continue
        if number == 0 and kind != "InputLayer":
            shape = _first_shape(inner) or config.get("build_input_shape")
            nodes.append(Node("InputLayer", "", {"batch_shape": shape}, ()))
        name = _text(inner.get("name", f"layer_{number}"))
        if any(name == node.name for node in nodes):
            raise refused(f"two layers are named {quoted(name)}")
        nodes.append(Node(kind, name, inner, (nodes[-1].name,) if nodes else ()))
    return nodes


def _flat(entries: list[Any], depth: int = 0) -> list[Any]:
    """The layers, with those of a Sequential among them in its place."""
    if depth > MAX_DEPTH:
        raise refused("the configuration nests too deep")
    flat: list[Any] = []
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("class_name") == "Sequential":
            _kind, inner = class_and_config(entry, "a layer")
            inner = {"layers": inner} if isinstance(inner, list) else _mapping(inner)
            flat += _flat(_entries(inner), depth + 1)
        else:
            flat.append(entry)
    if len(flat) > MAX_LAYERS:
        raise refused(f"the model has {len(flat):,} layers")
    return flat


def _entries(config: Mapping[str, Any]) -> list[Any]:
    entries = config.get("layers")
    if not isinstance(entries, list) or not entries:
        raise refused("the model has no layers")
    if len(entries) > MAX_LAYERS:
        raise refused(f"the model has {len(entries):,} layers")
    return entries


def _first_shape(config: Mapping[str, Any]) -> Any:
    """The input shape that a first layer carries if there is no input layer."""
    for key in ("batch_input_shape", "batch_shape"):
        if config.get(key) is not None:
            return config[key]
    inner = config.get("layer")  # of a Bidirectional
    if isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        inner = inner["config"]
        return inner.get("batch_input_shape", inner.get("batch_shape"))
    if config.get("input_dim") is not None:
        rows = [config["input_length"]] if config.get("input_length") else []
        return [None, *rows, config["input_dim"]]
    return None


def _functional(config: Mapping[str, Any]) -> list[Node]:
    """The layers of a functional model."""
    nodes: dict[str, Node] = {}
    for entry in _entries(config):
        kind, inner = class_and_config(entry, "a layer")
        name = _text(entry.get("name", _mapping(inner).get("name")))
        if name in nodes:
            raise refused(f"two layers are named {quoted(name)}")
        inner, inbound = _mapping(inner), entry.get("inbound_nodes", [])
        if (operation := _operation(kind, inner, inbound)) is not None:
            kind, (inner, inbound) = "Rescaling", _rescaling(name, operation, inbound)
        nodes[name] = Node(kind, name, inner, _inbound(inbound))
    first, last = (_terminal(config.get(key)) for key in ("input_layers", "output_layers"))
    if [node.name for node in nodes.values() if node.kind == "InputLayer"] != [first]:
        raise refused(_ENDS)
    return _ordered(nodes, first, last)


def _operation(kind: str, config: Mapping[str, Any], inbound: Any) -> str | None:
    """The arithmetic with a number that a node stands for (`x / 255.` in Python), or None."""
    if kind == "TFOpLambda":  # Keras 2
        return _OPERATIONS.get(str(config.get("function")))
    operation = _OPERATIONS.get(kind)
    if kind in ("Add", "Multiply"):  # they are layers, too, which take tensors alone
        tensors = len(_inbound(inbound, numbers=True))
        return operation if tensors == 1 else None
    return operation


def _rescaling(name: str, operation: str, inbound: Any) -> tuple[dict[str, Any], Any]:
    """The settings of a Rescaling that does the same, and what it takes from."""
    tensor, number, number_first = _operands(inbound)
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < 1e9:
        raise refused("a layer is called with special arguments")
    scale, offset = 1.0, 0.0
    if operation == "*":
        scale = float(number)
    elif operation == "+":
        offset = float(number)
    elif operation == "-":
        scale, offset = (-1.0, float(number)) if number_first else (1.0, -float(number))
    elif number_first or number == 0:
        raise refused("a number is divided by a layer, or a layer by zero")
    else:
        scale = 1 / number
    return {"name": name, "scale": scale, "offset": offset}, [[tensor]]


def _operands(inbound: Any) -> tuple[Any, Any, bool]:
    """The tensor and the number that an operation takes, and whether the number comes first."""
    if not isinstance(inbound, list) or len(inbound) != 1:
        raise refused("a layer is used twice")
    call = inbound[0]
    if isinstance(call, Mapping):  # Keras 3: {"args": [tensor, number], "kwargs": {}}
        arguments = call.get("args")
        if isinstance(arguments, list) and len(arguments) == 2:
            first = isinstance(arguments[1], Mapping)
            tensor, number = reversed(arguments) if first else arguments
            return tensor, number, first
    if isinstance(call, list) and len(call) == 4 and isinstance(call[3], Mapping):
        return [*call[:3], {}], call[3].get("y"), False  # Keras 2: [name, 0, 0, {"y": number}]
    raise refused(_UNKNOWN_CONNECTION)


def _inbound(inbound: Any, numbers: bool = False) -> tuple[str, ...]:
    """The names of the layers that feed a layer, from any version's `inbound_nodes`.

    Args:
        inbound: The value.
        numbers: Pass over numbers among them.
    """
    if not isinstance(inbound, list) or len(inbound) > 1:
        raise refused("a layer is used twice")
    names: list[str] = []
    pending: list[tuple[Any, int]] = [(inbound, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH or len(names) > MAX_INPUTS:
            raise refused("the configuration nests too deep")
        if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
            value = _mapping(value.get("config")).get("keras_history")
        if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
            names.append(value[0])
            if any(index != 0 for index in value[1:3]) or any(value[3:4]):
                raise refused(_UNKNOWN_CONNECTION)
        elif isinstance(value, list):
            pending += [(item, depth + 1) for item in reversed(value)]
        elif isinstance(value, Mapping):
            if set(value) - {"args", "kwargs"}:
                raise refused(_UNKNOWN_CONNECTION)
            if any(v not in (None, False, {}) for v in _mapping(value.get("kwargs", {})).values()):
                raise refused("a layer is called with special arguments")
            pending.append((value.get("args", []), depth + 1))
        elif not (numbers and isinstance(value, int | float)):
            raise refused(_UNKNOWN_CONNECTION)
    return tuple(names)


def _terminal(value: Any) -> str:
    """The name of the only input or output layer."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return value[0]
    raise refused(_ENDS)


def _ordered(nodes: Mapping[str, Node], first: str, last: str) -> list[Node]:
    """The nodes that lead from `first` to `last`, each after those it takes from."""
    needed, pending = {last}, [last]
    while pending:
        name = pending.pop()
        if name not in nodes:
            raise refused(_NOT_CONNECTED)
        pending += set(nodes[name].inputs) - needed
        needed |= set(nodes[name].inputs)
    try:
        # In the order of the file, not of a set: it decides the order of the weights.
        graph = {name: node.inputs for name, node in nodes.items() if name in needed}
        ordered = [nodes[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise refused("the layers form a cycle") from error
    if [node.name for node in ordered if not node.inputs] != [first]:
        raise refused(_NOT_CONNECTED)
    return ordered


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refused(_DAMAGED)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise refused(_DAMAGED)
    return value
