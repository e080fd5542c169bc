"""The optimizer of a recipe, and how its learning rate falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..models._keras import import_keras
from ..models.metadata import Epoch
from .recipe import Plateau, Recipe

STEPS_PER_EXECUTION = 32
"""Training steps in one call of the compiled function; a small model trains twice as fast."""

MIN_IMPROVEMENT = 1e-4
"""Validation accuracy that counts as progress, as in Keras' `ReduceLROnPlateau`."""


def compile_for_training(
    model: Any, recipe: Recipe, epoch_steps: int, soft_labels: bool = False
) -> None:
    """Give a Keras model the optimizer, loss and metric of `recipe`.

    Args:
        model: The model to train.
        recipe: Says how.
        epoch_steps: Steps of an epoch.
        soft_labels: Whether the labels are probabilities of the classes, not classes.
    """
    rate = recipe.learning_rate
    if recipe.cosine_decay:
        rate = learning_rate_schedule(recipe, epoch_steps * recipe.epochs)
    options = {"learning_rate": rate, **recipe.optimizer_options}
    model.compile(
        optimizer=import_keras().optimizers.get(
            {"class_name": recipe.optimizer, "config": options}
        ),
        loss=f"{'' if soft_labels else 'sparse_'}categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=_steps_per_execution(recipe, epoch_steps),
    )


def learning_rate_schedule(recipe: Recipe, steps: int) -> Any:
    """The Keras schedule over `steps`: a linear warm-up, then half a cosine down to 0."""
    schedule = import_keras().optimizers.schedules.CosineDecay
    warmup = round(recipe.warmup_fraction * steps)
    if not warmup:
        return schedule(recipe.learning_rate, steps)
    return schedule(0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup)


def _steps_per_execution(recipe: Recipe, epoch_steps: int) -> int:
    """At most an epoch, and a divisor of `check_every`, so that checks fall between two calls."""
    steps = min(STEPS_PER_EXECUTION, epoch_steps)
    if recipe.check_every:
        steps = next(n for n in range(steps, 0, -1) if recipe.check_every % n == 0)
    return steps


def is_at_plateau(history: Sequence[Epoch], plateau: Plateau) -> bool:
    """Whether the learning rate is to be reduced after the last epoch of `history`.

    That is when the validation accuracy has not improved for `plateau.patience` epochs, as in
    Keras' `ReduceLROnPlateau`, but without a state of its own: it follows from the history.
    """
    best, waited, reached = -math.inf, 0, False
    for epoch in history:
        accuracy = epoch.val_accuracy
        if accuracy is None:
            return False
        improved = accuracy > best + MIN_IMPROVEMENT
        best, waited = (accuracy, 0) if improved else (best, waited + 1)
        reached = waited >= plateau.patience
        waited = 0 if reached else waited
    return reached
