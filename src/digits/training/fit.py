"""Fit a model by a recipe: epochs, early stopping, the best weights, interruption."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..models._keras import import_keras
from ..models.metadata import Epoch
from .augment import LOW_AUGMENTATION, augmented
from .recipe import Recipe

STEPS_PER_EXECUTION = 32
"""Training steps in one call of the compiled function; a small model trains twice as fast."""


class Examples(Protocol):
    """Labeled images: images (n, 28, 28) uint8 and labels (n,) uint8, as a `Dataset` has them."""

    @property
    def images(self) -> NDArray[np.uint8]: ...
    @property
    def labels(self) -> NDArray[np.uint8]: ...
    def __len__(self) -> int: ...


class Callback:
    """Follows a training; override what you need."""

    def on_train_begin(self, model: Any, recipe: Recipe, train: Examples) -> None:
        """The model is built and about to be fitted to `train`."""

    def on_progress(self, epoch: int, fraction: float) -> None:
        """This fraction (0..1) of `epoch` (from 1) is done."""

    def on_epoch_end(self, epoch: Epoch) -> None:
        """An epoch has ended."""

    def on_train_end(self) -> None:
        """Fitting has ended or was interrupted; compiling and testing follow, for seconds."""


@dataclass(frozen=True)
class Fitted:
    """How fitting went.

    Attributes:
        history: One record for each epoch.
        interrupted: Whether Ctrl-C ended it.
        seconds: Wall time.
    """

    history: tuple[Epoch, ...]
    interrupted: bool
    seconds: float


def fit(
    model: Any,
    recipe: Recipe,
    train: Examples,
    validation: Examples | None = None,
    *,
    seed: int = 0,
    callback: Callback | None = None,
) -> Fitted:
    """Fit `model` in place; it ends with the weights of its best epoch.

    The best epoch is the one with the highest validation accuracy (of equals, the lowest validation
    loss). It is the last one without validation examples, and with `cosine_decay`: the final steps
    of the decay average out noise that favors an earlier epoch by luck.

    Ctrl-C ends the training and keeps the best epoch so far. The same seed, machine and versions
    give the same weights, provided that the seed was also set globally before the model was built
    (`keras.utils.set_random_seed`).

    Args:
        model: A Keras model of pixels (n, 28, 28).
        recipe: Everything but its architecture is used.
        train: Training examples.
        validation: Held-out examples, scored after each epoch.
        seed: Of the augmentation.
        callback: Follows the training.

    Raises:
        KeyboardInterrupt: Interrupted before the end of the first epoch.
    """
    callback = callback or Callback()
    _enable_determinism()
    trainee = augmented(model, recipe.augment, seed) if recipe.augment else model
    _compile(trainee, recipe, len(train))
    recorder = _Recorder(model, trainee, recipe, train, validation, callback)
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
            callbacks=[recorder.keras_callback(), *_plateau(recipe, validation)],
            verbose=0,
        )
    except KeyboardInterrupt:
        interrupted = True
        if not recorder.history:
            raise
    callback.on_train_end()
    model.set_weights(recorder.best_weights)
    return Fitted(tuple(recorder.history), interrupted, time.perf_counter() - started)


def _enable_determinism() -> None:
    if import_keras().backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _compile(trainee: Any, recipe: Recipe, images: int) -> None:
    steps = math.ceil(images / recipe.batch_size)
    rate = recipe.learning_rate
    if recipe.cosine_decay:
        rate = learning_rate_schedule(recipe, steps * recipe.epochs)
    options = {"learning_rate": rate, **recipe.optimizer_options}
    trainee.compile(
        optimizer=import_keras().optimizers.get(
            {"class_name": recipe.optimizer, "config": options}
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=_steps_per_execution(recipe, steps),
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


def _plateau(recipe: Recipe, validation: Examples | None) -> list[Any]:
    if recipe.plateau is None or recipe.cosine_decay or validation is None:
        return []
    return [
        import_keras().callbacks.ReduceLROnPlateau(
            monitor="val_accuracy",
            factor=recipe.plateau.factor,
            patience=recipe.plateau.patience,
            min_lr=recipe.plateau.min_learning_rate,
        )
    ]


class _Recorder:
    """Records the history, keeps the best weights, and stops the training."""

    def __init__(
        self,
        model: Any,
        trainee: Any,
        recipe: Recipe,
        train: Examples,
        validation: Examples | None,
        callback: Callback,
    ) -> None:
        self.model, self.trainee, self.recipe, self.callback = model, trainee, recipe, callback
        self.checked = validation or train  # `until_accuracy` is measured on these
        self.steps = math.ceil(len(train) / recipe.batch_size)  # of an epoch
        self.history: list[Epoch] = []
        self.best_weights: list[Any] = []
        self.best_key: tuple[float, float] | None = None
        self.epoch = 0
        self.checks = 0
        self.epoch_started = 0.0

    def keras_callback(self) -> Any:
        return import_keras().callbacks.LambdaCallback(
            on_epoch_begin=self.on_epoch_begin,
            on_train_batch_end=self.on_train_batch_end,
            on_epoch_end=self.on_epoch_end,
        )

    def on_epoch_begin(self, index: int, logs: Any) -> None:
        self.epoch, self.epoch_started = index + 1, time.perf_counter()
        left = self.recipe.epochs - index
        if self.recipe.augment and left <= self.recipe.low_augmentation_epochs:
            self.trainee.layers[0].fraction.assign(LOW_AUGMENTATION)

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        done = min(batch + 1, self.steps)  # Keras counts the last execution of an epoch as full
        self.callback.on_progress(self.epoch, done / self.steps)
        if self.recipe.check_every:
            checks = ((self.epoch - 1) * self.steps + done) // self.recipe.check_every
            if checks > self.checks:
                self.checks = checks
                self._stop_if_reached(None)

    def on_epoch_end(self, index: int, logs: Any) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        key = (values.get("val_accuracy", self.epoch), -values.get("val_loss", 0.0))
        best = self.best_key is None or self.recipe.cosine_decay or key > self.best_key
        if best:
            self.best_key, self.best_weights = key, self.model.get_weights()
        record = Epoch(
            epoch=self.epoch,
            loss=values["loss"],
            accuracy=values["accuracy"],
            val_loss=values.get("val_loss"),
            val_accuracy=values.get("val_accuracy"),
            learning_rate=float(self.trainee.optimizer.learning_rate),
            seconds=time.perf_counter() - self.epoch_started,
            best=best,
        )
        self.history.append(record)
        self.callback.on_epoch_end(record)
        if not self.recipe.check_every:
            self._stop_if_reached(record.val_accuracy)

    def _stop_if_reached(self, accuracy: float | None) -> None:
        """Stop above `until_accuracy`; an accuracy of None is measured first."""
        if self.recipe.until_accuracy is None:
            return
        if accuracy is None:
            images, labels = self.checked.images, self.checked.labels
            scores = self.trainee.evaluate(
                images, labels, batch_size=1000, verbose=0, return_dict=True
            )
            accuracy = scores["accuracy"]
        if accuracy > self.recipe.until_accuracy:
            self.trainee.stop_training = True
