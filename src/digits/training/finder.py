"""Train the net that finds digits, on generated pages; it stops and resumes at any time."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import finder_net
from .finder_data import batches, evaluate, prefetched
from .synthetic.pages.targets import Targets

log = logging.getLogger(__name__)

LOG = "log.jsonl"
STATE = "state.npz"


@dataclass(frozen=True)
class FinderRecipe:
    """How the net is trained.

    Attributes:
        batch: Pages in a step.
        learning_rate: The highest, after `warmup` steps.
        warmup: Steps.
        weight_decay: Of AdamW.
        ema: Decay of the running mean of the weights, which is what is kept.
        uses: Times that a generated page is used, each time with other tones.
        cooldown: The last share of the minutes, in which the learning rate falls to zero.
        evaluate: Minutes between two evaluations, each of which also saves.
    """

    batch: int = 16
    learning_rate: float = 2.5e-3
    warmup: int = 150
    weight_decay: float = 1e-2
    ema: float = 0.998
    uses: int = 4
    cooldown: float = 0.25
    evaluate: float = 10.0


class FinderTraining:
    """A training in a folder, which holds its state, log, and latest net.

    Args:
        folder: Made if it does not exist.
        recipe: How to train.
        resume: Go on from the state in the folder, rather than anew.
    """

    def __init__(self, folder: Path, recipe: FinderRecipe, resume: bool = False) -> None:
        import keras
        import tensorflow as tf

        self.folder, self.recipe = folder, recipe
        folder.mkdir(parents=True, exist_ok=True)
        self.net = finder_net.build()
        decay = recipe.weight_decay
        self.optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=decay)
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.net.trainable_variables)
        self.mean = [np.array(weight) for weight in self.net.get_weights()]
        self.steps, self.minutes = 0, 0.0
        self._step = tf.function(self._one_step)
        self._see = tf.function(lambda picture: self.net(picture, training=False))
        if resume:
            self._load()

    def _one_step(self, truth: dict[str, Any]) -> dict[str, Any]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            mask, heads = self.net(truth["picture"], training=True)
            parts = finder_net.loss(mask, heads, truth)
            total = tf.add_n(list(parts.values()))
        gradients = tape.gradient(total, self.net.trainable_variables)
        gradients, _ = tf.clip_by_global_norm(gradients, 3.0)
        self.optimizer.apply_gradients(zip(gradients, self.net.trainable_variables, strict=True))
        return parts

    def run(self, pages: Path, validation: list[Targets], minutes: float) -> None:
        """Train for some minutes of wall clock.

        Args:
            pages: A folder that `store.fill` fills at the same time.
            validation: Pages of other seeds and digits.
            minutes: How long; the learning rate falls to zero at the end.
        """
        recipe = self.recipe
        start, last, first_step = time.monotonic(), time.monotonic(), self.steps
        parts: dict[str, float] = {}
        for batch in prefetched(batches(pages, recipe.batch, recipe.uses, self.steps)):
            share = (time.monotonic() - start) / 60 / minutes
            if share >= 1:
                break
            warm = min(1.0, (self.steps - first_step + 1) / recipe.warmup)
            cool = min(1.0, (1 - share) / recipe.cooldown)
            self.optimizer.learning_rate.assign(recipe.learning_rate * warm * cool)
            now = {name: float(value) for name, value in self._step(batch).items()}
            parts = {
                name: 0.98 * parts.get(name, value) + 0.02 * value for name, value in now.items()
            }
            self.steps += 1
            if self.steps % 4 == 0:  # the copies take time; the decay is that of four steps
                self._average()
            if time.monotonic() - last > 60 * recipe.evaluate:
                self.minutes += (time.monotonic() - last) / 60
                self._report(validation, parts)
                last = time.monotonic()
        self.minutes += (time.monotonic() - last) / 60
        self._report(validation, parts)

    def _average(self) -> None:
        decay = min(self.recipe.ema, (1 + self.steps) / (40 + self.steps)) ** 4
        for i, weight in enumerate(self.net.get_weights()):
            self.mean[i] += (weight - self.mean[i]) * (1 - decay)

    def _report(self, validation: list[Targets], parts: dict[str, float]) -> None:
        """Evaluate the mean of the weights, save it and the state, write to the log."""
        weights = self.net.get_weights()
        self.net.set_weights(self.mean)
        figures: dict[str, Any] = {"minutes": round(self.minutes, 1), "steps": self.steps}
        figures |= {name: round(value, 4) for name, value in parts.items()}
        figures |= evaluate(self._see, validation)
        finder_net.save_keras(self.net, self.folder / "finder.keras")
        compiled = finder_net.compile_net(self.net)
        part = self.folder / ".finder.tflite"
        part.write_bytes(compiled)
        part.replace(self.folder / "finder.tflite")
        self.net.set_weights(weights)
        self._save()
        with (self.folder / LOG).open("a") as file:
            file.write(json.dumps(figures) + "\n")
        log.info(json.dumps(figures))

    def _save(self) -> None:
        arrays = {f"weight{i}": value for i, value in enumerate(self.net.get_weights())}
        arrays |= {f"mean{i}": value for i, value in enumerate(self.mean)}
        variables = self.optimizer.variables
        arrays |= {f"optimizer{i}": np.array(value) for i, value in enumerate(variables)}
        part = self.folder / f".{STATE}"
        with part.open("wb") as file:
            np.savez(file, steps=self.steps, minutes=self.minutes, **arrays)
        part.replace(self.folder / STATE)

    def _load(self) -> None:
        with np.load(self.folder / STATE) as file:
            self.steps, self.minutes = int(file["steps"]), float(file["minutes"])
            self.net.set_weights([file[f"weight{i}"] for i in range(len(self.mean))])
            self.mean = [file[f"mean{i}"] for i in range(len(self.mean))]
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(file[f"optimizer{i}"])
