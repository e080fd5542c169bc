"""Train the net that finds digits, on pages that a process beside it generates.

    python tools/train_finder.py FOLDER --minutes 60 [--resume]

Writes into FOLDER: `state.npz`, from which `--resume` goes on; `finder.keras` and `finder.tflite`,
the mean of the weights; `log.jsonl`, figures against minutes; `pages/`, what is generated.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
from pathlib import Path

import cv2
import numpy as np

from digits.data.dataset import Dataset
from digits.training.synthetic.pages import store
from digits.training.synthetic.pages.page import PageMaker
from digits.training.synthetic.pages.targets import Targets, targets

HELD_OUT = 3000  # of MNIST's training digits, at the end: for validation alone
VALIDATION_SEED = 1_000_003


def training_digits(path: Path, held_out: bool = False) -> Dataset:
    """MNIST's training digits without the held-out ones, or those alone."""
    with np.load(path) as file:
        images, labels = file["x_train"], file["y_train"]
    part = slice(-HELD_OUT, None) if held_out else slice(0, -HELD_OUT)
    return Dataset(images[part], labels[part])


def validation_pages(folder: Path, digits: Dataset, count: int = 160) -> list[Targets]:
    """Pages of another seed and other digits, made once and kept in `folder`."""
    found = []
    for height, width in store.SHAPES:
        path = folder / f"validation-{height}x{width}.npz"
        if not path.exists():
            maker = PageMaker(digits, VALIDATION_SEED)
            store.save(targets([maker.page((height, width)) for _ in range(count)]), path)
        found.append(store.load(path))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--mnist", type=Path, default=Path(os.environ.get("DIGITS_DATA", "data"), "mnist.npz")
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--files", type=int, default=48, help="files of generated pages to keep")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--learning-rate", type=float, default=2.5e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--cooldown", type=float, default=0.25)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    digits = training_digits(options.mnist)
    generator = context.Process(
        target=store.fill,
        args=(options.folder / "pages", digits, options.seed, options.files, os.getpid()),
        daemon=True,
    )
    generator.start()
    validation = validation_pages(options.folder, training_digits(options.mnist, held_out=True))
    import tensorflow as tf

    from digits.training import finder

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    recipe = finder.FinderRecipe(
        batch=options.batch, learning_rate=options.learning_rate, cooldown=options.cooldown
    )
    training = finder.FinderTraining(options.folder, recipe, options.resume)
    print(f"{training.net.count_params():,} weights", flush=True)
    training.run(options.folder / "pages", validation, options.minutes)
    generator.terminate()


if __name__ == "__main__":
    main()
