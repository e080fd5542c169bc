"""Train the net that finds digits, on generated pages; it stops and resumes at any time."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import finder_net
from .finder_data import Batch, batches, evaluate, prefetched
from .synthetic.pages.targets import Targets

log = logging.getLogger(__name__)

LOG = "log.jsonl"
STATE = "state.npz"


@dataclass(frozen=True)
class FinderRecipe:
    """How the net is trained.

    Attributes:
        pixels: Of the pages in a step, together.
        learning_rate: The highest, after `warmup` steps.
        warmup: Steps.
        weight_decay: Of AdamW.
        ema: Decay of the running mean of the weights, which is what is kept.
        uses: Times that a generated page is used, each time in other tones.
        cooldown: The last share of the training, in which the learning rate falls to zero.
        frozen_statistics: Leave the statistics of batch normalization as they are: for fine-tuning
            in small batches.
        evaluate: Minutes between two evaluations, each of which also saves.
    """

    pixels: int = 16 * 128 * 128
    learning_rate: float = 2.5e-3
    warmup: int = 150
    weight_decay: float = 1e-2
    ema: float = 0.998
    uses: int = 4
    cooldown: float = 0.25
    frozen_statistics: bool = False
    evaluate: float = 10.0


class FinderTraining:
    """A training in a folder, which holds its state, log, and latest net.

    It runs on any backend of Keras.

    Args:
        folder: Made if it does not exist.
        recipe: How to train.
        resume: Go on from the state in the folder, rather than anew.
    """

    def __init__(self, folder: Path, recipe: FinderRecipe, resume: bool = False) -> None:
        self.folder, self.recipe = folder, recipe
        folder.mkdir(parents=True, exist_ok=True)
        self.net = finder_net.build()
        self.model = finder_net.trainable(self.net, recipe.frozen_statistics)
        self.optimizer = _optimizer(recipe)
        self.optimizer.build(self.model.trainable_variables)
        self.model.compile(optimizer=self.optimizer, loss=None)
        self.steps, self.minutes = 0, 0.0
        if resume:
            self._load()

    def start_from(self, path: Path) -> None:
        """Take the weights of a net that `save_keras` wrote."""
        import keras

        self.net.set_weights(keras.models.load_model(path, compile=False).get_weights())

    def run(
        self,
        pages: Path,
        validation: list[Targets],
        minutes: float = math.inf,
        steps: float = math.inf,
    ) -> None:
        """Train for some minutes of wall clock or some steps, whichever ends first.

        Args:
            pages: A folder that `store.fill` fills at the same time.
            validation: Pages of other seeds and digits.
            minutes: How long; the learning rate falls to zero at the end.
            steps: How many.
        """
        recipe = self.recipe
        start = last = time.monotonic()
        first_step = self.steps
        parts: dict[str, float] = {}
        for batch in self._batches(pages):
            share = (time.monotonic() - start) / 60 / minutes
            share = max(share, (self.steps - first_step) / steps)
            if share >= 1:
                break
            warm = min(1.0, (self.steps - first_step + 1) / recipe.warmup)
            cool = min(1.0, (1 - share) / recipe.cooldown)
            self.optimizer.learning_rate = recipe.learning_rate * warm * cool
            parts = self.model.train_on_batch(batch.pop("planes"), batch, return_dict=True)
            self.steps += 1
            if time.monotonic() - last > 60 * recipe.evaluate:
                self.minutes += (time.monotonic() - last) / 60
                self._report(validation, parts)
                last = time.monotonic()
        self.minutes += (time.monotonic() - last) / 60
        self._report(validation, parts)

    def _batches(self, pages: Path) -> Iterator[Batch]:
        return prefetched(batches(pages, self.recipe.pixels, self.recipe.uses, self.steps))

    def _report(self, validation: list[Targets], parts: dict[str, Any]) -> None:
        """Evaluate the mean of the weights, save it and the state, write to the log."""
        self._save()
        weights = self.net.get_weights()
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        figures: dict[str, Any] = {"minutes": round(self.minutes, 1), "steps": self.steps}
        figures |= {name: round(float(value), 4) for name, value in parts.items()}
        figures |= evaluate(self.net, validation)
        finder_net.save_keras(self.net, self.folder / "finder.keras")
        self.net.set_weights(weights)
        self.model.reset_metrics()
        with (self.folder / LOG).open("a") as file:
            file.write(json.dumps(figures) + "\n")
        log.info(json.dumps(figures))

    def _save(self) -> None:
        arrays = {f"weight{i}": value for i, value in enumerate(self.net.get_weights())}
        variables = self.optimizer.variables
        arrays |= {f"optimizer{i}": np.array(value) for i, value in enumerate(variables)}
        part = self.folder / f".{STATE}"
        with part.open("wb") as file:
            np.savez(file, steps=self.steps, minutes=self.minutes, **arrays)
        part.replace(self.folder / STATE)

    def _load(self) -> None:
        with np.load(self.folder / STATE) as file:
            self.steps, self.minutes = int(file["steps"]), float(file["minutes"])
            self.net.set_weights([file[f"weight{i}"] for i in range(len(self.net.weights))])
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(file[f"optimizer{i}"])


def _optimizer(recipe: FinderRecipe) -> Any:
    import keras

    optimizer = keras.optimizers.AdamW(
        recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        global_clipnorm=3.0,
        use_ema=True,
        ema_momentum=recipe.ema,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
