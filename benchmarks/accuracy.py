"""A preset's accuracy over several seeds, on all of MNIST.

    python benchmarks/accuracy.py FOLDER [--preset best] [--families cnn,dense,rnn] [--seeds 0,1,2]
                                  [--soft-targets FILE.npz]

Each training is `digits train` in a process of its own, one after the other; the models go to
FOLDER as FAMILY-PRESET-SEED.h5. One that is there already is not trained again, and one that was
interrupted is resumed, so that a long measurement can be made in parts. Every figure is from the
model files: the test accuracy is that of MNIST's 10,000 test pictures, scored once when the
training had ended. Needs $DIGITS_DATA or ./data with mnist.npz.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
from results import Table, save_option

from digits.models.file import read
from digits.models.metadata import ModelMetadata
from digits.training.distillation import distilled
from digits.training.presets import recipe_for
from digits.training.recipe import Recipe
from digits.training.trained import checkpoint_of


def trained(
    folder: Path, family: str, preset: str, seed: int, soft_targets: Path | None
) -> ModelMetadata:
    """The metadata of the model of this seed, which is trained first when it is not there."""
    path = folder / f"{family}-{preset}-{seed}.h5"
    if not path.is_file():
        command = [sys.executable, "-m", "digits", "train", "--output", str(path)]
        if checkpoint_of(path).is_file():
            command += ["--resume"]
        else:
            command += [
                "--arch",
                family,
                "--preset",
                preset,
                "--data",
                "mnist",
                "--seed",
                str(seed),
            ]
            command += ["--soft-targets", str(soft_targets)] if soft_targets else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
    known = read(path).metadata
    recipe = Recipe.from_settings(known.settings or {})
    asked = recipe_for(family, preset)
    asked = replace(distilled(asked) if soft_targets else asked, source=recipe.source)
    if json.dumps(asked.settings()) != json.dumps(recipe.settings()) or known.seed != seed:
        sys.exit(f"{path} was trained by another recipe or seed. Move it away.")
    return known


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", default="best")
    parser.add_argument("--families", default="cnn,dense,rnn")
    parser.add_argument("--seeds", default="0,1,2", help="which, parted by commas")
    parser.add_argument("--soft-targets", type=Path, help="of teachers, see `make teachers`")
    save_option(parser)
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    args.folder.mkdir(parents=True, exist_ok=True)
    table = Table(
        f"accuracy-{args.preset}",
        f"Accuracy of preset {args.preset} on MNIST's test pictures, each seed",
        ["model", "accuracy, each seed", "mean", "lowest", "weights", "epochs", "median seconds"],
        args.save,
    )
    for family in args.families.split(","):
        seeds = [int(seed) for seed in args.seeds.split(",")]
        runs = [trained(args.folder, family, args.preset, s, args.soft_targets) for s in seeds]
        accuracies = [run.test[0].accuracy for run in runs]
        path = args.folder / f"{family}-{args.preset}-{seeds[0]}.h5"
        table.row(
            family,
            " ".join(f"{a:.2%}" for a in accuracies),
            f"{statistics.mean(accuracies):.3%}",
            f"{min(accuracies):.2%}",
            f"{count_weights(path):,}",
            len(runs[0].history),
            f"{statistics.median(run.seconds for run in runs):.1f}",
        )
    table.done("Seconds are those of fitting alone.")


def count_weights(path: Path) -> int:
    """All numbers that the model at `path` holds, those of normalization too."""
    with h5py.File(path) as file:
        sizes: list[int] = []
        file["model_weights"].visititems(
            lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None
        )
    return sum(sizes)


if __name__ == "__main__":
    main()
