"""Seconds to 99 % on MNIST: `digits train`, a plain Keras script and a plain PyTorch script.

    python benchmarks/time_to_accuracy.py [--seeds 10] [--others cnn,dense,rnn]

Each training is a process of its own, the three by turns, and times its own fitting, from the data
in memory to the last step; for the network as a whole it is the first time, so that what a
framework compiles counts. The whole command is timed from outside: imports, reading the data, the
test, compiling, saving. The peers train the same well-known one-epoch network: two convolutions of
24 and 32 filters with pooling, a dense layer of 256, Adam, a rate that rises and falls once (1e-2
and batches of 256 in PyTorch, 3e-3 and 128 in Keras). The test set is scored once for each
training and chooses nothing. Needs $DIGITS_DATA or ./data with mnist.npz; PyTorch comes with
`pip install 'digits[bench]'` and is left out where it is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from results import Table, save_option

TIMED = "seconds to train, accuracy: "
GOAL = 0.99


def keras_peer(seed: int) -> tuple[float, float]:
    import keras

    from digits import load

    (x, y), (x_test, y_test) = ((s.images / 255.0, s.labels) for s in load("mnist"))
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(24, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    steps = -(-len(x) // 128)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - 60, warmup_target=3e-3, warmup_steps=60
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    started = time.perf_counter()
    model.fit(x, y, batch_size=128, epochs=1, verbose=0)
    seconds = time.perf_counter() - started
    return seconds, float((model.predict(x_test, verbose=0).argmax(1) == y_test).mean())


def torch_peer(seed: int) -> tuple[float, float]:
    import torch
    from torch import nn

    from digits import load

    (x, y), (x_test, y_test) = (
        (torch.tensor(s.images)[:, None] / 255, torch.tensor(s.labels).long())
        for s in load("mnist")
    )
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 24, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10),
    )  # fmt: skip
    steps = -(-len(x) // 256)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.7, 0.9))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    started = time.perf_counter()
    for part in torch.randperm(len(x)).split(256):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[part]), y[part]).backward()
        optimizer.step()
        schedule.step()
    seconds = time.perf_counter() - started
    with torch.no_grad():
        answers = torch.cat([model(piece).argmax(1) for piece in x_test.split(1000)])
    return seconds, float((answers == y_test).float().mean())


PEERS = {"plain Keras": keras_peer, "plain PyTorch": torch_peer}


def command(family: str, seed: int) -> tuple[float, float, float]:
    """Seconds of fitting, accuracy, seconds of the whole command."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "model.h5")
        line = [sys.executable, "-m", "digits", "train", "--arch", family, "--data", "mnist",
                "--seed", str(seed), "--output", str(out)]  # fmt: skip
        started = time.perf_counter()
        _run(line)
        whole = time.perf_counter() - started
        known = json.loads(_run([*line[:3], "info", str(out), "--format", "json"]))
    return known["seconds"], known["test"][0]["accuracy"], whole


def peer(name: str, seed: int) -> tuple[float, float, float]:
    """As `command`, of a script of this file."""
    started = time.perf_counter()
    said = _run([sys.executable, __file__, "--one", name, "--seeds", str(seed)])
    whole = time.perf_counter() - started
    seconds, accuracy = said.split(TIMED)[1].split()
    return float(seconds), float(accuracy), whole


def _run(line: list[str]) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--families", default="cnn,dense,rnn")
    parser.add_argument("--one", choices=list(PEERS), help=argparse.SUPPRESS)
    save_option(parser)
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if args.one:
        print(TIMED, *PEERS[args.one](args.seeds))
        return
    peers = [p for p in PEERS if p != "plain PyTorch" or importlib.util.find_spec("torch")]
    families = args.families.split(",")
    runs: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(args.seeds):
        for name in (*families, *peers):
            how = command if name in families else peer
            runs.setdefault(name, []).append(how(name, seed))
            print(name, seed, *(f"{figure:.4g}" for figure in runs[name][-1]), file=sys.stderr)
    table = Table(
        "time-to-accuracy",
        "Seconds to train: preset fast beside plain scripts",
        ["training", "fitting: median seconds", "range", "accuracy: mean", "lowest",
         "seeds at 99 % or more", "whole command: median seconds"],
        args.save,
    )  # fmt: skip
    for name, done in runs.items():
        seconds, accuracies, whole = zip(*done, strict=True)
        table.row(
            f"{name} fast" if name in families else name,
            f"{statistics.median(seconds):.2f}",
            f"{min(seconds):.2f} to {max(seconds):.2f}",
            f"{statistics.mean(accuracies):.2%}",
            f"{min(accuracies):.2%}",
            f"{sum(a >= GOAL for a in accuracies)} of {len(accuracies)}",
            f"{statistics.median(whole):.1f}",
        )
    ours = [run[0] for run in runs.get("cnn", [])]
    pairs = ""
    for name in peers if ours else []:
        ratios = [a / b[0] for a, b in zip(ours, runs[name], strict=True)]
        pairs += (
            f"Fitting cnn fast takes {statistics.median(ratios):.2f} of the seconds of {name}, "
            f"{min(ratios):.2f} to {max(ratios):.2f} in pairs of one seed. "
        )
    print(pairs)
    table.done(pairs, {"torch": version("torch")} if "plain PyTorch" in peers else None)


if __name__ == "__main__":
    main()
