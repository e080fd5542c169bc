"""Which layers a Keras configuration names, and how they are connected: read as data, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from .settings import TODO

MOST_LAYERS = 300
MOST_INPUTS = 1000
MOST_DEPTH = 8
KERAS = ("keras", "tf_keras", "keras_core", "tensorflow")
_DAMAGED = "its configuration is damaged"


@dataclass(frozen=True)
class Node:
    """A layer as the file names it: class, name, settings, and the layers that it takes from."""

    kind: str
    name: str
    config: dict[str, Any]
    inputs: tuple[str, ...]


def nodes_of(model: Any) -> list[Node]:
    """The layers of a decoded `model_config`, the input first, each behind those it takes from.

    Raises ModelError when it is no Sequential or functional model with one input and one output.
    """
    kind, inner = pair(model, "the model")
    if kind == "Sequential":
        inner = {"layers": inner} if isinstance(inner, list) else _mapping(inner)
        return _sequential(inner)
    if kind in ("Model", "Functional"):
        return _functional(_mapping(inner))
    raise refused(f"it is a {short(kind)}")


def pair(entry: Any, what: str) -> tuple[str, Any]:
    """(class_name, config) of an entry that names a class of Keras itself."""
    if not isinstance(entry, Mapping) or not {"class_name", "config"} <= set(entry):
        raise refused(f"the configuration of {what} is damaged")
    kind = _text(entry["class_name"])
    module, registered = entry.get("module"), entry.get("registered_name")
    if module is not None and _text(module).split(".")[0] not in KERAS:
        raise refused(f"it asks for {short(kind)} from {short(module)}, which is not allowed")
    if registered not in (None, kind):
        raise refused(f"it asks for its own class {short(str(registered))}")
    return kind, entry["config"]


def refused(reason: str) -> ModelError:
    """The error that says why a model is not allowed."""
    return ModelError(reason, TODO)


def short(text: str) -> str:
    """A text of the file, fit to be shown."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _sequential(config: Mapping[str, Any]) -> list[Node]:
    """The layers of a Sequential as a chain behind an input."""
    nodes: list[Node] = []
    for number, entry in enumerate(_entries(config)):
        kind, inner = pair(entry, f"layer {number + 1}")
        inner = _mapping(inner)
        if number == 0 and kind != "InputLayer":
            shape = _first_shape(inner) or config.get("build_input_shape")
            nodes.append(Node("InputLayer", "", {"batch_shape": shape}, ()))
        name = _text(inner.get("name", f"layer_{number}"))
        if any(name == node.name for node in nodes):
            raise refused(f"two layers are called {short(name)}")
        nodes.append(Node(kind, name, inner, (nodes[-1].name,) if nodes else ()))
    return nodes


def _entries(config: Mapping[str, Any]) -> list[Any]:
    entries = config.get("layers")
    if not isinstance(entries, list) or not entries:
        raise refused("it has no layers")
    if len(entries) > MOST_LAYERS:
        raise refused(f"it has {len(entries):,} layers")
    return entries


def _first_shape(config: Mapping[str, Any]) -> Any:
    """The shape that a first layer brings along when there is no input layer."""
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
        kind, inner = pair(entry, "a layer")
        name = _text(entry.get("name", _mapping(inner).get("name")))
        if name in nodes:
            raise refused(f"two layers are called {short(name)}")
        inputs = _inbound(entry.get("inbound_nodes", []))
        nodes[name] = Node(kind, name, _mapping(inner), inputs)
    first, last = (_terminal(config.get(key)) for key in ("input_layers", "output_layers"))
    inputs = tuple(node.name for node in nodes.values() if node.kind == "InputLayer")
    if inputs != (first,):
        raise refused("it has not one input and one output")
    return _ordered(nodes, last)


def _inbound(inbound: Any) -> tuple[str, ...]:
    """The names of the layers that feed a layer, from any version's `inbound_nodes`."""
    if not isinstance(inbound, list) or len(inbound) > 1:
        raise refused("it uses a layer twice")
    names: list[str] = []
    pending: list[tuple[Any, int]] = [(inbound, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MOST_DEPTH or len(names) > MOST_INPUTS:
            raise refused("its configuration nests too deep")
        if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
            value = _mapping(value.get("config")).get("keras_history")
        if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
            names.append(value[0])
            if any(index != 0 for index in value[1:3]) or any(value[3:4]):
                raise refused("it connects layers in a way that is not understood")
        elif isinstance(value, list):
            pending += [(item, depth + 1) for item in reversed(value)]
        elif isinstance(value, Mapping):
            if set(value) - {"args", "kwargs"}:
                raise refused("it connects layers in a way that is not understood")
            if any(v not in (None, False, {}) for v in _mapping(value.get("kwargs", {})).values()):
                raise refused("it calls a layer with special arguments")
            pending.append((value.get("args", []), depth + 1))
        else:
            raise refused("it connects layers in a way that is not understood")
    return tuple(names)


def _terminal(value: Any) -> str:
    """The one input or output layer."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return value[0]
    raise refused("it has not one input and one output")


def _ordered(nodes: Mapping[str, Node], last: str) -> list[Node]:
    """The nodes that lead to `last`, each behind those it takes from."""
    needed, pending = {last}, [last]
    while pending:
        name = pending.pop()
        if name not in nodes:
            raise refused("its layers are not connected")
        pending += set(nodes[name].inputs) - needed
        needed |= set(nodes[name].inputs)
    waiting = {name: node for name, node in nodes.items() if name in needed}
    ordered: dict[str, Node] = {}
    while waiting:
        free = [name for name, node in waiting.items() if set(node.inputs) <= set(ordered)]
        if not free:
            raise refused("its layers go round in a circle")
        for name in free:
            ordered[name] = waiting.pop(name)
    if not any(node.kind == "InputLayer" for node in ordered.values()):
        raise refused("its layers are not connected")
    # The input is the only one that takes from nothing; the last is last.
    return sorted(ordered.values(), key=lambda n: (n.name == last) - (n.kind == "InputLayer"))


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refused(_DAMAGED)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise refused(_DAMAGED)
    return value
