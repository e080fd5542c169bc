"""Configurations that ask for what is not supported, over valid weights."""

from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.foreign.keras_files import dense_model, layer, sequential, write_h5

TRACE = "executed"  # the file that hostile code would leave behind


@dataclass(frozen=True)
class Kind:
    """A kind of bad file: write(folder) → its path; message: a regex of the error."""

    name: str
    message: str
    write: Callable[[Path], Path] = field(repr=False)


KINDS: list[Kind] = []


def kind(name: str, message: str) -> Callable[[Callable[[Path], Any]], Any]:
    """Add a kind; the decorated function writes the path that it gets (or returns another)."""

    def add(write: Callable[[Path], Any]) -> Any:
        def written(folder: Path) -> Path:
            path = folder / "bad.h5"
            return write(path) or path

        KINDS.append(Kind(name, message, written))
        return write

    return add


def _config(name: str, message: str, config: Any, version: str = "3.10.0") -> None:
    """A kind that is a bad configuration over valid weights."""

    @kind(name, message)
    def _(path: Path) -> None:
        write_h5(path, config, dense_model()[1], version)


def with_layers(*layers: dict[str, Any]) -> dict[str, Any]:
    """A Sequential of 784 inputs and ten outputs with `layers` between."""
    first = layer("InputLayer", "in", batch_input_shape=[None, 784])
    return sequential(first, *layers, layer("Dense", "two", units=10, activation="softmax"))


def _lambda() -> dict[str, Any]:
    """What Keras stores of `lambda x: ...`: marshalled code."""
    code = compile(f"open({TRACE!r}, 'w').close()", "x", "exec")
    packed = base64.b64encode(marshal.dumps(code)).decode()
    return layer("Lambda", "evil", function=[packed, None, None], function_type="lambda")


def _foreign(**place: str) -> dict[str, Any]:
    return {**layer("Dense", "one", units=4), **place}


def _functional(
    layers: list[tuple[dict[str, Any], Any]], ends: tuple[Any, Any] = ("in", "two")
) -> dict[str, Any]:
    """A functional configuration; each layer with the names of those it takes from, or nodes."""

    def nodes(inputs: Any) -> Any:
        if inputs and isinstance(inputs[0], str):
            return [[[name, 0, 0, {}] for name in inputs]]
        return inputs

    entries = [
        {**entry, "name": entry["config"]["name"], "inbound_nodes": nodes(inputs)}
        for entry, inputs in layers
    ]
    first, last = ([[end, 0, 0]] if isinstance(end, str) else end for end in ends)
    inner = {"name": "m", "layers": entries, "input_layers": first, "output_layers": last}
    return {"class_name": "Functional", "config": inner}


_IN = layer("InputLayer", "in", batch_input_shape=[None, 784])
_ONE = layer("Dense", "one", units=4)
_TWO = layer("Dense", "two", units=10, activation="softmax")
_SEQUENTIAL = "Sequential"


def _add_code_kinds() -> None:
    allowed = "which is not supported"
    _config("lambda with marshalled code", f"'Lambda', {allowed}", with_layers(_lambda()))
    _config("lambda from Keras 1", f"'Lambda', {allowed}", with_layers(_lambda()), "1.2.2")
    _config("custom class", f"'MyLayer', {allowed}", with_layers(layer("MyLayer", "one")))
    _config(
        "class of a package", f"'Evil>Dense', {allowed}", with_layers(layer("Evil>Dense", "one"))
    )
    _config("TFOpLambda", f"'TFOpLambda', {allowed}", with_layers(layer("TFOpLambda", "one")))
    _config("foreign module", "from the module 'os'", with_layers(_foreign(module="os")))
    _config("registered name", "custom class", with_layers(_foreign(registered_name="evil>Dense")))
    nested = _functional([(_IN, []), (_TWO, ["in"])])
    nested["config"]["name"] = "one"
    _config("nested functional", allowed, with_layers(nested))
    _config("another kind of model", "the model is a 'Evil'", {"class_name": "Evil", "config": {}})
    _config("attribute of keras.layers", allowed, with_layers(layer("__class__", "one")))
    for name, activation in {
        "custom activation": "evil",
        "activation from a module": {
            "module": "os", "class_name": "function", "config": "system", "registered_name": "f",
        },
        "activation as an object": {"class_name": "Lambda", "config": {}},
        "activation as a list": ["relu"],
    }.items():  # fmt: skip
        _config(
            name, "activation", with_layers(layer("Dense", "one", units=4, activation=activation))
        )
    wrapped = {"class_name": "Lambda", "config": _lambda()["config"]}
    _config("wrapped lambda", "wraps", with_layers(layer("Bidirectional", "b", layer=wrapped)))
    twice = layer("Bidirectional", "b", layer=layer("Bidirectional", "c", layer=_ONE))
    _config("wrapped wrapper", "wraps", with_layers(twice))
    module = {**layer("SimpleRNN", "r", units=4), "module": "evil"}
    rows = layer("Reshape", "rows", target_shape=[28, 28])
    foreign = with_layers(rows, layer("Bidirectional", "b", layer=module))
    _config("wrapped foreign module", "from the module 'evil'", foreign)


