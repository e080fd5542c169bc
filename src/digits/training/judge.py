"""Train the judge, which tells digits from what is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset, Images, Splits, joined
from ..data.sources import load
from ..judge import NO_DIGIT
from ..models import file as model_file
from ..models._keras import import_keras
from ..models.builders import build
from ..models.compile import compile_program
from ..models.presets import JUDGE_RECIPE
from ..models.program import Program
from ..models.ready import vouch_for
from ..models.recipe import JUDGE, OUTPUTS, with_overrides
from .calibrate import calibrate
from .fit import Observer, fit
from .generate import not_digits, written_digits
from .rows import cut_rows
from .run import metadata

CANDIDATES = 50_000
NO_DIGITS = 35_000
"""So many parts of rows, and signs and blots, are learned from besides the recipe's digits."""


@dataclass(frozen=True)
class Examples:
    """Pictures (n, 28, 28) uint8 and labels (n,) uint8, of digits 0..9 or NO_DIGIT."""

    images: Images
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def train_judge(
    path: str | os.PathLike[str],
    data: Splits | str | os.PathLike[str] = "mnist",
    *,
    candidates: int = CANDIDATES,
    others: int = NO_DIGITS,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    observer: Observer | None = None,
    **overrides: Any,
) -> Path:
    """Train the judge on the training digits of `data` and generated pictures; write it to `path`.

    data: as of `train`, but with a test part. candidates, others: so many parts of rows, and signs
    and blots, are learned from besides the digits. overrides: fields of `Recipe`.
    """
    recipe = with_overrides(JUDGE_RECIPE, **overrides)
    splits = data if isinstance(data, Splits) else load(data, data_dir)
    learn, held = splits["train"].held_out(recipe.validation_fraction, seed)
    written = written_digits(recipe.generated, seed)
    train = _examples(joined([learn, written], "digits"), candidates, others, seed)
    share = len(held) / len(learn)
    validation = _examples(held, round(candidates * share), round(others * share), seed + 1)
    import_keras().utils.set_random_seed(seed)
    model = build(recipe.family, recipe.architecture)
    fitted = fit(model, recipe, train, validation, seed, observer or Observer())
    fair = Examples(
        np.concatenate([held.images, none := not_digits(held.images, len(held), seed + 2)]),
        np.concatenate([held.labels, np.full(len(none), NO_DIGIT, np.uint8)]),
    )
    temperature = calibrate(model, fair)
    program = compile_program(model)
    about = metadata(recipe, fitted, [splits["train"]], seed)
    about["test"] = [_score(Program(program, JUDGE, OUTPUTS[JUDGE]), splits["test"])]
    about["temperature"] = temperature
    path = Path(path)
    model_file.write(path, model, about, program, splits["train"].digests)
    vouch_for(path)
    return path


def _examples(digits: Dataset, candidates: int, others: int, seed: int) -> Examples:
    """`digits` themselves, parts of rows of them, and `others` that are none; well mixed."""
    cut, labels = cut_rows(digits, candidates, NO_DIGIT, seed)
    none = np.full(others, NO_DIGIT, np.uint8)
    images = np.concatenate([digits.images, cut, not_digits(digits.images, others, seed)])
    labels = np.concatenate([digits.labels, labels, none])
    order = np.random.default_rng(seed).permutation(len(labels))
    return Examples(images[order], labels[order])


def _score(program: Program, test: Dataset) -> dict[str, Any]:
    """As of a recogniser, but a digit taken for none is wrong."""
    answers = program.probabilities(test.images)
    right = answers[np.arange(len(test)), test.labels]
    return {
        "name": test.name,
        "n": len(test),
        "loss": float(-np.log(np.maximum(right, 1e-7)).mean()),
        "accuracy": float((answers.argmax(axis=1) == test.labels).mean()),
    }
