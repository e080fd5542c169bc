"""The recipes, as data: to compare two, read them side by side.

To add one, add an entry: `train --preset` and the tables of the README follow. Figures are means
over seeds (two of each best, three or more of the others) on MNIST's 10,000 test pictures, scored
once when a training had ended; nothing was chosen by them, neither recipe nor epoch nor seed.
"""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from .recipe import FAMILIES, JUDGE, Augment, Plateau, Recipe, with_overrides

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

_FAST: dict[str, Any] = {
    # One high rise and fall of the rate, a fast optimizer that forgets soon, few and large steps.
    "source": "one cycle of the rate (Smith, 2018), few epochs, batch normalization",
    "optimizer": "adam",
    "learning_rate": 1e-2,
    "optimizer_options": {"beta_1": 0.85, "beta_2": 0.95},
    "warm_up": 0.15,
    "cosine": True,
    "batch_size": 256,
    "least_steps": 400,
}
"""What the fast recipes have in common: done before the newcomer looks away."""

_BEST: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 2e-3,
    "cosine": True,
    "batch_size": 128,
    "validation_fraction": 0.05,
    "generated": 25_000,
    "augment": WILD,
}
"""What the recipes have in common that learn from everything there is, for as long as it helps."""

_RECIPES = (
    Recipe(
        family="dense",
        preset="classic",
        source="the multilayer perceptron of many first tutorials",
        reached="96.0 %",
        cost=4,
        architecture={"units": (32, 16)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        epochs=100,
    ),
    Recipe(
        family="dense",
        preset="fast",
        reached="98.4 %",
        cost=17,
        architecture={"units": (512, 256), "normalized": True, "momentum": 0.8},
        **_FAST,
        epochs=2,
    ),
    Recipe(
        family="dense",
        preset="best",
        source="a wide perceptron with batch normalization, taught like the best cnn",
        reached="99.3 %",
        cost=130,
        architecture={"units": (1024, 768, 256), "normalized": True},
        **_BEST,
        epochs=50,
        calm_epochs=8,
    ),
    Recipe(
        family="cnn",
        preset="classic",
        source="TensorFlow's 'Deep MNIST for Experts', without dropout",
        reached="98.7 %",
        cost=640,
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
        reached="99.3 %",
        cost=110,
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
        preset="fast",
        reached="99.2 %",
        cost=36,
        architecture={
            "fixed_filters": 8,
            "filters": (32,),
            "kernel_size": 3,
            "first_kernel_size": 3,
            "normalized": "after pooling",
            "units": 128,
            "normalized_units": True,
            "momentum": 0.8,
        },
        **_FAST | {"batch_size": 128, "learning_rate": 5e-3},  # one epoch has too few steps else
        epochs=1,
    ),
    Recipe(
        family="cnn",
        preset="best",
        source="stacked convolutions (as in VGG), for other people's pictures too",
        reached="99.5 %",
        cost=500,
        architecture={
            "filters": (32, 64, 128),
            "convolutions": (1, 2, 2),
            "kernel_size": 3,
            "first_kernel_size": 5,
            "normalized": "after pooling",
            "units": 128,
            "activation": "relu",
            "dropout": (0.3, 0.3),
        },
        **_BEST,
        epochs=24,
        calm_epochs=4,
    ),
    Recipe(
        family="rnn",
        preset="classic",
        source="the row-by-row SimpleRNN of Keras tutorials, with a stop rule",
        reached="95.1 %",
        cost=20,
        architecture={"units": (50,)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=50,
        epochs=20,  # a limit only: the stop rule ends it earlier
        shuffle=False,
        until_accuracy=0.95,
        check_every=500,
    ),
    Recipe(
        family="rnn",
        preset="fast",
        reached="97.9 %",
        cost=34,
        architecture={"units": (64,), "bidirectional": True, "summary": 64},
        **_FAST,
        epochs=2,
    ),
    Recipe(
        family="rnn",
        preset="best",
        source="two bidirectional SimpleRNN layers, all of whose rows are looked at in the end",
        reached="99.3 %",
        cost=250,
        architecture={"units": (128, 128), "bidirectional": True, "summary": 128},
        **_BEST,
        optimizer_options={"clipnorm": 1.0},  # a recurrent network's gradients may burst
        epochs=36,
        calm_epochs=6,
    ),
)
JUDGE_RECIPE = Recipe(
    family=JUDGE,
    preset="wild",
    source="small stacked convolutions (as in VGG), with an eleventh output for what is no digit",
    architecture={
        "filters": (24, 48, 64),
        "convolutions": (1, 2, 2),
        "kernel_size": 3,
        "normalized": True,
        "units": 128,
        "activation": "relu",
        "dropout": (0.2, 0.3),
    },
    **_BEST,
    epochs=9,
)
"""How the judge is trained: on digits and on about as many generated pictures without one."""

PRESETS: dict[str, dict[str, Recipe]] = {
    family: {r.preset: r for r in _RECIPES if r.family == family} for family in FAMILIES
}

DEFAULT_PRESET = dict.fromkeys(FAMILIES, "fast")
"""What `train` uses when none is named: the first training ends while one watches, and is better
than the tutorials' recipes. For the model that one keeps there is `best`."""


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
