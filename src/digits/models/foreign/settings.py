"""The settings of a layer, read by type and within bounds; unknown ones are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...errors import ModelError

Shape = tuple[int, ...]
KerasLayers = tuple[tuple[str, dict[str, Any]], ...]  # (class name, arguments) of each

MAX_NAME = 40  # characters of a name in a message

ACTIVATIONS = """
    linear relu softmax sigmoid log_sigmoid tanh elu selu softplus softsign gelu silu swish relu6
    leaky_relu mish hard_sigmoid hard_silu hard_swish exponential celu hard_tanh log_softmax
    squareplus soft_shrink hard_shrink tanh_shrink
""".split()

# Settings that matter only for training, or that repeat others.
IGNORED = frozenset(
    """name trainable dtype input_dtype batch_input_shape batch_shape input_dim input_length
    input_shape build_config registered_name module autocast init inner_init forget_bias_init seed
    sparse ragged noise_shape optional implementation consume_less unroll momentum renorm_clipping
    renorm_momentum fused virtual_batch_size synchronized data_format dim_ordering rank
    dropout recurrent_dropout dropout_W dropout_U moving_mean moving_variance
    input_spec weights auto_cast zero_output_for_mask""".split()
)
IGNORED_SUFFIXES = ("_initializer", "_regularizer", "_constraint")


def refused(problem: str) -> ModelError:
    """The error for a model that is not supported; the caller knows its path."""
    return ModelError(
        problem, "Save a Sequential or plain functional model of common layers with ten outputs"
    )


def quoted(text: str) -> str:
    """A text from the file, escaped and cut for a message."""
    return repr(text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}…")


@dataclass(frozen=True)
class LayerSpec:
    """What a layer of the file becomes.

    Attributes:
        layers: The Keras 3 layers that replace it, one after the other. Layers that do nothing when
            predicting, such as dropout, have none.
        output: Shape of its output, without the batch axis.
        stored: Shapes of its weights as the file holds them, in order.
        conversion: How those become the weights of today's layer: "" unchanged, or a name that
            `rebuild` knows.
        merges: Whether it takes several inputs.
        uses: How often each weight is used for one picture.
        steps: Steps of its loop, each of which is written out.
    """

    layers: KerasLayers
    output: Shape
    stored: tuple[Shape, ...] = ()
    conversion: str = ""
    merges: bool = False
    uses: int = 1
    steps: int = 0


class Origin(NamedTuple):
    """What wrote the file: Keras' major version, and its backend ("" if unknown)."""

    major: int
    backend: str


class Settings:
    """The settings of one layer. What no method read is refused by `refuse_unread`."""

    def __init__(self, kind: str, name: str, config: Mapping[str, Any], origin: Origin) -> None:
        self.kind = kind
        self.name = name
        self.origin = origin
        self._config = config
        self._read: set[str] = set()

    def refused(self, problem: str) -> ModelError:
        """The error that says what is wrong with this layer."""
        return refused(f"layer {quoted(self.name)} ({self.kind}) {problem}")

    def get(self, *names: str, default: Any = None) -> Any:
        """The first of these settings that is present and not None."""
        self._read.update(names)
        return next((self._config[n] for n in names if self._config.get(n) is not None), default)

    def integer(self, *names: str, default: int | None = None, maximum: int = 65536) -> int:
        """An integer from 1 to `maximum`."""
        value = self.get(*names, default=default)
        if type(value) is not int or not 1 <= value <= maximum:
            raise self._unsupported(names[0])
        return value

    def integers(self, *names: str, count: int, default: Any = None) -> tuple[int, ...]:
        """`count` integers from 1 to 1000; a single one stands for all of them."""
        value = self.get(*names, default=default)
        values = [value] * count if isinstance(value, int) else value
        if not isinstance(values, list | tuple) or len(values) != count:
            raise self._unsupported(names[0])
        if any(type(v) is not int or not 1 <= v <= 1000 for v in values):
            raise self._unsupported(names[0])
        return tuple(values)

    def number(self, *names: str, default: float) -> float:
        """A finite number."""
        value = self.get(*names, default=default)
        if type(value) not in (int, float) or not abs(value) <= 1e9:  # or NaN
            raise self._unsupported(names[0])
        return float(value)

    def flag(self, *names: str, default: bool) -> bool:
        """True or false."""
        value = self.get(*names, default=default)
        if not isinstance(value, bool):
            raise self._unsupported(names[0])
        return value

    def choice(self, *names: str, default: str, choices: Sequence[str]) -> str:
        """One of `choices`."""
        value = self.get(*names, default=default)
        if isinstance(value, Mapping) and value.get("class_name") == "function":
            value = value.get("config")  # Keras 3 may spell a function out
        if value not in choices:
            raise self.refused(f"has the {names[0]} {quoted(str(value))}, which is not supported")
        return str(value)

    def activation(self, *names: str, default: str = "linear") -> str:
        """The name of an activation."""
        names = names or ("activation",)
        return self.choice(*names, default=default, choices=ACTIVATIONS)

    def channels_first(self) -> bool:
        """Whether pictures are (channels, rows, columns)."""
        value = self.get("data_format", "dim_ordering", default="channels_last")
        if value not in ("channels_first", "th", "channels_last", "tf"):
            raise self._unsupported("data_format")
        return value in ("channels_first", "th")

    def require(self, **expected: Any) -> None:
        """Refuse settings that are present with another value than the supported one."""
        for name, value in expected.items():
            if self.get(name, default=value) != value:
                raise self._unsupported(name)

    def ignore_all(self) -> None:
        """Take all settings as harmless."""
        self._read.update(self._config)

    def refuse_unread(self) -> None:
        """Refuse settings that no method read, unless they are known to be harmless."""
        for name, value in self._config.items():
            known = name in self._read or name in IGNORED or name.endswith(IGNORED_SUFFIXES)
            if not known and value not in (None, False):
                raise self.refused(f"has an unknown setting {quoted(name)}")

    def _unsupported(self, name: str) -> ModelError:
        return self.refused(f"has an unsupported {name}")
