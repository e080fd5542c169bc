"""The presets, and what can be asked of them."""

from __future__ import annotations

import json

import pytest

from digits.errors import ModelError
from digits.models.families import FAMILIES, REJECTOR
from digits.models.file import read
from digits.models.find import shipped_folder
from digits.training.presets import PRESETS, REJECTOR_RECIPE, STRONG_AUGMENT, recipe_for
from digits.training.recipe import OPTIMIZERS, Augment, Recipe, fine_tuning

ALL = [recipe for presets in PRESETS.values() for recipe in presets.values()]


@pytest.mark.parametrize("recipe", [*ALL, REJECTOR_RECIPE], ids=lambda r: f"{r.family} {r.preset}")
def test_every_preset(recipe: Recipe) -> None:
    stored = json.loads(json.dumps(recipe.settings()))
    again = Recipe.from_settings(stored)
    assert json.dumps(again.settings()) == json.dumps(recipe.settings())
    assert recipe.source
    assert recipe.optimizer in OPTIMIZERS
    assert not (recipe.cosine_decay and recipe.plateau), "the learning rate has two schedules"
    assert bool(recipe.plateau) <= bool(recipe.validation_fraction)
    assert recipe.low_augmentation_epochs < recipe.epochs


@pytest.mark.parametrize("recipe", ALL, ids=lambda r: f"{r.family} {r.preset}")
def test_every_preset_says_what_it_reached(recipe: Recipe) -> None:
    assert recipe.test_accuracy is not None
    assert 0.95 <= recipe.test_accuracy < 1
    assert recipe.estimated_seconds(60_000) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_default_takes_seconds_and_best_is_for_any_picture(family: str) -> None:
    default, best = recipe_for(family), recipe_for(family, "best")
    assert default.preset == "fast"
    assert default.estimated_seconds(60_000) < 10
    assert best.estimated_seconds(82_000) > 300
    assert best.augment == STRONG_AUGMENT
    assert best.generated_digits > 0
    assert best.validation_fraction > 0  # to calibrate on
    assert (best.test_accuracy or 0) > (default.test_accuracy or 0)


def test_overrides() -> None:
    recipe = recipe_for("cnn", "notebook", epochs=3, batch_size=None, augment=False)
    assert (recipe.epochs, recipe.batch_size, recipe.augment) == (3, 186, None)
    assert recipe_for("dense", augment=True).augment == Augment()
    assert recipe_for("dense", "best", augment=True).augment == STRONG_AUGMENT
    assert recipe_for("cnn", "notebook").optimizer_options == {"rho": 0.9}
    assert recipe_for("cnn", "notebook", optimizer="adam").optimizer_options == {}


def test_other_epochs_keep_the_proportion_of_low_augmentation() -> None:
    recipe = recipe_for("cnn", "best")
    assert recipe.low_augmentation_epochs * 6 == recipe.epochs
    assert recipe_for("cnn", "best", epochs=12).low_augmentation_epochs == 2
    assert recipe_for("cnn", "best", epochs=1).low_augmentation_epochs == 0
    asked = recipe_for("cnn", "best", epochs=12, low_augmentation_epochs=5)
    assert asked.low_augmentation_epochs == 5


def test_a_small_set_gets_more_epochs() -> None:
    recipe = recipe_for("cnn", "fast")
    assert recipe.for_size(60_000) is recipe
    small = recipe.for_size(4_000)
    assert small.epochs == 13  # of 32 steps each: 416
    assert small.for_size(4_000) == small
    assert recipe.for_size(1).epochs == recipe.min_steps
    assert recipe_for("cnn", "fast", epochs=3).for_size(4_000).epochs == 3  # asked for
    best = recipe_for("cnn", "best")
    assert best.for_size(1) is best


def test_unknown_names() -> None:
    with pytest.raises(ModelError, match="no family 'gan'"):
        recipe_for("gan")
    with pytest.raises(ModelError, match="dense has no preset 'notebook'"):
        recipe_for("dense", "notebook")
    with pytest.raises(ModelError, match="no family 'rejector'"):
        recipe_for(REJECTOR)


@pytest.mark.parametrize("family", [*FAMILIES, REJECTOR])
def test_shipped_models_can_be_fine_tuned(family: str) -> None:
    settings = read(shipped_folder() / f"{family}.h5").metadata.settings
    assert settings is not None
    recipe = Recipe.from_settings(settings)
    assert (recipe.family, recipe.preset) == (family, "best")
    tuned = fine_tuning(recipe)
    assert tuned.epochs < recipe.epochs
    assert tuned.learning_rate < recipe.learning_rate
    assert tuned.architecture == recipe.architecture


def test_settings_of_other_versions() -> None:
    """Earlier versions have fewer fields; a field that is missing was not used."""
    stored = recipe_for("cnn", "notebook").settings()
    del stored["cosine_decay"], stored["generated_digits"]
    stored["augment"] = {"rotation": 10, "zoom": 0.1, "shift": 0.1}
    recipe = Recipe.from_settings(stored)
    assert recipe.augment == Augment()
    assert (recipe.cosine_decay, recipe.generated_digits) == (False, 0)
    stored["augment"]["surprise"] = 1
    for unknown in (stored, {"family": "dense", "surprise": 1}):
        with pytest.raises(ModelError, match="settings are not understood"):
            Recipe.from_settings(unknown)
