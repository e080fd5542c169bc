"""What recipes may ask of the fitting besides epochs: a falling rate, generated digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits import Recognizer, Splits, train
from digits.models.presets import recipe_for
from digits.models.recipe import Augment, Plateau, Recipe
from digits.training.fit import Examples, Observer, _cosine


def test_the_rate_falls_along_half_a_cosine(sample: Splits) -> None:
    trained = train(
        "dense", sample, preset="classic", limit=500, epochs=4, batch_size=64, learning_rate=0.01,
        cosine=True,
    )  # fmt: skip
    rates = [epoch.learning_rate for epoch in trained.history]
    expected = [0.005 * (1 + np.cos(np.pi * share)) for share in (0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_the_rate_rises_first_where_asked() -> None:
    recipe = recipe_for("cnn", "fast", learning_rate=0.02, cosine=True, warm_up=0.25)
    rate = _cosine(recipe, 40)
    rates = [float(rate(step)) for step in range(41)]
    np.testing.assert_allclose(rates[:11], np.linspace(0, 0.02, 11), atol=1e-7)
    falling = 0.01 * (1 + np.cos(np.pi * np.linspace(0, 1, 31)))
    np.testing.assert_allclose(rates[10:], falling, atol=1e-7)


def test_calm_epochs_show_pictures_as_they_are(sample: Splits) -> None:
    """Where all are pushed out of sight, a model learns in the calm epochs alone."""
    gone = Augment(rotation=180, zoom=0.999, shift=1, shear=30)
    options = {"limit": 1000, "epochs": 6, "learning_rate": 0.003, "batch_size": 32}
    blind = train("dense", sample, preset="classic", augment=gone, **options)
    calm = train("dense", sample, preset="classic", augment=gone, calm_epochs=6, **options)
    assert calm.scores[0].accuracy > blind.scores[0].accuracy + 0.15


def test_a_small_set_is_learned_for_longer(sample: Splits) -> None:
    trained = train("dense", sample, limit=300, least_steps=30, batch_size=100)
    assert len(trained.history) == trained.recipe.epochs == 10
    assert trained.metadata["settings"]["epochs"] == 10
    assert len(train("dense", sample, limit=300, epochs=2).history) == 2


def test_a_falling_rate_needs_no_plateau(sample: Splits) -> None:
    """A recipe with both, and a training that does not get on."""
    trained = train(
        "dense", sample, limit=400, epochs=4, learning_rate=1000.0, cosine=True,
        plateau=Plateau(patience=1), validation_fraction=0.1,
    )  # fmt: skip
    assert len(trained.history) == 4


def test_where_the_rate_falls_the_last_epoch_is_kept(sample: Splits) -> None:
    trained = train(
        "dense", sample, preset="classic", limit=600, epochs=8, learning_rate=0.02, cosine=True,
        validation_fraction=0.2, seed=2,
    )  # fmt: skip
    last, highest = trained.history[-1], max(e.val_accuracy or 0 for e in trained.history)
    assert last.val_accuracy is not None
    assert last.val_accuracy < highest, "the test needs a run whose last epoch is not its best"
    _, held = sample["train"].limit(600).held_out(0.2, 2)
    answers = Recognizer.from_program(trained.program, "x").probabilities(held.images)
    assert (answers.argmax(axis=1) == held.labels).mean() == pytest.approx(last.val_accuracy)


class _Watch(Observer):
    learned_from: Examples

    def started(self, model: Any, recipe: Recipe, train: Examples) -> None:
        self.learned_from = train


def test_generated_digits_are_learned_from_but_held_out_ones_are_real(sample: Splits) -> None:
    watch = _Watch()
    trained = train(
        "dense", sample, limit=400, epochs=1, generated=200, validation_fraction=0.1, observer=watch
    )
    learned = watch.learned_from
    real = sample["train"].limit(400)
    known = {image.tobytes() for image in real.images}
    is_real = np.array([image.tobytes() in known for image in learned.images])
    assert (len(learned), is_real.sum()) == (560, 360)
    assert np.bincount(learned.labels[~is_real], minlength=10).tolist() == [20] * 10
    assert 0.4 < is_real[:280].mean() < 0.9, "the generated ones stand together"
    assert trained.metadata["validation_pictures"] == 40
    assert trained.metadata["settings"]["generated"] == 200
    assert trained.metadata["data"][0]["pictures"] == 400  # whose pictures it has seen
    assert trained.seen.tolist() == real.digests.tolist()
