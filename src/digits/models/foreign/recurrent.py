"""Recurrent layers, over the rows of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .graph import class_and_config
from .settings import ACTIVATIONS, IGNORED, IGNORED_SUFFIXES, LayerSpec, Settings, Shape

# Until Keras 2, hard_sigmoid(x) was clip(0.2 x + 1/2, 0, 1); now it is clip(x / 6 + 1/2, 0, 1). The
# old one is the new one of 1.2 x: for each conversion, which gates of how many to scale by that.
GATES = {"LSTM hard": ((0, 1, 3), 4), "GRU hard": ((0, 1), 3)}
MAX_ROWS = 256


def recurrent(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """SimpleRNN, LSTM and GRU."""
    shape = shapes[0]
    if len(shape) != 2 or shape[0] > MAX_ROWS:
        raise settings.refused(f"needs rows of pixels, at most {MAX_ROWS}")
    kind = settings.kind
    units = settings.integer("units", "output_dim", maximum=8192)
    bias = settings.flag("use_bias", default=True)
    rows = settings.flag("return_sequences", default=False)
    settings.require(stateful=False, return_state=False, time_major=False)
    values: dict[str, Any] = {
        "units": units, "use_bias": bias, "return_sequences": rows, "unroll": True,
        "activation": settings.activation(default="tanh"),
        "go_backwards": settings.flag("go_backwards", default=False),
    }  # fmt: skip
    if settings.origin.major < 3 and values["activation"] == "hard_sigmoid":
        raise settings.refused("has the hard sigmoid of Keras 1 and 2 as activation")
    gates = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind]
    bias_shape: Shape = (gates * units,)
    if kind != "SimpleRNN":
        if settings.origin.major < 2:
            raise settings.refused("of Keras 1 is not supported")
        values["recurrent_activation"] = settings.choice(
            "recurrent_activation", default="hard_sigmoid", choices=ACTIVATIONS
        )
    if kind == "LSTM":
        settings.flag("unit_forget_bias", default=True)
    if kind == "GRU":
        values["reset_after"] = settings.flag("reset_after", default=False)
        bias_shape = (2, gates * units) if values["reset_after"] else bias_shape
    stored = ((shape[1], gates * units), (units, gates * units), *([bias_shape] if bias else []))
    output = (shape[0], units) if rows else (units,)
    hard = settings.origin.major < 3 and values.get("recurrent_activation") == "hard_sigmoid"
    conversion = f"{kind} hard" if hard else ""
    return LayerSpec(((kind, values),), output, stored, conversion, uses=shape[0], steps=shape[0])


def bidirectional(settings: Settings, shapes: list[Shape]) -> LayerSpec:
    """Bidirectional, around a recurrent layer."""
    kind, inner = class_and_config(settings.get("layer"), "a wrapped layer")
    backward = settings.get("backward_layer")
    merge = settings.choice("merge_mode", default="concat", choices=("concat", "sum", "ave", "mul"))
    if kind not in ("SimpleRNN", "LSTM", "GRU") or not isinstance(inner, dict):
        raise settings.refused("wraps a layer that is not recurrent")
    if backward is not None and not _mirrors(inner, backward):
        raise settings.refused("has a backward layer with settings of its own")
    within = Settings(kind, settings.name, inner, settings.origin)
    spec = recurrent(within, shapes)
    within.refuse_unread()
    if spec.layers[0][1]["go_backwards"]:
        raise settings.refused("has an unsupported go_backwards")
    wide = spec.output[-1] * (2 if merge == "concat" else 1)
    values = {"layer": spec.layers[0], "merge_mode": merge}
    return LayerSpec(
        (("Bidirectional", values),),
        (*spec.output[:-1], wide),
        spec.stored * 2,
        spec.conversion,
        uses=spec.uses,
        steps=2 * spec.steps,
    )


def _mirrors(forward: Mapping[str, Any], backward: Any) -> bool:
    """Whether `backward` is the layer that Keras itself derives from `forward`."""
    config = backward.get("config") if isinstance(backward, Mapping) else None
    if not isinstance(config, Mapping):
        return False
    differing = {k for k in {*forward, *config} if forward.get(k) != config.get(k)}
    return config.get("go_backwards") is True and all(
        k in ("go_backwards", "name") or k in IGNORED or k.endswith(IGNORED_SUFFIXES)
        for k in differing
    )
