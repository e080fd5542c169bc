"""Fit a model by a recipe: epochs, early stopping, the best weights, and going on after a stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models._keras import import_keras
from ..models.metadata import Epoch, Point
from . import curve
from .augment import LOW_AUGMENTATION, augmented
from .callback import Callback
from .examples import Examples
from .optimizer import compile_for_training, is_at_plateau
from .recipe import Recipe

CHECKPOINT_SECONDS = 60.0
"""Time between two checkpoints in a long epoch: what a kill costs at most."""


@dataclass(frozen=True)
class FitState:
    """Where fitting stands: all that is needed to go on as if it had never stopped.

    The order of the examples is none of it: it follows from the seed and the epoch.

    Attributes:
        history: One record for each whole epoch.
        step: Steps done of the epoch after these.
        seconds: Time that these steps took.
        points: The course of that epoch so far.
        stopped: Whether `until_accuracy` was reached.
        variables: The values of all variables of the trained model and of its optimizer: weights,
            moments, random generators, metrics.
        best_weights: The weights of the best epoch, or the present ones before the first has ended.
    """

    history: tuple[Epoch, ...]
    step: int
    seconds: float
    points: Sequence[Point]
    stopped: bool
    variables: Sequence[NDArray[Any]]
    best_weights: Sequence[NDArray[Any]]


def fit(
    model: Any,
    recipe: Recipe,
    train: Examples,
    validation: Examples | None = None,
    *,
    seed: int = 0,
    callback: Callback | None = None,
    start: FitState | None = None,
    save: Callable[[FitState], None] | None = None,
    save_seconds: float = CHECKPOINT_SECONDS,
) -> tuple[Epoch, ...]:
    """Fit `model` in place; it ends with the weights of its best epoch.

    The best epoch is the one with the highest validation accuracy (of equals, the lowest validation
    loss). It is the last one without validation examples, and with `cosine_decay`: the final steps
    of the decay average out noise that favors an earlier epoch by luck.

    The same seed, machine and versions give the same weights, provided that the seed was also set
    globally before the model was built (`keras.utils.set_random_seed`); also when it was stopped
    and went on any number of times.

    Args:
        model: A Keras model of pixels (n, 28, 28).
        recipe: Everything but its architecture is used.
        train: Training examples.
        validation: Held-out examples, scored after each epoch.
        seed: Of the augmentation, and of the order of the examples.
        callback: Follows the training.
        start: Go on from here.
        save: Called with the state after each epoch, and in long epochs.
        save_seconds: Time between two calls of `save` within an epoch.

    Returns:
        The history, that of `start` included.

    Raises:
        ModelError: The loss is no number any more, or `start` is of another model.
    """
    fitting = _Fitting(
        model, recipe, train, validation, seed, callback or Callback(), save, save_seconds
    )
    fitting.run(start)
    return tuple(fitting.history)


def _enable_determinism() -> None:
    if import_keras().backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


class _Fitting:
    """One call of `fit`. Keras fits one epoch at a time; what happens between is here."""

    def __init__(
        self,
        model: Any,
        recipe: Recipe,
        train: Examples,
        validation: Examples | None,
        seed: int,
        callback: Callback,
        save: Callable[[FitState], None] | None,
        save_seconds: float,
    ) -> None:
        _enable_determinism()
        self.model, self.recipe, self.seed, self.callback = model, recipe, seed, callback
        self.train, self.validation = train, validation
        self.save, self.save_seconds = save, save_seconds
        self.steps = math.ceil(len(train) / recipe.batch_size)  # of an epoch
        self.trainee = augmented(model, recipe.augment, seed) if recipe.augment else model
        self.soft = train.labels.ndim == 2
        compile_for_training(self.trainee, recipe, self.steps, self.soft)
        self.history: list[Epoch] = []
        self.points: list[Point] = []  # of this epoch
        self.best_weights: Sequence[Any] = model.get_weights()
        self.stopped = False
        self.restore: FitState | None = None  # before the first step
        self.first_step = 0  # of this part of the epoch

    @property
    def epoch(self) -> int:
        """The number of the epoch that is running, from 1."""
        return len(self.history) + 1

    def run(self, start: FitState | None) -> None:
        if start:
            self.history, self.stopped = list(start.history), start.stopped
            self.best_weights, self.restore = start.best_weights, start
            self._make_variables()
        while self.epoch <= self.recipe.epochs and not self.stopped:
            self._fit_epoch()
        self.callback.on_train_end()
        self.model.set_weights(self.best_weights)

    def _fit_epoch(self) -> None:
        start, self.first_step = time.perf_counter(), 0
        if self.restore:
            self.first_step = self.restore.step
            start -= self.restore.seconds
            self.points = list(self.restore.points)
        self.epoch_started, self.last_saved = start, time.perf_counter()
        images, labels = self._remaining_examples()
        self.trainee.fit(
            images,
            labels,
            batch_size=self.recipe.batch_size,
            shuffle=False,
            validation_data=self._scored(self.validation) if self.validation else None,
            validation_batch_size=1000,
            callbacks=[
                import_keras().callbacks.LambdaCallback(
                    on_epoch_begin=self._on_epoch_begin,
                    on_train_batch_end=self._on_train_batch_end,
                    on_epoch_end=self._on_epoch_end,
                )
            ],
            verbose=0,
        )

    def _scored(self, examples: Examples) -> tuple[NDArray[Any], NDArray[Any]]:
        """Examples to score, with labels of the kind that the loss takes."""
        labels = examples.labels
        if self.soft and labels.ndim == 1:
            labels = np.eye(self.model.output_shape[-1], dtype=np.float32)[labels]
        return examples.images, labels

    def _remaining_examples(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The examples of this epoch in their order, without those of the steps that are done."""
        first = self.first_step * self.recipe.batch_size
        if not self.recipe.shuffle:
            return self.train.images[first:], self.train.labels[first:]
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.train))[first:]
        return self.train.images[order], self.train.labels[order]

    def _on_epoch_begin(self, _: int, logs: Any) -> None:
        """Keras has reset its metrics by now."""
        if self.restore:
            self._assign(self.restore.variables)
            self.restore = None
        left = self.recipe.epochs - len(self.history)
        if self.recipe.augment and left <= self.recipe.low_augmentation_epochs:
            self.trainee.layers[0].fraction.assign(LOW_AUGMENTATION)

    def _on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        if not math.isfinite(logs["loss"]):
            raise ModelError(
                f"the loss is no number any more in epoch {self.epoch}", "Lower the learning rate"
            )
        before = self.first_step + batch
        done = min(before + 1, self.steps)  # Keras counts the last execution of an epoch as full
        self.callback.on_progress(self.epoch, done / self.steps)
        self._add_point(done / self.steps, logs)
        self._check_between_epochs(done)
        if time.perf_counter() - self.last_saved > self.save_seconds and done < self.steps:
            self._save(done)

    def _on_epoch_end(self, _: int, logs: dict[str, Any]) -> None:
        values = {name: float(value) for name, value in logs.items()}
        record = Epoch(
            epoch=self.epoch,
            loss=values["loss"],
            accuracy=values["accuracy"],
            val_loss=values.get("val_loss"),
            val_accuracy=values.get("val_accuracy"),
            learning_rate=float(self.trainee.optimizer.learning_rate),
            seconds=time.perf_counter() - self.epoch_started,
            best=self._is_best(values),
            points=self._points_with(values),
        )
        if record.best or self.recipe.cosine_decay:
            self.best_weights = self.model.get_weights()
        self.history.append(record)
        self._reduce_at_plateau()
        if not self.recipe.check_every:
            self._stop_if_reached(record.val_accuracy)
        self.points = []
        self.trainee.reset_metrics()  # as the next epoch begins
        self._save(step=0)
        self.callback.on_epoch_end(record)

    def _is_best(self, values: dict[str, float]) -> bool:
        """Whether the epoch that has just ended, with these figures, is the best so far."""
        if self.recipe.cosine_decay:
            return self.epoch == self.recipe.epochs
        best = next((epoch for epoch in reversed(self.history) if epoch.best), None)
        if best is None or best.val_accuracy is None:
            return True
        key = (values["val_accuracy"], -values["val_loss"])
        return key > (best.val_accuracy, -(best.val_loss or 0.0))

    def _reduce_at_plateau(self) -> None:
        plateau = self.recipe.plateau
        if plateau and not self.recipe.cosine_decay and is_at_plateau(self.history, plateau):
            rate = float(self.trainee.optimizer.learning_rate) * plateau.factor
            self.trainee.optimizer.learning_rate = max(rate, plateau.min_learning_rate)

    def _check_between_epochs(self, done: int) -> None:
        """Stop above `until_accuracy`, if it is to be checked after the last execution."""
        every = self.recipe.check_every
        if not every:
            return
        steps = self.steps * len(self.history) + done
        executed = self.trainee.steps_per_execution
        if steps // every > (steps - min(executed, done)) // every:
            self._stop_if_reached(None)

    def _add_point(self, fraction: float, means: dict[str, float]) -> None:
        if self.recipe.epochs > curve.MAX_EPOCHS or not curve.is_due(self.points, fraction):
            return
        validated = self.validation and curve.validation_is_due(self.points, fraction)
        scores = self._evaluate(self.validation) if self.validation and validated else {}
        self.points.append(curve.next_point(self.points, fraction, means, scores))

    def _points_with(self, values: dict[str, float]) -> tuple[Point, ...] | None:
        """The points of the epoch that has just ended, with its validation at the last."""
        if not self.points:
            return None
        *earlier, last = self.points
        end = replace(
            last, val_loss=values.get("val_loss"), val_accuracy=values.get("val_accuracy")
        )
        return (*earlier, end)

    def _evaluate(self, examples: Examples) -> dict[str, float]:
        """Loss and accuracy; what Keras has counted of the running epoch stays."""
        counted = [np.array(variable) for variable in self.trainee.metrics_variables]
        images, labels = self._scored(examples)
        scores = self.trainee.evaluate(images, labels, batch_size=1000, verbose=0, return_dict=True)
        for variable, value in zip(self.trainee.metrics_variables, counted, strict=True):
            variable.assign(value)
        return {name: float(value) for name, value in scores.items()}

    def _stop_if_reached(self, accuracy: float | None) -> None:
        """Stop above `until_accuracy`; an accuracy of None is measured first."""
        if self.recipe.until_accuracy is None:
            return
        if accuracy is None:
            accuracy = self._evaluate(self.validation or self.train)["accuracy"]
        if accuracy > self.recipe.until_accuracy:
            self.stopped = self.trainee.stop_training = True

    def _variables(self) -> list[Any]:
        trainee = self.trainee
        return [*trainee.variables, *trainee.metrics_variables, *trainee.optimizer.variables]

    def _save(self, step: int) -> None:
        if not self.save:
            return
        self.save(
            FitState(
                history=tuple(self.history),
                step=step,
                seconds=time.perf_counter() - self.epoch_started if step else 0.0,
                points=tuple(self.points),
                stopped=self.stopped,
                variables=[np.array(variable) for variable in self._variables()],
                best_weights=self.best_weights,
            )
        )
        self.last_saved = time.perf_counter()

    def _make_variables(self) -> None:
        """Have Keras make the optimizer's variables and those of metrics, else made when needed."""
        self.trainee.optimizer.build(self.trainee.trainable_variables)
        self.trainee.evaluate(self.train.images[:1], self.train.labels[:1], verbose=0)

    def _assign(self, values: Sequence[NDArray[Any]]) -> None:
        variables = self._variables()
        if [v.shape for v in variables] != [value.shape for value in values]:
            raise ModelError("the checkpoint is of another model", "Train again without --resume")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
