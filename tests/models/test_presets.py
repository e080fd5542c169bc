"""Recipes are data."""

from __future__ import annotations

import json

import pytest

from digits.errors import ModelError
from digits.models.presets import (
    DEFAULT_PRESET,
    FAMILIES,
    PRESETS,
    Augment,
    Recipe,
    recipe_for,
)


def test_every_recipe_survives_json() -> None:
    for presets in PRESETS.values():
        for recipe in presets.values():
            stored = json.loads(json.dumps(recipe.settings()))
            again = Recipe.from_settings(stored)
            assert json.dumps(again.settings()) == json.dumps(recipe.settings())
            assert recipe.source
            assert recipe.reached


def test_every_family_has_its_default() -> None:
    for family in FAMILIES:
        assert recipe_for(family).preset == DEFAULT_PRESET[family]


def test_overrides_win_and_none_does_not() -> None:
    recipe = recipe_for("cnn", "notebook", epochs=3, batch_size=None, augment=False)
    assert (recipe.epochs, recipe.batch_size, recipe.augment) == (3, 186, None)
    assert recipe_for("dense", augment=True).augment == Augment()
    assert recipe_for("cnn", "notebook").optimizer_options == {"rho": 0.9}
    assert recipe_for("cnn", "notebook", optimizer="adam").optimizer_options == {}


def test_unknown_names() -> None:
    with pytest.raises(ModelError, match="no family 'gan'"):
        recipe_for("gan")
    with pytest.raises(ModelError, match="dense has no preset 'notebook'"):
        recipe_for("dense", "notebook")
    with pytest.raises(ModelError, match="settings"):
        Recipe.from_settings({"family": "dense", "surprise": 1})
