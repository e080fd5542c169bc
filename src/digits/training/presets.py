"""The presets, as data: compare two by reading them side by side.

A new preset is a new entry; `digits train --preset` and the tables of the README follow. Each
`test_accuracy` is the mean over seeds (two for `best`, at least three for the others) on MNIST's
10,000 test images, scored once after training: they chose no recipe, no epoch and no seed. How it
was measured is in benchmarks/RESULTS.md.
"""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from ..models.families import FAMILIES, REJECTOR
from .recipe import Augment, Plateau, Recipe, with_overrides

STRONG_AUGMENT = Augment(
    rotation=12,
    zoom=0.12,
    shift=0.06,
    shear=0.2,
    elastic=0.9,
    stretch=0.2,
    photometric=0.5,
    stroke=1.0,
    neighbors=0.1,
    frame=0.07,
    coarse=0.2,
    blur=1.0,
    contrast=0.3,
    noise=25,
)
"""MNIST made to look like preprocessed photos and scans of other people's digits."""

_FAST: dict[str, Any] = {
    "source": "one cycle of the learning rate (Smith, 2018), few epochs, batch normalization",
    "optimizer": "adam",
    "learning_rate": 1e-2,
    "optimizer_options": {"beta_1": 0.85, "beta_2": 0.95},  # few steps: averages must adapt fast
    "warmup_fraction": 0.15,
    "cosine_decay": True,
    "batch_size": 256,
    "min_steps": 400,
    "validation_fraction": 0.05,
}
"""Common to the fast presets: a good MNIST model in seconds."""

_BEST: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 2e-3,
    "cosine_decay": True,
    "batch_size": 128,
    "validation_fraction": 0.05,
    "generated_digits": 25_000,
    "augment": STRONG_AUGMENT,
}
"""Common to the best presets: the shipped models, for any picture of a digit."""

_RECIPES = (
    Recipe(
        family="dense",
        preset="classic",
        source="the multilayer perceptron of many first tutorials",
        test_accuracy=0.960,
        image_microseconds=4,
        architecture={"units": (32, 16)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        epochs=100,
    ),
    Recipe(
        family="dense",
        preset="fast",
        test_accuracy=0.984,
        image_microseconds=17,
        architecture={"units": (512, 256), "normalized": True, "momentum": 0.8},
        **_FAST,
        epochs=2,
    ),
    Recipe(
        family="dense",
        preset="best",
        source="a wide perceptron with batch normalization, trained like the best cnn",
        test_accuracy=0.993,
        image_microseconds=130,
        architecture={"units": (1024, 768, 256), "normalized": True},
        **_BEST,
        epochs=50,
        low_augmentation_epochs=8,
    ),
    Recipe(
        family="cnn",
        preset="classic",
        source="TensorFlow's 'Deep MNIST for Experts', without dropout",
        test_accuracy=0.987,
        image_microseconds=640,
        architecture={
            "filters": (32, 64),
            "kernel_size": 5,
            "units": 1024,
            "activation": None,  # the dense layer is linear in the original
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
        test_accuracy=0.993,
        image_microseconds=110,
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
        plateau=Plateau(factor=0.5, patience=3, min_learning_rate=1e-5),
    ),
    Recipe(
        family="cnn",
        preset="fast",
        test_accuracy=0.992,
        image_microseconds=36,
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
        **_FAST | {"batch_size": 128, "learning_rate": 5e-3},  # one epoch of 256 has too few steps
        epochs=1,
    ),
    Recipe(
        family="cnn",
        preset="best",
        source="stacked convolutions (as in VGG), for other people's pictures too",
        test_accuracy=0.995,
        image_microseconds=500,
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
        low_augmentation_epochs=4,
    ),
    Recipe(
        family="rnn",
        preset="classic",
        source="the row-by-row SimpleRNN of Keras tutorials, stopped at 95 %",
        test_accuracy=0.951,
        image_microseconds=20,
        architecture={"units": (50,)},
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=50,
        epochs=20,  # an upper limit: until_accuracy stops it earlier
        shuffle=False,
        until_accuracy=0.95,
        check_every=500,
    ),
    Recipe(
        family="rnn",
        preset="fast",
        test_accuracy=0.979,
        image_microseconds=34,
        architecture={"units": (64,), "bidirectional": True, "summary": 64},
        **_FAST,
        epochs=2,
    ),
    Recipe(
        family="rnn",
        preset="best",
        source="two bidirectional SimpleRNN layers and a dense layer over all rows",
        test_accuracy=0.993,
        image_microseconds=250,
        architecture={"units": (128, 128), "bidirectional": True, "summary": 128},
        **_BEST,
        optimizer_options={"clipnorm": 1.0},  # gradients of recurrent networks may explode
        epochs=36,
        low_augmentation_epochs=6,
    ),
)

REJECTOR_RECIPE = Recipe(
    family=REJECTOR,
    preset="best",
    source='small stacked convolutions (as in VGG), with an eleventh output for "no digit"',
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
"""The rejector, trained on digits and about as many generated images without a digit."""

PRESETS: dict[str, dict[str, Recipe]] = {
    family: {r.preset: r for r in _RECIPES if r.family == family} for family in FAMILIES
}

DEFAULT_PRESET = "fast"
"""Of every family: a first training takes seconds and beats the tutorials' recipes."""


def recipe_for(family: str, preset: str | None = None, **overrides: Any) -> Recipe:
    """The recipe of a preset, with overrides.

    Args:
        family: `dense`, `cnn` or `rnn`.
        preset: Name of the preset; `DEFAULT_PRESET` when None.
        overrides: Fields of `Recipe`, see `with_overrides`.

    Raises:
        ModelError: There is no such family or preset.
    """
    if family not in PRESETS:
        raise ModelError(f"there is no family '{family}'", f"Choose {', '.join(FAMILIES)}")
    preset = preset or DEFAULT_PRESET
    if preset not in PRESETS[family]:
        known = ", ".join(PRESETS[family])
        raise ModelError(f"{family} has no preset '{preset}'", f"Choose one of: {known}")
    return with_overrides(PRESETS[family][preset], **overrides)
