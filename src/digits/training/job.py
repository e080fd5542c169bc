"""A training, from its data and an untrained model to a tested one, with checkpoints on the way."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._io.files import check_room
from .._io.locks import exclusive
from ..data.dataset import Dataset
from ..evaluation.evaluate import evaluate
from ..evaluation.metrics import Score
from ..models.compile import compile_model, round_weights
from ..models.metadata import DatasetInfo, Epoch, ModelMetadata, ScoreInfo, StartedFrom
from ..recognition.recognizer import Recognizer
from . import checkpoint
from .calibrate import calibrate
from .callback import Callback
from .data import TrainingData
from .examples import Examples
from .fit import FitState, fit
from .head import HeadTraining
from .recipe import Recipe
from .trained import Trained

log = logging.getLogger(__name__)

ROOM_PER_WEIGHT = 48
"""Bytes on disk for each weight while training: in float32 a model has it once, a checkpoint five
times (as in the model, at its best, and with two moments in training), and two checkpoints are
there while one replaces the other."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training that is ready to begin, or to go on.

    Attributes:
        model: The Keras model to train.
        recipe: How.
        data: On what.
        seed: Of everything random.
        started_from: The model that fine-tuning started from.
        earlier_digests: Of pictures that the model learned from before, see `Dataset.digests`.
        checkpoint: The file to write; None for none.
        options: See `Checkpoint.options`.
        callback: Follows the training.
    """

    model: Any
    recipe: Recipe
    data: TrainingData
    seed: int
    started_from: StartedFrom | None
    earlier_digests: NDArray[np.uint64]
    checkpoint: str | os.PathLike[str] | None
    options: Mapping[str, Any]
    callback: Callback

    def run(self, start: FitState | None = None) -> Trained:
        """Fit, calibrate, compile and test the model.

        Args:
            start: Where fitting stood; None to begin.

        Raises:
            ModelError: See `fit`.
            OutputError: There is no room for the checkpoint, it cannot be written, or another
                training writes it.
        """
        if self.checkpoint is None:
            return self._run(start)
        check_room(self.checkpoint, ROOM_PER_WEIGHT * self.model.count_params())
        with exclusive(self.checkpoint, timeout=0):
            return self._run(start)

    def _run(self, start: FitState | None) -> Trained:
        model, recipe, data = self.model, self.recipe, self.data
        history = self._fit(start)
        temperature = calibrate(model, data.validation) if data.validation else None
        round_weights(model)
        compiled = compile_model(model)
        recognizer = Recognizer.from_compiled(compiled, recipe.family)
        scores = evaluate(recognizer, list(data.tests)).scores
        tests = tuple(map(score_info, scores))
        metadata = replace(self._metadata(history), test=tests, temperature=temperature)
        digests = self._digests()
        _warn_of_overlap(data.tests, digests)
        return Trained(model, recipe, scores, metadata, compiled, digests, data.mixed)

    def _fit(self, start: FitState | None) -> tuple[Epoch, ...]:
        recipe, data = self.recipe, self.data
        if recipe.trained_layers:
            with HeadTraining(self.model, recipe, data, self.seed, self.callback) as prepared:
                return self._fit_to(prepared.head, prepared.train, prepared.validation, start)
        train = data.soft_targets or data.train
        seconds = recipe.estimated_seconds(len(train))
        self.callback.on_train_begin(self.model, recipe, len(train), seconds)
        return self._fit_to(self.model, train, data.validation, start)

    def _fit_to(
        self, fitted: Any, train: Examples, validation: Examples | None, start: FitState | None
    ) -> tuple[Epoch, ...]:
        """Fit the model, or a part of it."""
        whole = fitted is self.model
        return fit(
            fitted,
            self.recipe if whole else replace(self.recipe, augment=None),
            train,
            validation,
            seed=self.seed,
            callback=self.callback,
            start=start,
            save=self._saver(fitted, new=start is None),
        )

    def _saver(self, fitted: Any, new: bool) -> Callable[[FitState], None] | None:
        """What writes the checkpoint; the first time it keeps what another training left there."""
        path = self.checkpoint
        if path is None:
            return None
        digests = self._digests()
        writes = itertools.count()

        def save(state: FitState) -> None:
            checkpoint.write(
                path,
                self.model,
                fitted,
                self._metadata(state.history),
                digests,
                self.options,
                state,
                backup=new and next(writes) == 0,
            )
            self.callback.on_checkpoint(len(state.history))

        return save

    def _digests(self) -> NDArray[np.uint64]:
        return np.concatenate([self.data.digests, self.earlier_digests])

    def _metadata(self, history: tuple[Epoch, ...]) -> ModelMetadata:
        return ModelMetadata(
            family=self.recipe.family,
            preset=self.recipe.preset,
            settings=self.recipe.settings(),
            seed=self.seed,
            data=tuple(map(DatasetInfo.of, self.data.sources)),
            history=history,
            seconds=round(sum(epoch.seconds for epoch in history), 2),
            validation_pictures=len(self.data.validation) if self.data.validation else 0,
            started_from=self.started_from,
        )


def score_info(score: Score) -> ScoreInfo:
    """The part of a score that a model file keeps."""
    return ScoreInfo(score.name, score.n, score.loss, score.accuracy)


def _warn_of_overlap(tests: Sequence[Dataset], training_digests: Any) -> None:
    for test in tests:
        if count := test.count_in(training_digests):
            log.warning(
                "the model was trained on %s of the %s pictures of %s, "
                "so its score there is too high",
                f"{count:,}",
                f"{len(test):,}",
                test.name,
            )
