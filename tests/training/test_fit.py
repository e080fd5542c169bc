"""Fitting by a recipe: schedules, early stopping, the best epoch, interruption."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

from digits import Dataset, Splits
from digits.models._keras import import_keras
from digits.models.families import build
from digits.models.metadata import Epoch
from digits.training.fit import Callback, Examples, Fitted, fit, learning_rate_schedule
from digits.training.recipe import Augment, Plateau, Recipe

DENSE = Recipe(
    family="dense",
    preset="test",
    source="a small dense network",
    architecture={"units": (32,)},
    optimizer="adam",
    learning_rate=0.003,
    batch_size=50,
    epochs=3,
)


def recipe(**fields: Any) -> Recipe:
    return Recipe(**{**{n: getattr(DENSE, n) for n in DENSE.__dataclass_fields__}, **fields})


def fitted(
    recipe: Recipe,
    train: Dataset,
    validation: Dataset | None = None,
    *,
    seed: int = 0,
    callback: Callback | None = None,
) -> tuple[Any, Fitted]:
    """A new model and how its fitting went."""
    import_keras().utils.set_random_seed(seed)
    model = build(recipe.family, recipe.architecture)
    return model, fit(model, recipe, train, validation, seed=seed, callback=callback)


def weights(model: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([w.ravel() for w in model.get_weights()])


def accuracy(model: Any, data: Dataset) -> float:
    answers = model.predict(data.images, batch_size=1000, verbose=0).argmax(axis=1)
    return float((answers == data.labels).mean())


@pytest.fixture(scope="module")
def small(sample: Splits) -> Dataset:
    return sample["train"].limit(600)


@pytest.mark.parametrize(
    ("family", "architecture", "epochs", "expected"),
    [
        ("dense", {"units": (32,)}, 10, 0.85),
        ("cnn", {"filters": (8, 16), "kernel_size": 3, "units": 32}, 4, 0.9),
        ("rnn", {"units": (50,)}, 4, 0.7),
    ],
)
def test_every_family_learns(
    sample: Splits, family: str, architecture: dict[str, Any], epochs: int, expected: float
) -> None:
    used = recipe(family=family, architecture=architecture, epochs=epochs)
    model, _ = fitted(used, sample["train"].limit(2500))
    assert accuracy(model, sample["test"]) > expected


def test_a_seed_decides_the_weights(small: Dataset) -> None:
    used = recipe(epochs=2, augment=Augment(), architecture={"units": (16,), "normalized": True})
    first, second, other = (weights(fitted(used, small, seed=seed)[0]) for seed in (3, 3, 4))
    assert (first == second).all()
    assert (first != other).any()


def test_the_learning_rate_decays_along_half_a_cosine(small: Dataset) -> None:
    _, result = fitted(recipe(epochs=4, learning_rate=0.01, cosine_decay=True), small)
    rates = [epoch.learning_rate for epoch in result.history]
    expected = [0.005 * (1 + np.cos(np.pi * fraction)) for fraction in (0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_the_learning_rate_warms_up_first() -> None:
    schedule = learning_rate_schedule(
        recipe(learning_rate=0.02, cosine_decay=True, warmup_fraction=0.25), 40
    )
    rates = [float(schedule(step)) for step in range(41)]
    np.testing.assert_allclose(rates[:11], np.linspace(0, 0.02, 11), atol=1e-7)
    decay = 0.01 * (1 + np.cos(np.pi * np.linspace(0, 1, 31)))
    np.testing.assert_allclose(rates[10:], decay, atol=1e-7)


def test_optimizer_options_are_used(small: Dataset) -> None:
    plain = recipe(epochs=1, optimizer="sgd", learning_rate=0.01)
    momentum = recipe(
        epochs=1, optimizer="sgd", learning_rate=0.01, optimizer_options={"momentum": 0.9}
    )
    losses = [fitted(used, small)[1].history[0].loss for used in (plain, momentum)]
    assert losses[1] < losses[0]


def test_low_augmentation_epochs_show_unaugmented_images(small: Dataset) -> None:
    """Augmentation that moves every digit out of sight: only unaugmented images can be learned."""
    gone = Augment(rotation=180, zoom=0.999, shift=1, shear=30)
    used = {"epochs": 8, "batch_size": 32, "augment": gone}
    blind, _ = fitted(recipe(**used), small)
    low, _ = fitted(recipe(**used, low_augmentation_epochs=8), small)
    assert accuracy(low, small) > accuracy(blind, small) + 0.15


@pytest.fixture(scope="module")
def worsening(small: Dataset) -> tuple[Dataset, Dataset]:
    """A training set, and a validation set with wrong labels: its accuracy falls as one learns."""
    train, held_out = small.held_out(0.5, 0)
    return train, Dataset(held_out.images, (held_out.labels + 1) % 10)


def test_the_best_validation_epoch_is_kept(worsening: tuple[Dataset, Dataset]) -> None:
    train, validation = worsening
    model, result = fitted(recipe(epochs=6), train, validation)
    best = max(result.history, key=lambda e: (e.val_accuracy, -(e.val_loss or 0)))
    assert result.history[-1] != best
    assert [e for e in result.history if e.best][-1] == best
    assert accuracy(model, validation) == pytest.approx(best.val_accuracy)


def test_the_last_epoch_is_kept_when_the_learning_rate_decays(
    worsening: tuple[Dataset, Dataset],
) -> None:
    train, validation = worsening
    model, result = fitted(recipe(epochs=6, cosine_decay=True), train, validation)
    last = result.history[-1]
    assert last.val_accuracy is not None
    assert last.val_accuracy < max(e.val_accuracy or 0 for e in result.history)
    assert accuracy(model, validation) == pytest.approx(last.val_accuracy)


def test_a_plateau_reduces_the_learning_rate(small: Dataset) -> None:
    train, held_out = small.held_out(0.1, 0)
    stuck = {"epochs": 4, "learning_rate": 1000.0, "plateau": Plateau(factor=0.5, patience=1)}
    _, result = fitted(recipe(**stuck), train, held_out)
    assert result.history[-1].learning_rate < 1000
    _, decayed = fitted(recipe(**stuck, cosine_decay=True), train, held_out)
    assert len(decayed.history) == 4  # both together: the plateau is ignored


def test_training_stops_above_an_accuracy(small: Dataset) -> None:
    train, held_out = small.held_out(0.2, 0)
    used = recipe(epochs=50, until_accuracy=0.8)
    model, result = fitted(used, small)
    assert len(result.history) < 50
    assert accuracy(model, small) > 0.8
    _, result = fitted(used, train, held_out)
    assert len(result.history) < 50
    *earlier, last = [epoch.val_accuracy or 0 for epoch in result.history]
    assert last > 0.8 >= max(earlier)


@pytest.mark.parametrize("images", [600, 610])  # with and without a smaller last batch
def test_the_accuracy_can_be_checked_between_epochs(sample: Splits, images: int) -> None:
    train = sample["train"].limit(images)
    progress: list[float] = []

    class Watch(Callback):
        def on_progress(self, epoch: int, fraction: float) -> None:
            progress.append(epoch - 1 + fraction)

    used = recipe(epochs=50, until_accuracy=0.6, check_every=5)
    model, result = fitted(used, train, callback=Watch())
    assert len(result.history) < 50
    assert accuracy(model, train) > 0.6
    assert progress == sorted(progress)


class _Interrupt(Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_progress(self, epoch: int, fraction: float) -> None:
        if epoch == self.epoch and threading.current_thread() is threading.main_thread():
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_keeps_the_best_epoch(small: Dataset) -> None:
    model, result = fitted(recipe(epochs=50), small, callback=_Interrupt(epoch=4))
    assert result.interrupted
    assert len(result.history) == 3
    three, uninterrupted = fitted(recipe(epochs=3), small)
    assert not uninterrupted.interrupted
    assert (weights(model) == weights(three)).all()
    with pytest.raises(KeyboardInterrupt):
        fitted(recipe(), small, callback=_Interrupt(epoch=1))


def test_a_callback_follows_the_training(small: Dataset) -> None:
    class Log(Callback):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def on_train_begin(self, model: Any, recipe: Recipe, train: Examples) -> None:
            self.calls.append("begin")  # not by `fit`: its caller knows when the model is built

        def on_progress(self, epoch: int, fraction: float) -> None:
            if fraction == 1:
                self.calls.append(f"{epoch} done")

        def on_epoch_end(self, epoch: Epoch) -> None:
            self.calls.append(f"{epoch.epoch} ended")

        def on_train_end(self) -> None:
            self.calls.append("end")

    log = Log()
    fitted(recipe(epochs=2), small, callback=log)
    assert log.calls == ["1 done", "1 ended", "2 done", "2 ended", "end"]