def _add_graph_kinds() -> None:
    other = layer("InputLayer", "in2", batch_input_shape=[None, 784])
    add = layer("Add", "add")
    ends = "exactly one input and one output"
    valid = [(_IN, []), (_ONE, ["in"]), (_TWO, ["one"])]
    two_inputs = [(_IN, []), (other, []), (add, ["in", "in2"]), (_TWO, ["add"])]
    both = [["in", 0, 0], ["in2", 0, 0]]
    _config("two inputs", ends, _functional(two_inputs, (both, "two")))
    _config("two inputs, one told", ends, _functional(two_inputs))
    _config("two outputs", ends, _functional(valid, ("in", [["one", 0, 0], ["two", 0, 0]])))
    _config("outputs by name", ends, _functional(valid, ("in", {"a": ["two", 0, 0]})))
    shared = [(_IN, []), (_ONE, [[["in", 0, 0, {}]], [["in", 0, 0, {}]]]), (_TWO, ["one"])]
    _config("shared layer", "a layer is used twice", _functional(shared))
    circle = [(_IN, []), (_ONE, ["two"]), (_TWO, ["one"])]
    _config("circle", "form a cycle", _functional(circle))
    _config(
        "circle of one", "form a cycle", _functional([(_IN, []), (_ONE, ["one"]), (_TWO, ["one"])])
    )
    _config("no way from the input", "not connected", _functional([(_IN, []), (_TWO, [])]))
    _config("missing layer", "not connected", _functional([(_IN, []), (_TWO, ["none"])]))
    _config("same name in a graph", "two layers are named", _functional([*valid, (_TWO, ["one"])]))
    _config("same name in a row", "two layers are named", sequential(_IN, _ONE, _ONE, _TWO))
    second = [(_IN, []), (_TWO, [[["in", 0, 1, {}]]])]
    _config("second output of a layer", "unsupported way", _functional(second))
    special = [(_IN, []), (_TWO, [{"args": [], "kwargs": {"training": True}}])]
    _config("special arguments", "special arguments", _functional(special))
    joined = [(_IN, []), (_TWO, ["in", "in"])]
    _config("several inputs for one", "several inputs", _functional(joined))
    many = [(_IN, []), (add, ["in"] * 300_000), (_TWO, ["add"])]
    _config("300,000 connections", "too long|too deep", _functional(many))
    chain = [(_IN, [])] + [
        (layer("Average", f"a{i}"), [f"a{i - 1}" if i else "in"] * 2) for i in range(200)
    ]
    _config("2^200 ways", "do not fit", _functional([*chain, (_TWO, ["a199"])]))
    deep: Any = ["in", 0, 0, {}]
    for _ in range(200):
        deep = [deep]
    _config("deep connection", "too deep", _functional([(_IN, []), (_TWO, deep)]))


