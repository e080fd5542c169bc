"""What a recipe is: everything that decides what a model is and how it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..errors import ModelError

FAMILIES = ("dense", "cnn", "rnn")
JUDGE = "judge"
"""The family of the one model that tells digits from what is none: its 11th output."""
OUTPUTS = {**dict.fromkeys(FAMILIES, 10), JUDGE: 11}
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd", "nadam", "adagrad")


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random variation of the training pictures; each picture draws its own, 0 means none.

    The hand, on every picture:
    rotation: up to this many degrees either way. zoom: each axis scaled by 1 ± this.
    shift: up to this share of the picture's side, on each axis. shear: up to this slope.
    elastic: standard deviation in pixels of a smooth random displacement (after Simard, Steinkraus
    and Platt, 2003). stretch: this share has its ink pulled towards a square box.

    The pen, the paper and the camera, on this share of the pictures: wild. Of those,
    stroke: the stroke grows or shrinks by up to about this many pixels on each side.
    neighbours, frame, coarse: this share shows the edge of another digit, a piece of a ruled line,
    the pixels of a small or binary original.
    blur: up to this share of a 3×3 mean. contrast: gains of e^-this to e^(2·this). noise: standard
    deviation in grey values, at most.
    """

    rotation: float = 10.0
    zoom: float = 0.1
    shift: float = 0.1
    shear: float = 0.0
    elastic: float = 0.0
    stretch: float = 0.0
    wild: float = 0.0
    stroke: float = 0.0
    neighbours: float = 0.0
    frame: float = 0.0
    coarse: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """The rate times `factor` when validation accuracy has not risen for `patience` epochs."""

    factor: float = 0.5
    patience: int = 3
    floor: float = 1e-5


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to build and train a model. Loss is categorical cross-entropy throughout."""

    family: str
    preset: str
    source: str  # where it comes from
    architecture: Mapping[str, Any]  # the arguments of the family's builder
    optimizer: str
    learning_rate: float
    optimizer_options: Mapping[str, float] = field(default_factory=dict)
    cosine: bool = False  # the rate falls to 0 over all epochs, along half a cosine
    warm_up: float = 0.0  # before that it rises from 0, in this share of all steps
    batch_size: int
    epochs: int
    least_steps: int = 0  # a smaller set gets more epochs, until there are so many steps
    shuffle: bool = True
    validation_fraction: float = 0.0
    generated: int = 0  # so many digits of generated handwriting are added to the training set
    augment: Augment | None = None
    calm_epochs: int = 0  # in so many epochs at the end, only half of the pictures are varied
    plateau: Plateau | None = None
    # Stop above this accuracy on the validation pictures, or on the training set without them;
    # checked every so many steps, or after every epoch when None.
    until_accuracy: float | None = None
    check_every: int | None = None
    reached: str = ""  # the mean accuracy on MNIST's test pictures; not a setting
    cost: float = 0.0  # microseconds a picture and epoch, on two cores of 2023; not a setting

    def settings(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        notes = ("reached", "cost")
        return {name: value for name, value in asdict(self).items() if name not in notes}

    def for_pictures(self, pictures: int) -> Recipe:
        """With the epochs that so many `pictures` need: see `least_steps`."""
        needed = math.ceil(self.least_steps / math.ceil(pictures / self.batch_size))
        return self if needed <= self.epochs else replace(self, epochs=needed)

    def expected_seconds(self, pictures: int) -> float:
        """About how long fitting to so many `pictures` takes on two cores of 2023."""
        return self.cost * 1e-6 * pictures * self.epochs

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Recipe:
        """The recipe that `settings()` described. Raises ModelError when it does not fit."""
        known = dict(settings)
        try:
            for name, kind in (("augment", Augment), ("plateau", Plateau)):
                known[name] = kind(**known[name]) if known.get(name) else None
            return cls(**known)
        except (TypeError, ValueError) as error:
            raise ModelError(
                "the model's settings are not understood", "Train it again with this version"
            ) from error


def with_overrides(recipe: Recipe, **overrides: Any) -> Recipe:
    """`recipe` with those `overrides` that are not None; other optimizers lose its options.

    `augment` may also be True (the default `Augment`) or False (none).
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if isinstance(given.get("augment"), bool):
        given["augment"] = (recipe.augment or Augment()) if given["augment"] else None
    if given.get("optimizer", recipe.optimizer) != recipe.optimizer:
        given["optimizer_options"] = {}
    if epochs := given.get("epochs"):
        given.setdefault("calm_epochs", round(recipe.calm_epochs * epochs / recipe.epochs))
        given.setdefault("least_steps", 0)
    return replace(recipe, **given)
