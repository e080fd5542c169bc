"""The recipes, as data: everything that decides what a model is and how it is trained.

To compare two, read them side by side. To add one, add an entry: `train --preset` and the tables
of the README follow. Figures are on MNIST's 10,000 test pictures, mean of three seeds, last epoch
or best validation epoch; none was chosen by the test set.
"""

from __future__ import annotations

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


WILD = Augment(
    rotation=12,
    zoom=0.12,
    shift=0.06,
    shear=0.2,
    elastic=0.9,
    stretch=0.2,
    wild=0.5,
    stroke=1.0,
    neighbours=0.1,
    frame=0.07,
    coarse=0.2,
    blur=1.0,
    contrast=0.3,
    noise=25,
)
"""What other people's pictures look like after the picture room has read them."""


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
    batch_size: int
    epochs: int
    shuffle: bool = True
    validation_fraction: float = 0.0
    generated: int = 0  # so many digits of generated handwriting are added to the training set
    augment: Augment | None = None
    plateau: Plateau | None = None
    # Stop above this accuracy on the validation pictures, or on the training set without them;
    # checked every so many steps, or after every epoch when None.
    until_accuracy: float | None = None
    check_every: int | None = None
    reached: str = ""  # what it reached on MNIST, and what that took; not a setting

    def settings(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "reached"}

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


_RECIPES = (
    Recipe(
        family="dense",
        preset="classic",
        source="the multilayer perceptron of many first tutorials",
        reached="96.2 % in 30 s",
        architecture={"units": (32, 16)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        epochs=100,
    ),
    Recipe(
        family="cnn",
        preset="classic",
        source="TensorFlow's 'Deep MNIST for Experts', without dropout",
        reached="99.0 % in 190 s",
        architecture={
            "filters": (32, 64),
            "kernel_size": 5,
            "units": 1024,
            "activation": None,  # of the dense layer: linear in the original
        },
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=32,
        epochs=5,
    ),
    Recipe(
        family="cnn",
        preset="notebook",
        source="a much-copied notebook: two convolutions, dropout, augmentation",
        reached="99.3 % in 60 s",
        architecture={
            "filters": (16, 36),
            "kernel_size": 5,
            "units": 128,
            "activation": "relu",
            "dropout": (0.25, 0.5),  # before and after the dense layer
        },
        optimizer="rmsprop",
        learning_rate=1e-3,
        optimizer_options={"rho": 0.9},
        batch_size=186,
        epochs=10,
        validation_fraction=0.05,
        augment=Augment(rotation=10, zoom=0.1, shift=0.1),
        plateau=Plateau(factor=0.5, patience=3, floor=1e-5),
    ),
    Recipe(
        family="cnn",
        preset="wild",
        source="small stacked convolutions (as in VGG), for other people's pictures",
        reached="99.4 % in 7 min, and 97 to 100 % of other people's digits",
        architecture={
            "filters": (24, 48, 64),
            "convolutions": (1, 2, 2),
            "kernel_size": 3,
            "normalized": True,
            "units": 128,
            "activation": "relu",
            "dropout": (0.2, 0.3),
        },
        optimizer="adam",
        learning_rate=2e-3,
        cosine=True,
        batch_size=128,
        epochs=14,
        validation_fraction=0.05,
        generated=25_000,
        augment=WILD,
    ),
    Recipe(
        family="rnn",
        preset="classic",
        source="the row-by-row SimpleRNN of Keras tutorials, with a stop rule",
        reached="95 % in 13 s",
        architecture={"units": (50,)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=50,
        epochs=20,  # a limit only: the stop rule ends it earlier
        shuffle=False,
        until_accuracy=0.95,
        check_every=500,
    ),
)
JUDGE_RECIPE = replace(
    next(r for r in _RECIPES if (r.family, r.preset) == ("cnn", "wild")),
    family=JUDGE,
    source="the wild cnn, with one output more",
    epochs=9,
)
"""How the judge is trained: on digits and on about as many generated pictures without one."""

PRESETS: dict[str, dict[str, Recipe]] = {
    family: {r.preset: r for r in _RECIPES if r.family == family} for family in FAMILIES
}

DEFAULT_PRESET = {"dense": "classic", "cnn": "notebook", "rnn": "classic"}
"""What `train` uses when none is named. Of the cnn's two, `notebook` is both better and faster."""


def recipe_for(family: str, preset: str | None = None, **overrides: Any) -> Recipe:
    """The recipe of a preset (the family's default when None) with `overrides` that are not None.

    Raises ModelError when there is no such family or preset.
    """
    if family not in PRESETS:
        raise ModelError(f"there is no family '{family}'", f"Choose {', '.join(FAMILIES)}")
    preset = preset or DEFAULT_PRESET[family]
    if preset not in PRESETS[family]:
        known = ", ".join(PRESETS[family])
        raise ModelError(f"{family} has no preset '{preset}'", f"Choose one of: {known}")
    return with_overrides(PRESETS[family][preset], **overrides)


def with_overrides(recipe: Recipe, **overrides: Any) -> Recipe:
    """`recipe` with those `overrides` that are not None; other optimizers lose its options.

    `augment` may also be True (the default `Augment`) or False (none).
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if isinstance(given.get("augment"), bool):
        given["augment"] = (recipe.augment or Augment()) if given["augment"] else None
    if given.get("optimizer", recipe.optimizer) != recipe.optimizer:
        given["optimizer_options"] = {}
    return replace(recipe, **given)
