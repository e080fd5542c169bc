"""Recipes are data."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from digits.errors import ModelError
from digits.models.presets import DEFAULT_PRESET, JUDGE_RECIPE, PRESETS, WILD, recipe_for
from digits.models.recipe import FAMILIES, JUDGE, OUTPUTS, Augment, Recipe


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


@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_recipes_are_for_any_picture(family: str) -> None:
    recipe = recipe_for(family, "best")
    assert recipe.augment == WILD
    assert recipe.generated > 0
    assert recipe.validation_fraction > 0  # without it nothing could be calibrated
    assert recipe_for(family, "best", augment=True).augment == WILD
    assert recipe_for(family, "best", augment=False, generated=0).generated == 0


def test_the_default_is_fast_in_every_family() -> None:
    for family in FAMILIES:
        recipe = recipe_for(family)
        assert recipe.preset == "fast"
        assert recipe.expected_seconds(60_000) < 10
        assert recipe_for(family, "best").expected_seconds(82_000) > 300


def test_a_small_set_gets_more_epochs() -> None:
    recipe = recipe_for("cnn", "fast")
    assert recipe.for_pictures(60_000) is recipe
    small = recipe.for_pictures(4_000)
    assert small.epochs == 13  # of 32 steps each: 416
    assert small.for_pictures(4_000) == small
    assert recipe.for_pictures(1).epochs == recipe.least_steps
    assert recipe_for("cnn", "fast", epochs=3).for_pictures(4_000).epochs == 3  # asked for
    best = recipe_for("cnn", "best")
    assert best.for_pictures(1) is best


def test_the_calm_end_keeps_its_share() -> None:
    recipe = recipe_for("cnn", "best")
    assert recipe.calm_epochs * 6 == recipe.epochs == 24
    assert recipe_for("cnn", "best", epochs=12).calm_epochs == 2
    assert recipe_for("cnn", "best", epochs=1).calm_epochs == 0
    assert recipe_for("cnn", "best", epochs=12, calm_epochs=5).calm_epochs == 5


def test_what_is_said_of_a_recipe_is_no_setting() -> None:
    assert not {"reached", "cost"} & set(recipe_for("cnn", "best").settings())


def test_a_rate_falls_in_one_way_only() -> None:
    for presets in PRESETS.values():
        for recipe in presets.values():
            assert not (recipe.cosine and recipe.plateau)


def test_the_judge_is_no_family_to_choose() -> None:
    assert {**dict.fromkeys(FAMILIES, 10), JUDGE: 11} == OUTPUTS
    assert JUDGE_RECIPE.family == JUDGE
    assert JUDGE_RECIPE.generated == recipe_for("cnn", "best").generated
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
