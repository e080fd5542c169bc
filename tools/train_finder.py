"""Train the net that finds digits, on pages that processes beside it generate.

    python tools/train_finder.py FOLDER --minutes 60 [--resume] [--generators 1]
    python tools/train_finder.py FOLDER --compile

Writes into FOLDER: `state.npz`, from which `--resume` goes on; `finder.keras`, the mean of the
weights; `log.jsonl`, figures against minutes; `pages/`, what is generated. It runs on any backend
of Keras (`KERAS_BACKEND`). `--compile` writes `finder.tflite`, and needs TensorFlow.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from digits.data.dataset import Dataset
from digits.recognition.finder.looks import FinderNet
from digits.training.finder import FinderRecipe, FinderTraining
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


def validation_pages(folder: Path, digits: Dataset, count: int = 200) -> list[Targets]:
    """Pages of another seed and other digits, made once and kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for height, width in store.SHAPES:
        path = folder / f"validation-{height}x{width}.npz"
        if not path.exists():
            maker = PageMaker(digits, VALIDATION_SEED)
            store.save(targets([maker.page((height, width)) for _ in range(count)]), path)
        found.append(store.load(path))
    return found


def compile_for_litert(folder: Path) -> None:
    """Write `finder.tflite` beside `finder.keras`."""
    import keras

    from digits.training.finder_net import compile_net

    net = keras.models.load_model(folder / "finder.keras", compile=False)
    (folder / "finder.tflite").write_bytes(compile_net(net))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--mnist", type=Path, default=Path(os.environ.get("DIGITS_DATA", "data"), "mnist.npz")
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--generators", type=int, default=1, help="processes that make pages")
    parser.add_argument("--files", type=int, default=48, help="files of generated pages to keep")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--pages", type=Path, help="where to generate; in FOLDER by default")
    parser.add_argument("--mine", type=Path, help="a finder.tflite to find hard negatives with")
    parser.add_argument("--start", type=Path, help="a finder.keras whose weights to start with")
    defaults = FinderRecipe()
    for field in fields(FinderRecipe):
        name = "--" + field.name.replace("_", "-")
        default = getattr(defaults, field.name)
        action = {"action": "store_true"} if default is False else {"type": type(default)}
        parser.add_argument(name, default=default, **action)
    options = parser.parse_args()
    if options.compile:
        compile_for_litert(options.folder)
        return
    cv2.setNumThreads(1)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pages = options.pages or options.folder / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    digits = training_digits(options.mnist)
    mined = FinderNet(options.mine.read_bytes(), options.mine.name) if options.mine else None
    generators = [
        context.Process(
            target=store.fill,
            args=(pages, digits, (options.seed, number), options.files, os.getpid(), mined),
            daemon=True,
        )
        for number in range(options.generators)
    ]
    for generator in generators:
        generator.start()
    validation = validation_pages(options.folder, training_digits(options.mnist, held_out=True))
    recipe = FinderRecipe(
        **{field.name: getattr(options, field.name) for field in fields(FinderRecipe)}
    )
    training = FinderTraining(options.folder, recipe, options.resume)
    if options.start and not options.resume:
        training.start_from(options.start)
    print(f"{training.net.count_params():,} weights", flush=True)
    training.run(pages, validation, options.minutes)
    for generator in generators:
        generator.terminate()


if __name__ == "__main__":
    main()
