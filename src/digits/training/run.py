"""From a data set to a tested model: the whole of `digits train` but its printing."""

from __future__ import annotations

import datetime
import json
import logging
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset, Splits, joined
from ..data.sources import NAMES, ProgressBar, load
from ..errors import DataError, ModelError, OutputError
from ..evaluation import Score, evaluate
from ..files import check_writable, write_text
from ..models import file as model_file
from ..models._keras import import_keras
from ..models.builders import build
from ..models.compile import compile_program
from ..models.find import find_model
from ..models.foreign.rebuild import load_model
from ..models.presets import recipe_for
from ..models.ready import ready, vouch_for
from ..models.recipe import Recipe, with_overrides
from ..recognizer import Recognizer
from .calibrate import calibrate
from .device import on_device
from .fit import Epoch, Fitted, Observer, fit
from .generate import written_digits

log = logging.getLogger(__name__)

HELD_OUT = 0.2
"""The share of a set without a test part that is held out for the test."""

FINE_TUNING = {"epochs": 5, "rate_factor": 0.3, "mix_least": 5_000, "mix_ratio": 2}
"""`start`: so many epochs, the recipe's rate times this, and at least so many MNIST digits, or so
many for each picture of one's own, mixed in."""


@dataclass(frozen=True)
class Trained:
    """A trained, compiled and tested model that waits to be saved."""

    model: Any  # keras.Model
    recipe: Recipe
    fitted: Fitted
    scores: tuple[Score, ...]  # on each test part
    metadata: dict[str, Any] = field(repr=False)
    program: bytes = field(repr=False)
    seen: Any = field(repr=False)  # digests of the pictures that it learned from

    @property
    def history(self) -> list[Epoch]:
        """One record for each epoch."""
        return self.fitted.history

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to `path` and its history and settings into the run folder beside it.

        An earlier model at `path` is kept as PATH.bak. Returns the run folder. Raises OutputError.
        """
        path = Path(path)
        model_file.write(path, self.model, self.metadata, self.program, self.seen)
        vouch_for(path)
        folder = run_folder(path)
        write_text(folder / "history.csv", history_csv(self.history))
        write_text(folder / "settings.json", json.dumps(self.metadata, indent=2) + "\n")
        return folder

    def save_or_rescue(self, path: str | os.PathLike[str]) -> Path:
        """As `save`; when that place cannot be written, save elsewhere so that nothing is lost.

        Then raises OutputError, which says where the model is.
        """
        try:
            return self.save(path)
        except OutputError as error:
            rescue = Path(tempfile.mkdtemp(prefix="digits-"), Path(path).name)
            self.save(rescue)
            raise OutputError(error.what, f"The model was saved as {rescue} instead") from error


def check_output(
    path: str | os.PathLike[str] | None,
    family: str | None = None,
    start: str | os.PathLike[str] | None = None,
) -> Path:
    """Where a training saves its model, checked before it begins; OutputError if it could not.

    path: the place asked for; None for `models/FAMILY.h5`, where the family is `family`, or that of
    the model `start`, or cnn.
    """
    if path is None:
        known = family or (ready(find_model(start)).family if start else "cnn")
        path = Path("models", f"{known}.h5")
    path = Path(path)
    if path.suffix != ".h5":
        raise OutputError(f"a model cannot be saved as {path}", "Give a name that ends in .h5")
    check_writable(path)
    check_writable(run_folder(path) / "history.csv")
    return path


def run_folder(path: str | os.PathLike[str]) -> Path:
    """The folder beside the model at `path` that tells how it was trained: `cnn.h5` → `cnn-run`."""
    return Path(path).with_name(f"{Path(path).stem}-run")


def train(
    family: str | None = None,
    data: Splits | str | os.PathLike[str] | Sequence[Splits | str | os.PathLike[str]] = "auto",
    *,
    preset: str | None = None,
    start: str | os.PathLike[str] | None = None,
    mix: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    observer: Observer | None = None,
    progress: ProgressBar | None = None,
    **overrides: Any,
) -> Trained:
    """Train a model and test it.

    family: `dense`, `cnn` (default) or `rnn`; preset: one of its recipes (see `models.presets`).
    data: one or several of `auto`, `mnist`, `sample`, a path, or what `load` returned.
    start: a model file to go on from (fine-tuning): its family and recipe, with a low rate and few
    epochs unless overridden.
    mix: that many MNIST digits are mixed into fine-tuning so that the old skill is kept; by default
    twice as many as there are pictures of your own, 5,000 at least; 0 for none.
    limit: learn from the first so many pictures only. device: `auto`, `cpu` or `gpu`.
    overrides: fields of `Recipe`, such as `epochs=3`; None leaves the recipe's value.
    observer: is told how it goes; progress: of a download of MNIST, if one is needed.
    Test pictures are the sets' test parts; a set without one has 20 % held out for it.
    Raises DataError and ModelError.
    """
    recipe, earlier = _recipe(family, preset, start, overrides)
    sets = [data] if isinstance(data, (Splits, str, os.PathLike)) else list(data)
    splits = [s if isinstance(s, Splits) else load(s, data_dir, progress) for s in sets]
    has_mnist = any(s.name in NAMES if isinstance(s, Splits) else s in NAMES for s in sets)
    training, tests = _parts(splits, seed)
    if limit is not None:
        whole = joined(training, "+".join(d.name for d in training))
        training = [(whole if has_mnist else whole.shuffled(seed)).limit(limit)]
    if earlier and mix != 0 and not (mix is None and has_mnist):
        old = _to_mix(sum(map(len, training)), mix, seed, data_dir)
        training.append(old["train"])
        tests.append(old["test"])
    # MNIST comes well mixed; sets of one's own may be sorted by digit.
    mixed = len(training) == 1 and has_mnist
    learn_from = training[0] if mixed else joined(training, "all").shuffled(seed)
    held: Dataset | None = None
    if recipe.validation_fraction:
        learn_from, held = learn_from.held_out(recipe.validation_fraction, seed)
    if recipe.generated:
        more = written_digits(recipe.generated, seed)
        learn_from = joined([learn_from, more], "all").shuffled(seed)
    recipe = recipe.for_pictures(len(learn_from))

    import_keras().utils.set_random_seed(seed)
    observer = observer or Observer()
    with on_device(device):
        model = load_model(earlier.path) if earlier else build(recipe.family, recipe.architecture)
        observer.started(model, recipe, learn_from)
        fitted = fit(model, recipe, learn_from, held, seed, observer)

    temperature = calibrate(model, held) if held else None
    program = compile_program(model)
    evaluation = evaluate(Recognizer.from_program(program, recipe.family), tests)
    about = metadata(recipe, fitted, training, seed)
    about["test"] = [
        {"name": s.name, "n": s.n, "loss": s.loss, "accuracy": s.accuracy}
        for s in evaluation.scores
    ]
    about["validation_pictures"] = len(held) if held else 0
    about["temperature"] = temperature
    if earlier:
        about["started_from"] = {
            "path": str(earlier.path),
            "data": earlier.metadata.get("data", []),
        }
    seen = np.concatenate(
        [d.digests for d in training] + ([earlier.seen_digests()] if earlier else [])
    )
    _warn_of_seen(tests, seen)
    return Trained(model, recipe, fitted, evaluation.scores, about, program, seen)


def _recipe(
    family: str | None,
    preset: str | None,
    start: str | os.PathLike[str] | None,
    overrides: dict[str, Any],
) -> tuple[Recipe, model_file.ModelFile | None]:
    if start is None:
        return recipe_for(family or "cnn", preset, **overrides), None
    earlier = ready(find_model(start))
    if family not in (None, earlier.family):
        raise ModelError(f"{start} is a {earlier.family}, not a {family}", "Leave --arch out")
    settings = earlier.metadata["settings"]
    if settings:
        before = Recipe.from_settings(settings)
    else:  # of another program: its layers are what they are, its recipe is not known
        known = {"preset": "foreign", "architecture": {"as in": earlier.path.name}}
        before = with_overrides(recipe_for(earlier.family), **known)
    if preset is not None:
        base = replace(recipe_for(earlier.family, preset), architecture=before.architecture)
        return with_overrides(base, **overrides), earlier
    gentle = replace(
        before,
        epochs=int(FINE_TUNING["epochs"]),
        calm_epochs=0,
        least_steps=0,
        warm_up=0.0,
        learning_rate=before.learning_rate * FINE_TUNING["rate_factor"],
        shuffle=True,
        until_accuracy=None,
        check_every=None,
    )
    return with_overrides(gentle, **overrides), earlier


def _parts(splits: Sequence[Splits], seed: int) -> tuple[list[Dataset], list[Dataset]]:
    """The pictures to learn from and to test on, of each set."""
    training, tests = [], []
    for each in splits:
        if set(each.parts) == {"test"}:
            raise DataError(f"{each.name} has only a test part", "Add pictures to learn from")
        if "test" in each.parts:
            learn, test = each.for_training, each["test"]
        else:
            learn, test = each.for_training.held_out(HELD_OUT, seed)
            log.info("%s has no test part: %d of its pictures are held out", each.name, len(test))
        training.append(learn)
        tests.append(test)
    return training, tests


def _warn_of_seen(tests: Sequence[Dataset], seen: NDArray[np.uint64]) -> None:
    for test in tests:
        if count := test.count_in(seen):
            log.warning(
                "the model learned from %s of the %s pictures of %s, so that score is flattered",
                f"{count:,}", f"{len(test):,}", test.name,
            )  # fmt: skip


def _to_mix(
    own: int, mix: int | None, seed: int, data_dir: str | os.PathLike[str] | None
) -> Splits:
    """MNIST digits that keep the old skill alive."""
    count = mix or max(int(FINE_TUNING["mix_least"]), int(FINE_TUNING["mix_ratio"]) * own)
    mnist = load("auto", data_dir)
    some = mnist["train"].shuffled(seed).limit(count)
    log.info("mixing in %d digits of %s so that the old skill is kept", len(some), mnist.name)
    return Splits(mnist.name, {"train": some, "test": mnist["test"]})


def metadata(
    recipe: Recipe, fitted: Fitted, training: Sequence[Dataset], seed: int
) -> dict[str, Any]:
    """What a model file tells of its model, but for the test."""
    keras = import_keras()
    packages = ("digits", "keras", "tensorflow", "numpy")
    return {
        "family": recipe.family,
        "preset": recipe.preset,
        "settings": recipe.settings(),
        "seed": seed,
        "data": [
            {"name": d.name, "pictures": len(d), "fingerprint": d.fingerprint} for d in training
        ],
        "history": [asdict(epoch) for epoch in fitted.history],
        "interrupted": fitted.interrupted,
        "seconds": round(fitted.seconds, 2),
        "versions": {name: version(name) for name in packages}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def history_csv(history: Sequence[Epoch]) -> str:
    """The history as comma-separated values with a header; what was not measured stays empty."""
    names = list(Epoch.__dataclass_fields__)
    lines = [",".join(names)]
    for epoch in history:
        values = asdict(epoch)
        lines.append(",".join("" if values[n] is None else f"{values[n]}" for n in names))
    return "\n".join(lines) + "\n"
