"""What `digits train --from MODEL` makes of half of somebody's pictures, scored on the other half.

    python benchmarks/learn_a_hand.py [FOLDER] [--model cnn] [--seeds 3]

The hands are the people of FOLDER (`images/` and a `labels.csv` with `filename` and `label`; the
part of a name before `__` is the person), each learned alone, and three simulated ones that write
1, 7 and 9 as the generated handwriting of training does not: from 30 pictures, scored on 400
others. The other digits of these hands are ordinary. Errors are also counted on MNIST's test
pictures, before and after. Seconds are those of the whole command in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from results import Table, save_option

from digits import Dataset, preprocess, train
from digits.imaging.geometry import bounding_box, to_mnist_geometry
from digits.training.synthetic.glyphs import DIGITS, Shape
from digits.training.synthetic.handwriting import draw_shape

# fmt: off
ODD_HANDS: dict[str, dict[int, Shape]] = {
    "1 with a roof, curled 9": {
        1: (((0, .3), (.9, .05), (.9, .05), (.5, 1)),),
        7: (
            ((.1, 0), (.1, .25), (.1, 0), (.9, .05), (.9, .05), (.5, .5), (.5, 1)),
            ((.2, .5), (.9, .5)),
        ),
        9: ((
            (.8, .1), (.3, 0), (.05, .25), (.4, .5), (.85, .3), (.85, .1), (.85, .8), (.5, 1),
            (.1, .85), (.3, .7), (1, .6),
        ),),
    },
    "1 as a tent, square 9": {
        1: (((0, .9), (.5, 0), (.5, 0), (1, .9)),),
        7: (
            ((0, .1), (.2, 0), (.5, .15), (.9, 0), (.9, 0), (.45, .5), (.6, 1)),
            ((.1, .6), (.9, .4)),
        ),
        9: (((.9, .5), (.2, .5), (.2, .5), (.2, .05), (.2, .05), (.9, 0), (.9, 0), (.9, 1)),),
    },
    "7 with a foot, looped 9": {
        1: (((.2, .3), (.5, 0), (.5, 0), (.5, 1), (.5, 1), (.1, .8)), ((0, 1), (1, .95))),
        7: (((0, 0), (1, 0), (1, 0), (.1, 1), (.1, 1), (.9, .97)), ((.1, .5), (.9, .5))),
        9: (((.6, .5), (.1, .3), (.5, 0), (.9, .3), (.5, .5), (.3, .9), (.9, 1)),),
    },
}
# fmt: on


def odd_hand(name: str, count: int, seed: int) -> Dataset:
    """Pictures in MNIST's geometry by one simulated hand, which writes each digit in one way."""
    rng = np.random.default_rng(seed)
    shapes = {digit: DIGITS[digit][0] for digit in range(10)} | ODD_HANDS[name]
    labels = np.arange(count) % 10
    drawings = [draw_shape(shapes[digit], rng) for digit in labels]
    images = [to_mnist_geometry(drawing, bounding_box(drawing)) for drawing in drawings]
    return Dataset(np.stack(images), labels.astype(np.uint8), name)


def people(folder: Path) -> dict[str, Dataset]:
    """The pictures of each person in a folder."""
    found: dict[str, list[tuple[np.ndarray, int]]] = {}
    for row in csv.DictReader((folder / "labels.csv").open(encoding="utf-8")):
        picture = preprocess(folder / "images" / row["filename"]).image
        person = row["filename"].split("__")[0]
        found.setdefault(person, []).append((picture, int(row["label"])))
    return {
        person: Dataset(np.stack([p for p, _ in rows]), np.array([d for _, d in rows]), person)
        for person, rows in found.items()
    }


def halves(hand: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    order = np.random.default_rng(seed).permutation(len(hand))
    return hand.take(order[::2]), hand.take(order[1::2])


def seconds_of_the_command(model: str, hand: Dataset) -> float:
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "mine.npz"), images=hand.images, labels=hand.labels)
        command = [sys.executable, "-m", "digits", "train", "--from", model, "--data", "mine.npz",
                   "--output", "new.h5"]  # fmt: skip
        started = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--model", action="append", help="one or several; cnn by default")
    parser.add_argument("--seeds", type=int, default=3)
    save_option(parser)
    args = parser.parse_args()
    table = Table(
        "learn-a-hand",
        "Learning a hand from half of its pictures",
        ["model", "hand", "learned from", "scored on", "wrong: before, after",
         "loss: before, after", "MNIST wrong: before, after", "saved"],
        args.save,
    )  # fmt: skip
    seconds, mnist = [], []
    for model in args.model or ["cnn"]:
        hands = {name: (odd_hand(name, 30, 1), odd_hand(name, 400, 2)) for name in ODD_HANDS}
        known = people(args.folder) if args.folder else {}
        for name in (*hands, *known):
            runs = []
            for seed in range(args.seeds):
                learned, scored = hands[name] if name in hands else halves(known[name], seed)
                pair = ((learned.images, learned.labels), (scored.images, scored.labels))
                runs.append(train(data=pair, start=model, seed=seed))
            own = [(run.before[0], run.metadata.test[0]) for run in runs]
            other = [(run.before[1], run.metadata.test[1]) for run in runs]
            mnist += [after.accuracy - before.accuracy for before, after in other]
            table.row(
                model, name, len(learned), len(scored),
                ", ".join(f"{statistics.mean(p[i].incorrect for p in own):.1f}" for i in (0, 1)),
                ", ".join(f"{statistics.mean(p[i].loss for p in own):.4f}" for i in (0, 1)),
                ", ".join(f"{statistics.mean(p[i].incorrect for p in other):.1f}" for i in (0, 1)),
                f"{sum(run.is_better for run in runs)} of {args.seeds}",
            )  # fmt: skip
        one = next(iter(hands.values()))[0]
        seconds += [seconds_of_the_command(model, one) for _ in range(args.seeds)]
    table.done(
        f"Means of {args.seeds} seeds, which also decide on the halves. MNIST's accuracy changes "
        f"by {statistics.mean(mnist):+.3%} on average, {min(mnist):+.2%} at worst. The whole "
        f"command takes {statistics.median(seconds):.1f} s, {max(seconds):.1f} at most."
    )


if __name__ == "__main__":
    main()
