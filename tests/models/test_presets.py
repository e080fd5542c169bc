"""Recipes are data."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from digits.errors import ModelError
from digits.models.presets import (
    DEFAULT_PRESET,
    FAMILIES,
    JUDGE,
    JUDGE_RECIPE,
    OUTPUTS,
    PRESETS,
    WILD,
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


def test_variation_is_gentle_unless_asked_for_more() -> None:
    """What earlier recipes had: turned, zoomed and shifted, nothing else."""
    given = {name: value for name, value in asdict(Augment()).items() if value}
    assert given == {"rotation": 10, "zoom": 0.1, "shift": 0.1}
    assert all(value > 0 for value in asdict(WILD).values())
    shares = ("stretch", "wild", "neighbours", "frame", "coarse", "blur")
    assert all(getattr(WILD, name) <= 1 for name in shares)


def test_the_wild_recipe() -> None:
    recipe = recipe_for("cnn", "wild")
    assert recipe.augment == WILD
    assert recipe.generated > 0
    assert recipe.validation_fraction > 0  # without it nothing could be calibrated
    assert recipe_for("cnn", "wild", augment=True).augment == WILD
    assert recipe_for("cnn", "wild", augment=False, generated=0).generated == 0


def test_a_rate_falls_in_one_way_only() -> None:
    for presets in PRESETS.values():
        for recipe in presets.values():
            assert not (recipe.cosine and recipe.plateau)


def test_the_judge_is_no_family_to_choose() -> None:
    assert {**dict.fromkeys(FAMILIES, 10), JUDGE: 11} == OUTPUTS
    assert JUDGE_RECIPE.family == JUDGE
    assert JUDGE_RECIPE.architecture == recipe_for("cnn", "wild").architecture
    assert JUDGE_RECIPE.generated == recipe_for("cnn", "wild").generated
    stored = json.loads(json.dumps(JUDGE_RECIPE.settings()))
    assert Recipe.from_settings(stored).augment == WILD
    with pytest.raises(ModelError, match="no family 'judge'"):
        recipe_for(JUDGE)


def test_settings_of_earlier_versions_are_understood() -> None:
    """They know fewer fields; what they do not name was not done."""
    stored = recipe_for("cnn", "notebook").settings()
    del stored["cosine"], stored["generated"]
    stored["augment"] = {"rotation": 10, "zoom": 0.1, "shift": 0.1}
    assert Recipe.from_settings(stored).augment == Augment()
    assert (Recipe.from_settings(stored).cosine, Recipe.from_settings(stored).generated) == (0, 0)
    stored["augment"]["surprise"] = 1
    with pytest.raises(ModelError, match="settings are not understood"):
        Recipe.from_settings(stored)
