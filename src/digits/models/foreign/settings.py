"""The settings of a layer, read by type and within bounds; what is not known is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...errors import ModelError

Shape = tuple[int, ...]
Parts = tuple[tuple[str, dict[str, Any]], ...]

ACTIVATIONS = (
    "linear relu softmax sigmoid log_sigmoid tanh elu selu softplus softsign gelu silu swish relu6"
).split()

# Settings that matter only for training, or that say the same once more.
IGNORED = frozenset(
    """name trainable dtype input_dtype batch_input_shape batch_shape input_dim input_length
    input_shape build_config registered_name module autocast init inner_init forget_bias_init seed
    sparse ragged noise_shape optional implementation consume_less unroll momentum renorm_clipping
    renorm_momentum fused virtual_batch_size synchronized data_format dim_ordering rank
    dropout recurrent_dropout dropout_W dropout_U moving_mean moving_variance
    input_spec weights auto_cast zero_output_for_mask""".split()
)
IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")
TODO = "Save a Sequential or plain functional model of common layers with ten outputs"


@dataclass(frozen=True)
class Made:
    """What stands for a layer; the fields are those of `architecture.Layer`.

    joins: whether it takes several inputs. places: how often each weight is used for one picture.
    steps: how often its loop is written out.
    """

    parts: Parts
    output: Shape
    stored: tuple[Shape, ...] = ()
    conversion: str = ""
    joins: bool = False
    places: int = 1
    steps: int = 0


class Origin(NamedTuple):
    """Who wrote the file: Keras' major version, and its backend ("" when not told)."""

    major: int
    backend: str


class Settings:
    """The settings of one layer; see the module."""

    def __init__(self, kind: str, name: str, config: Mapping[str, Any], origin: Origin) -> None:
        self.kind = kind
        self.name = name
        self.origin = origin
        self._config = config
        self._read: set[str] = set()

    def refused(self, reason: str) -> ModelError:
        """The error that says what is wrong with this layer."""
        name = self.name if len(self.name) <= 40 else f"{self.name[:40]}…"
        return ModelError(f"layer {name!r} ({self.kind}) {reason}", TODO)

    def get(self, *names: str, default: Any = None) -> Any:
        """The first of these settings that there is."""
        self._read.update(names)
        return next((self._config[n] for n in names if self._config.get(n) is not None), default)

    def integer(self, *names: str, default: int | None = None, most: int = 65536) -> int:
        """A whole number from 1 to `most`."""
        value = self.get(*names, default=default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self.refused(f"has an unusual {names[0]}")
        return value

    def integers(self, *names: str, count: int, default: Any = None) -> tuple[int, ...]:
        """`count` whole numbers from 1 to 1000; one number means all of them."""
        value = self.get(*names, default=default)
        values = [value] * count if isinstance(value, int) else value
        if not isinstance(values, list | tuple) or len(values) != count:
            raise self.refused(f"has an unusual {names[0]}")
        if any(isinstance(v, bool) or not isinstance(v, int) or not 1 <= v <= 1000 for v in values):
            raise self.refused(f"has an unusual {names[0]}")
        return tuple(values)

    def number(self, *names: str, default: float) -> float:
        """A finite number."""
        value = self.get(*names, default=default)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
            raise self.refused(f"has an unusual {names[0]}")
        if not math.isfinite(value):
            raise self.refused(f"has an unusual {names[0]}")
        return float(value)

    def flag(self, *names: str, default: bool) -> bool:
        """True or false."""
        value = self.get(*names, default=default)
        if not isinstance(value, bool):
            raise self.refused(f"has an unusual {names[0]}")
        return value

    def choice(self, *names: str, default: str, of: Sequence[str]) -> str:
        """One of a few words."""
        value = self.get(*names, default=default)
        if isinstance(value, Mapping) and value.get("class_name") == "function":
            value = value.get("config")  # Keras 3 may spell a function out
        if value not in of:
            raise self.refused(f"has the {names[0]} {str(value)[:40]!r}, which is not allowed")
        return str(value)

    def activation(self, *names: str, default: str = "linear") -> str:
        """The name of an activation."""
        names = names or ("activation",)
        return self.choice(*names, default=default, of=ACTIVATIONS)

    def channels_first(self) -> bool:
        """Whether pictures come as (channels, rows, columns)."""
        value = self.get("data_format", "dim_ordering", default="channels_last")
        if value not in ("channels_first", "th", "channels_last", "tf"):
            raise self.refused("has an unusual data_format")
        return value in ("channels_first", "th")

    def nothing_but(self, **expected: Any) -> None:
        """Refuse settings that have another value than the one that is supported."""
        for name, value in expected.items():
            if self.get(name, default=value) != value:
                raise self.refused(f"has {name} set, which is not supported")

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        for name, value in self._config.items():
            known = name in self._read or name in IGNORED or name.endswith(IGNORED_ENDINGS)
            if not known and value not in (None, False):
                raise self.refused(f"has an unknown setting {name[:40]!r}")
