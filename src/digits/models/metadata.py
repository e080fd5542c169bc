"""The JSON metadata of a model file: how the model was made and what it scores."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin, get_type_hints

from ._keras import import_keras
from .families import TABLE

if TYPE_CHECKING:
    from ..data.dataset import Dataset

MAX_DEPTH = 8  # levels of the settings; a recipe has three


@dataclass(frozen=True)
class Point:
    """A point within an epoch: means over the steps since the point before, as of an `Epoch`."""

    fraction: float  # of the epoch that is done, 0..1
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None


@dataclass(frozen=True)
class Epoch:
    """One epoch of the training history. Losses are cross-entropy in nats; accuracies 0..1."""

    epoch: int  # from 1
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    best: bool  # the best so far; of a decaying learning rate, the last: see `training.fit`
    points: tuple[Point, ...] | None = None  # in a training of few epochs


@dataclass(frozen=True)
class DatasetInfo:
    """A data set that a model was trained on."""

    name: str
    pictures: int
    fingerprint: str  # SHA-256, see `Dataset.fingerprint`

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """The description of `dataset`."""
        return cls(dataset.name, len(dataset), dataset.fingerprint)


@dataclass(frozen=True)
class ScoreInfo:
    """The score on a test set of `n` pictures: loss in nats, accuracy 0..1."""

    name: str
    n: int
    loss: float
    accuracy: float

    @property
    def incorrect(self) -> int:
        """Number of pictures that are recognized wrong."""
        return round(self.n * (1 - self.accuracy))


@dataclass(frozen=True)
class StartedFrom:
    """The model that fine-tuning started from.

    Attributes:
        data: The data sets that it had been trained on.
        test: Its scores on the test sets of fine-tuning; None in files of earlier versions.
    """

    path: str
    data: tuple[DatasetInfo, ...]
    test: tuple[ScoreInfo, ...] | None = None


def installed_versions() -> dict[str, str]:
    """The versions of the packages and of Python, and the Keras backend."""
    import platform  # both take some 20 ms to import, which predicting need not spend
    from importlib.metadata import version

    packages = ("digits", "keras", "tensorflow", "numpy")
    return {name: version(name) for name in packages} | {
        "python": platform.python_version(),
        "backend": import_keras().backend.backend(),
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """How a model was made and what it scores; the defaults describe a model made just now.

    Attributes:
        settings: The recipe, as `Recipe.settings` returns it; None for a converted model.
        data: The training sets.
        test: The scores on the test sets.
        seconds: Training time.
        created: UTC, ISO 8601.
        validation_pictures: Number of training pictures held out for validation.
        temperature: What calibration divided the logits by.
        converted_from: Name of the file that another program wrote.
        inputs: What share of the embedded digits a converted model reads by its input, such as
            `0 to 255`: the values of background and ink. The first is the one that is used.
    """

    family: str
    preset: str
    settings: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    seed: int | None = None
    data: tuple[DatasetInfo, ...] = ()
    test: tuple[ScoreInfo, ...] = ()
    history: tuple[Epoch, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=installed_versions, repr=False, hash=False)
    created: str = field(default_factory=_now)
    validation_pictures: int | None = None
    temperature: float | None = None
    started_from: StartedFrom | None = None
    converted_from: str | None = None
    inputs: Mapping[str, float] | None = field(default=None, hash=False)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> Self:
        """The metadata that `to_json` described; unknown fields are ignored.

        Raises:
            ValueError: A field is missing or has a value of another type.
        """
        try:
            metadata: Self = _decoded(cls, record)
        except (KeyError, OverflowError) as error:  # a missing field; an integer beyond all floats
            raise ValueError("damaged metadata") from error
        if metadata.family not in TABLE:
            raise ValueError(f"unknown family {metadata.family!r}")
        if metadata.settings is None:
            _decoded(str, metadata.converted_from)
        else:
            _decoded(dict, metadata.settings.get("architecture"))
            _decoded(str, metadata.settings.get("source"))
            _check_depth(metadata.settings, MAX_DEPTH)
        return metadata


def _decoded(kind: Any, value: Any) -> Any:
    """The JSON `value` as the annotated type `kind`; raises ValueError if it is of another."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or (origin is UnionType and value is None):
        return value
    if origin is UnionType:  # X | None
        return _decoded(arguments[0], value)
    if kind is float and type(value) is int:
        value = float(value)
    is_record = is_dataclass(kind)
    json_type = {tuple: list, Mapping: dict}.get(origin, dict if is_record else kind)
    if type(value) is not json_type:
        raise ValueError(f"{value!r:.40} is not a {json_type.__name__}")
    if origin is tuple:
        return tuple(_decoded(arguments[0], item) for item in value)
    if origin is Mapping:
        return {name: _decoded(arguments[1], item) for name, item in value.items()}
    if is_record:
        return kind(
            **{
                name: _decoded(hint, value[name] if required else value.get(name))
                for name, hint, required in _fields(kind)
            }
        )
    return value


@cache
def _fields(kind: type) -> list[tuple[str, Any, bool]]:
    """Name, type, and whether it must be there: only what is None by default may be missing."""
    hints = get_type_hints(kind)
    return [(f.name, hints[f.name], f.default is not None) for f in fields(kind)]


def _check_depth(value: Any, levels: int) -> None:
    """Raise ValueError when `value` nests deeper: writers of JSON would hit Python's limit."""
    if not levels:
        raise ValueError("too deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _check_depth(item, levels - 1)
