"""Pictures a second of each shipped model: our recognizer beside Keras.

    python benchmarks/throughput.py [--runs 7]

MNIST's test pictures where they are found, else the sample's; by turns, medians. Both get the same
array in memory and give probabilities; imports and the first call do not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
from results import Table, save_option

from digits import Recognizer, load
from digits.models.find import shipped_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    save_option(parser)
    args = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    images = load("auto")["test"].images
    table = Table(
        "throughput",
        "Pictures a second of the shipped models",
        ["model", "file, MB", "digits: pictures/s", "Keras predict: pictures/s", "times faster"],
        args.save,
    )
    for family in ("cnn", "dense", "rnn"):
        path = shipped_folder() / f"{family}.h5"
        ours, theirs = Recognizer(path), keras.models.load_model(path, compile=False)
        floats = images.astype(np.float32)
        ask = (
            lambda ours=ours: ours.probabilities(images),
            lambda theirs=theirs, floats=floats: theirs.predict(floats, batch_size=256, verbose=0),
        )
        seconds: list[list[float]] = [[], []]
        for run in range(args.runs + 1):
            for taken, call in zip(seconds, ask, strict=True):
                started = time.perf_counter()
                call()
                if run:
                    taken.append(time.perf_counter() - started)
        a, b = (len(images) / statistics.median(taken) for taken in seconds)
        table.row(
            family, f"{path.stat().st_size / 1e6:.2f}", f"{a:,.0f}", f"{b:,.0f}", f"{a / b:.1f}"
        )
    table.done(f"{len(images):,} pictures in one call, median of {args.runs}.")


if __name__ == "__main__":
    main()
