"""Fit a model by a recipe: epochs, the stop rule, the best weights, and a clean interruption."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..models._keras import import_keras
from ..models.recipe import Recipe
from .augment import CALM, augmented

STEPS_PER_CALL = 32
"""Training steps that run without coming back to Python; a small model trains twice as fast."""


@dataclass(frozen=True)
class Epoch:
    """One line of the history. Losses are cross-entropy in nats; accuracies 0..1."""

    epoch: int  # from 1
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    best: bool  # the best so far: see `fit`


class Examples(Protocol):
    """What is learned from: images (n, 28, 28) uint8 and labels (n,) uint8; a `Dataset`, say."""

    @property
    def images(self) -> NDArray[np.uint8]: ...
    @property
    def labels(self) -> NDArray[np.uint8]: ...
    def __len__(self) -> int: ...


class Observer:
    """Is told how the training goes; a caller overrides what it wants to show."""

    def started(self, model: Any, recipe: Recipe, train: Examples) -> None:
        """The model is built; `train` holds what it will learn from."""

    def step(self, epoch: int, share: float) -> None:
        """`share` (0..1) of `epoch` (from 1) is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended."""

    def finished(self) -> None:
        """Fitting is over, by itself or by Ctrl-C; what follows takes a few seconds."""


@dataclass(frozen=True)
class Fitted:
    """How a training ended. The model holds the weights of the best epoch."""

    history: list[Epoch]
    interrupted: bool
    seconds: float


def fit(
    model: Any,
    recipe: Recipe,
    train: Examples,
    validation: Examples | None,
    seed: int,
    observer: Observer,
) -> Fitted:
    """Train `model` in place by `recipe`.

    The best epoch is kept: the one of the highest validation accuracy (of equals the one of the
    lowest validation loss), or without validation pictures simply the latest. So too where the rate
    falls to 0: the last steps average out the noise that an earlier epoch may be lucky in.
    Ctrl-C ends the training after the best epoch so far; before the first has ended,
    KeyboardInterrupt is raised.
    The same seed, machine and versions give the same weights; for that, the global random state of
    Python, NumPy and the backend is set.
    """
    keras = import_keras()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    trainee = augmented(model, recipe.augment, seed) if recipe.augment else model
    steps = math.ceil(len(train) / recipe.batch_size)
    rate = recipe.learning_rate
    if recipe.cosine:
        rate = _cosine(recipe, steps * recipe.epochs)
    trainee.compile(
        optimizer=keras.optimizers.get(
            {
                "class_name": recipe.optimizer,
                "config": {"learning_rate": rate, **recipe.optimizer_options},
            }
        ),
        loss="sparse_categorical_crossentropy",  # categorical cross-entropy on whole-number labels
        metrics=["accuracy"],
        steps_per_execution=_steps_per_call(recipe, len(train)),
    )
    recorder = _Recorder(model, trainee, recipe, validation or train, steps, observer)
    started = time.perf_counter()
    interrupted = False
    try:
        trainee.fit(
            train.images,
            train.labels,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            shuffle=recipe.shuffle,
            validation_data=(validation.images, validation.labels) if validation else None,
            validation_batch_size=1000,
            callbacks=[recorder.callback(), *_plateau(recipe, validation)],
            verbose=0,
        )
    except KeyboardInterrupt:
        interrupted = True
        if not recorder.history:
            raise
    observer.finished()
    model.set_weights(recorder.best_weights)
    return Fitted(recorder.history, interrupted, time.perf_counter() - started)


def _cosine(recipe: Recipe, steps: int) -> Any:
    """The rate over `steps`: up to the recipe's in a straight line, then down along a cosine."""
    decay = import_keras().optimizers.schedules.CosineDecay
    rising = round(recipe.warm_up * steps)
    if not rising:
        return decay(recipe.learning_rate, steps)
    return decay(0.0, steps - rising, warmup_target=recipe.learning_rate, warmup_steps=rising)


def _steps_per_call(recipe: Recipe, pictures: int) -> int:
    """At most STEPS_PER_CALL, at most an epoch, and whole calls between checks of the stop rule."""
    steps = min(STEPS_PER_CALL, math.ceil(pictures / recipe.batch_size))
    if recipe.check_every:
        steps = next(n for n in range(steps, 0, -1) if recipe.check_every % n == 0)
    return steps


def _plateau(recipe: Recipe, validation: Examples | None) -> list[Any]:
    if recipe.plateau is None or recipe.cosine or validation is None:
        return []
    return [
        import_keras().callbacks.ReduceLROnPlateau(
            monitor="val_accuracy",
            factor=recipe.plateau.factor,
            patience=recipe.plateau.patience,
            min_lr=recipe.plateau.floor,
        )
    ]


class _Recorder:
    """Writes the history, keeps the best weights and applies the stop rule."""

    def __init__(
        self,
        model: Any,
        trainee: Any,
        recipe: Recipe,
        looked_at: Examples,
        steps: int,
        observer: Observer,
    ) -> None:
        self.model, self.trainee, self.recipe = model, trainee, recipe
        self.looked_at = looked_at  # the stop rule asks for accuracy on these
        self.steps = steps  # of an epoch
        self.observer = observer
        self.history: list[Epoch] = []
        self.best_weights: list[Any] = []
        self.best_key: tuple[float, float] | None = None
        self.number = 0
        self.checks = 0
        self.began = 0.0

    def callback(self) -> Any:
        """What Keras calls."""
        return import_keras().callbacks.LambdaCallback(
            on_epoch_begin=self.epoch_begins,
            on_train_batch_end=self.steps_end,
            on_epoch_end=self.epoch_ends,
        )

    def epoch_begins(self, epoch: int, logs: Any) -> None:
        self.number, self.began = epoch + 1, time.perf_counter()
        if self.recipe.augment and self.recipe.epochs - epoch <= self.recipe.calm_epochs:
            self.trainee.layers[0].share.assign(CALM)

    def steps_end(self, batch: int, logs: Any) -> None:
        done = min(batch + 1, self.steps)  # the last call of an epoch may count too far
        self.observer.step(self.number, done / self.steps)
        if self.recipe.check_every:
            checks = ((self.number - 1) * self.steps + done) // self.recipe.check_every
            if checks > self.checks:
                self.checks = checks
                self.stop_if_reached(None)

    def epoch_ends(self, epoch: int, logs: Any) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        key = (values.get("val_accuracy", self.number), -values.get("val_loss", 0.0))
        best = self.best_key is None or self.recipe.cosine or key > self.best_key
        if best:
            self.best_key, self.best_weights = key, self.model.get_weights()
        record = Epoch(
            self.number,
            values["loss"],
            values["accuracy"],
            values.get("val_loss"),
            values.get("val_accuracy"),
            float(self.trainee.optimizer.learning_rate),
            time.perf_counter() - self.began,
            best,
        )
        self.history.append(record)
        self.observer.epoch(record)
        if not self.recipe.check_every:
            self.stop_if_reached(values.get("val_accuracy"))

    def stop_if_reached(self, accuracy: float | None) -> None:
        """End the training when `accuracy` (measured when None) is above the recipe's mark."""
        if self.recipe.until_accuracy is None:
            return
        if accuracy is None:
            images, labels = self.looked_at.images, self.looked_at.labels
            accuracy = self.trainee.evaluate(
                images, labels, batch_size=1000, verbose=0, return_dict=True
            )["accuracy"]
        if accuracy is not None and accuracy > self.recipe.until_accuracy:
            self.trainee.stop_training = True