def _add_size_kinds() -> None:
    unusual, large = "has an unsupported", "too large"
    for value in (10**9, 10**30, -1, 0, 4.5, True, "4", [4], None, 1e400):
        bad = with_layers(layer("Dense", "one", units=value))
        _config(f"units {str(value)[:12]}", f"{unusual} units", bad)
    wide = [layer("Dense", f"d{i}", units=65536) for i in range(2)]
    _config("4 billion weights", large, with_layers(*wide))
    picture = layer("Reshape", "picture", target_shape=[28, 28, 1])
    for name, settings in {
        "gigantic filters": {"filters": 10**9, "kernel_size": 3},
        "gigantic kernel": {"filters": 1, "kernel_size": [10**6, 10**6]},
        "gigantic dilation": {"filters": 1, "kernel_size": 3, "dilation_rate": 10**9},
        "too many kernels": {"filters": 65536, "kernel_size": 1000, "padding": "same"},
        "too much work": {"filters": 6000, "kernel_size": 90, "padding": "same"},
        "no window": {"filters": 1, "kernel_size": 29},
        "uneven groups": {"filters": 3, "kernel_size": 3, "groups": 2},
    }.items():
        message = f"{unusual}|{large}|larger than its input|do not divide"
        conv = layer("Conv2D", "one", **settings)
        _config(name, message, with_layers(picture, conv, layer("Flatten", "flat")))
    for target in ([10**30], [28, 28, 10**9], [-1, -1], [0], "784", [784] * 50, [5]):
        message = "target_shape|does not fit its input"
        bad = with_layers(layer("Reshape", "one", target_shape=target))
        _config(f"reshape to {str(target)[:20]}", message, bad)
    pad = layer("ZeroPadding2D", "pad", padding=[[10**9, 0], [0, 0]])
    _config("gigantic padding", f"{unusual} padding", with_layers(picture, pad))
    pads = [layer("ZeroPadding2D", f"p{i}", padding=100) for i in range(30)]
    _config("growing padding", large, with_layers(picture, *pads))
    rows = layer("Reshape", "rows", target_shape=[196, 4])
    rnn = [layer("LSTM", f"r{i}", units=4, return_sequences=True) for i in range(100)]
    _config("20,000 steps", "too many steps", with_layers(rows, *rnn, layer("Flatten", "flat")))
    layers = [layer("Activation", f"a{i}", activation="relu") for i in range(10_000)]
    _config("10,000 layers", "10,00[0-9] layers", with_layers(*layers))
    for value in (float("nan"), float("inf"), "x", True):
        bad = with_layers(layer("BatchNormalization", "one", epsilon=value))
        _config(f"epsilon {value}", f"{unusual} epsilon", bad)
    _config(
        "unknown setting",
        "unknown setting",
        with_layers({**layer("Dense", "one", units=4, evil=1)}),
    )
    rnn_in = layer("SimpleRNN", "r", units=4, time_major=True)
    _config("unsupported setting", "time_major", with_layers(rows, rnn_in))


def _add_shape_kinds() -> None:
    for shape in ([None, 30, 30, 3], [None, 783], [None, None, None, 1], [None], [], "784", None):
        config = sequential(layer("InputLayer", "in", batch_input_shape=shape), _TWO)
        _config(f"input {shape}", "not 28×28 or 32×32|the input has no shape", config)
    _config("input not told", "the input has no shape", sequential(_ONE, _TWO))
    _config("nine outputs", "9 outputs, not ten", sequential(_IN, layer("Dense", "o", units=9)))
    picture = sequential(layer("InputLayer", "in", batch_input_shape=[None, 28, 28]), _TWO)
    _config("ten outputs for each row", "28×10 outputs", picture)
    _config("only an input", "no outputs|has no layers", sequential(_IN))
    _config("no layers", "has no layers", sequential())
    _config("weights of another network", "do not fit", with_layers(layer("Dense", "one", units=5)))


def _add_text_kinds() -> None:
    damaged = "is damaged"
    _config("no JSON", damaged, "{'class_name'")
    _config("JSON of another kind", damaged, "[]")
    _config("deeply nested JSON", damaged, "[" * 60_000)
    _config(
        "layers as text", "has no layers", {"class_name": _SEQUENTIAL, "config": {"layers": "x"}}
    )
    _config("layer without class", damaged, sequential({"config": {}}))
    _config("class as a number", damaged, sequential({"class_name": 1, "config": {}}))
    _config("settings as text", damaged, sequential({"class_name": "Dense", "config": "x"}))
    _config("long name", damaged, with_layers(layer("Dense", "n" * 5000, units=4)))
    _config("broken text", damaged, json.dumps(sequential(_IN)).encode() + b"\xff\xfe")
    _config("long number", damaged, '{"class_name": ' + "9" * 20_000 + "}")
    outside = layer("Dense", "../../one", units=4)
    _config("name that climbs", "no weights for layer", with_layers(outside))
    escape = layer("Dense", "\x1b[31m\nError: fine", units=4)
    _config("name that writes on the terminal", r"layer '\\x1b\[31m\\n", with_layers(escape))
    _config(
        "name of half a character", "is damaged", with_layers(layer("Dense", "\ud800", units=4))
    )


_add_code_kinds()
_add_graph_kinds()
_add_size_kinds()
_add_shape_kinds()
_add_text_kinds()
