"""Fitting by a recipe: schedules, early stopping, the best epoch, going on after a stop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from digits import Dataset, ModelError, Splits
from digits.models._keras import import_keras
from digits.models.families import build
from digits.models.metadata import Epoch
from digits.training.callback import Callback
from digits.training.curve import POINTS, VALIDATIONS
from digits.training.fit import FitState, fit
from digits.training.optimizer import is_at_plateau, learning_rate_schedule
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
    **options: Any,
) -> tuple[Any, tuple[Epoch, ...]]:
    """A new model and the history of its fitting."""
    import_keras().utils.set_random_seed(seed)
    model = build(recipe.family, recipe.architecture)
    return model, fit(model, recipe, train, validation, seed=seed, **options)


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
    _, history = fitted(recipe(epochs=4, learning_rate=0.01, cosine_decay=True), small)
    rates = [epoch.learning_rate for epoch in history]
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
    losses = [fitted(used, small)[1][0].loss for used in (plain, momentum)]
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
    model, history = fitted(recipe(epochs=6), train, validation)
    best = max(history, key=lambda e: (e.val_accuracy, -(e.val_loss or 0)))
    assert history[-1] != best
    assert [e for e in history if e.best][-1] == best
    assert accuracy(model, validation) == pytest.approx(best.val_accuracy)


def test_the_last_epoch_is_kept_when_the_learning_rate_decays(
    worsening: tuple[Dataset, Dataset],
) -> None:
    train, validation = worsening
    model, history = fitted(recipe(epochs=6, cosine_decay=True), train, validation)
    last = history[-1]
    assert last.val_accuracy is not None
    assert last.val_accuracy < max(e.val_accuracy or 0 for e in history)
    assert accuracy(model, validation) == pytest.approx(last.val_accuracy)


def test_a_plateau_reduces_the_learning_rate(small: Dataset) -> None:
    train, held_out = small.held_out(0.1, 0)
    stuck = {"epochs": 4, "learning_rate": 1000.0, "plateau": Plateau(factor=0.5, patience=1)}
    _, history = fitted(recipe(**stuck), train, held_out)
    assert history[-1].learning_rate < 1000
    _, decayed = fitted(recipe(**stuck, cosine_decay=True), train, held_out)
    assert len(decayed) == 4  # both together: the plateau is ignored


def test_training_stops_above_an_accuracy(small: Dataset) -> None:
    train, held_out = small.held_out(0.2, 0)
    used = recipe(epochs=50, until_accuracy=0.8)
    model, history = fitted(used, small)
    assert len(history) < 50
    assert accuracy(model, small) > 0.8
    _, history = fitted(used, train, held_out)
    assert len(history) < 50
    *earlier, last = [epoch.val_accuracy or 0 for epoch in history]
    assert last > 0.8 >= max(earlier)


@pytest.mark.parametrize("images", [600, 610])  # with and without a smaller last batch
def test_the_accuracy_can_be_checked_between_epochs(sample: Splits, images: int) -> None:
    train = sample["train"].limit(images)
    progress: list[float] = []

    class Watch(Callback):
        def on_progress(self, epoch: int, fraction: float) -> None:
            progress.append(epoch - 1 + fraction)

    used = recipe(epochs=50, until_accuracy=0.6, check_every=5)
    model, history = fitted(used, train, callback=Watch())
    assert len(history) < 50
    assert accuracy(model, train) > 0.6
    assert progress == sorted(progress)


RESUMED = {
    "dropout, augmentation": recipe(
        family="cnn",
        architecture={
            "filters": (4,), "kernel_size": 3, "units": 8, "dropout": (0.3, 0.3),
            "normalized": True,
        },
        epochs=2, batch_size=10, cosine_decay=True, warmup_fraction=0.2,
        augment=Augment(elastic=1.0, photometric=0.5), low_augmentation_epochs=1,
    ),
    "a plateau": recipe(
        epochs=3, batch_size=10, plateau=Plateau(factor=0.5, patience=1), learning_rate=0.1
    ),
    "stops in an epoch": recipe(epochs=9, batch_size=10, until_accuracy=0.85, check_every=12),
    "stops after an epoch": recipe(epochs=9, batch_size=10, until_accuracy=0.85),
    "in order": recipe(epochs=2, batch_size=10, shuffle=False),
    "rnn": recipe(family="rnn", architecture={"units": (8,)}, epochs=2, batch_size=10),
}  # fmt: skip


def _results(model: Any, history: tuple[Epoch, ...]) -> Any:
    return weights(model).tolist(), [{**asdict(epoch), "seconds": 0} for epoch in history]


@pytest.mark.parametrize("used", RESUMED.values(), ids=RESUMED.keys())
def test_a_training_goes_on_as_if_never_stopped(small: Dataset, used: Recipe) -> None:
    """From the end of an epoch and from its middle, with the same weights, bit for bit."""
    train, held_out = small.held_out(0.2, 0)
    expected = _results(*fitted(used, train, held_out, seed=3))
    states: list[FitState] = []
    fitted(used, train, held_out, seed=3, save=states.append, save_seconds=0.0)
    between = [state for state in states if state.step]
    for state in (between[0], states[len(states) // 2], states[-1]):
        assert _results(*fitted(used, train, held_out, seed=3, start=state)) == expected


def test_a_state_of_another_model_is_refused(small: Dataset) -> None:
    states: list[FitState] = []
    fitted(recipe(epochs=1), small, save=states.append)
    other = recipe(epochs=2, architecture={"units": (33,)})
    with pytest.raises(ModelError, match="of another model"):
        fitted(other, small, start=states[0])


def test_a_check_between_epochs_leaves_their_figures_alone(small: Dataset) -> None:
    plain = recipe(epochs=1, batch_size=10)
    checked = recipe(epochs=1, batch_size=10, until_accuracy=0.999, check_every=20)
    (one,), (other,) = (fitted(used, small)[1] for used in (plain, checked))
    assert (one.loss, one.accuracy) == (other.loss, other.accuracy)


def test_a_loss_that_is_no_number_ends_the_training(small: Dataset) -> None:
    saved: list[FitState] = []
    diverging = recipe(optimizer="sgd", learning_rate=1e30, epochs=5)
    with pytest.raises(
        ModelError, match=r"no number any more in epoch 1\. Lower the learning rate"
    ):
        fitted(diverging, small, save=saved.append)
    assert not saved


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.5], False),
        ([0.5, 0.5], False),
        ([0.5, 0.5, 0.4], True),
        ([0.5, 0.5, 0.4, 0.3], False),  # it waits again
        ([0.5, 0.5, 0.4, 0.3, 0.50009], True),  # no improvement yet
        ([0.5, 0.5, 0.4, 0.3, 0.6], False),
        ([None, None, None, None], False),
    ],
)
def test_a_plateau_is_two_epochs_without_improvement(
    accuracies: list[float | None], expected: bool
) -> None:
    history = [
        Epoch(i, 1.0, 0.5, 1.0, value, 0.1, 1.0, False) for i, value in enumerate(accuracies)
    ]
    assert is_at_plateau(history, Plateau(factor=0.5, patience=2)) is expected


def test_a_callback_follows_the_training(small: Dataset) -> None:
    class Log(Callback):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def on_train_begin(self, model: Any, recipe: Recipe, images: int, seconds: float) -> None:
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


def test_a_training_of_few_epochs_has_a_course_within_each(sample: Splits) -> None:
    train, validation = sample["train"].limit(3000), sample["test"].limit(300)
    used = recipe(epochs=1, batch_size=2)
    model, (epoch,) = fitted(used, train, validation)
    assert epoch.points is not None
    assert 15 <= len(epoch.points) <= POINTS
    fractions = [point.fraction for point in epoch.points]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    weights_ = np.diff([0, *fractions])
    for name in ("loss", "accuracy"):  # of the steps between two points, not since the start
        course = np.array([getattr(point, name) for point in epoch.points])
        assert (course * weights_).sum() == pytest.approx(getattr(epoch, name), rel=0.01)
    assert epoch.points[-1].loss < epoch.loss < epoch.points[0].loss
    scored = [point for point in epoch.points if point.val_accuracy is not None]
    assert len(scored) == VALIDATIONS
    assert scored[-1].val_loss == epoch.val_loss
    assert (scored[0].val_loss or 0) > (epoch.val_loss or 0)
    assert accuracy(model, validation) == pytest.approx(epoch.val_accuracy)


def test_scoring_within_an_epoch_changes_nothing(small: Dataset) -> None:
    train, validation = small.held_out(0.2, 0)
    one, with_it = fitted(recipe(epochs=1, batch_size=2), train, validation)
    other, without = fitted(recipe(epochs=1, batch_size=2), train)
    assert (weights(one) == weights(other)).all()
    assert with_it[0].loss == pytest.approx(without[0].loss)


def test_many_epochs_are_not_looked_into(small: Dataset) -> None:
    _, history = fitted(recipe(epochs=4), small)
    assert all(epoch.points is None for epoch in history)
