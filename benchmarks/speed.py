"""Whole commands, from typing to the end, beside what a plain Keras script takes.

    python benchmarks/speed.py [--runs 7]

Prints a table of medians; command and peer run by turns. Memory is the largest resident size of
the process. The two rows on all of MNIST need $DIGITS_DATA or ./data with mnist.npz.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Table, save_option

from digits.models.find import shipped_folder

NOTE = "Medians; memory is the largest resident size of the process."
KERAS_PREDICT = """
import sys, numpy as np, keras
from PIL import Image
model = keras.models.load_model(sys.argv[1], compile=False)
pixels = 255 - np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28)))
print(model.predict(pixels[None].astype("float32"), verbose=0).argmax())
"""
KERAS_EVAL = """
import sys, os, numpy as np, keras
model = keras.models.load_model(sys.argv[1], compile=False)
data = np.load(sys.argv[2])
answers = model.predict(data["x_test"].astype("float32"), verbose=0)
print((answers.argmax(1) == data["y_test"]).mean())
"""
FIRST_BATCH = """
import sys, time
started = time.perf_counter()
from digits import train
from digits.training.callback import Callback
class First(Callback):
    def on_progress(self, epoch, fraction):
        print("seconds", time.perf_counter() - started)
        sys.stdout.flush()
        import os; os._exit(0)
train("cnn", "sample", check_every=1, until_accuracy=0.999, callback=First())
"""
KERAS_FIRST_BATCH = """
import sys, time
started = time.perf_counter()
for name in ("sklearn", "pandas"):
    sys.modules[name] = None  # a clean environment, where neither is installed
import keras, numpy as np
L = keras.layers
model = keras.Sequential([keras.Input((28, 28)), L.Rescaling(1 / 255), L.Reshape((28, 28, 1)),
    L.Conv2D(16, 5, padding="same", activation="relu"), L.MaxPooling2D(),
    L.Conv2D(36, 5, padding="same", activation="relu"), L.MaxPooling2D(), L.Dropout(.25),
    L.Flatten(), L.Dense(128, activation="relu"), L.Dropout(.5), L.Dense(10, activation="softmax")])
model.compile("rmsprop", "sparse_categorical_crossentropy")
class First(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("seconds", time.perf_counter() - started)
        sys.stdout.flush()
        import os; os._exit(0)
x = np.zeros((3800, 28, 28), "uint8")
model.fit(x, np.zeros(3800), batch_size=186, verbose=0, callbacks=[First()])
"""


def timed(command: list[str], cwd: Path) -> tuple[float, float, str]:
    """Seconds, megabytes and output of one run."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        if status:
            sys.exit(f"failed: {' '.join(command)[:200]}")
        return seconds, usage.ru_maxrss / 1024, output.read()


def row(
    table: Table, name: str, ours: list[str], peer: list[str] | None, runs: int, cwd: Path
) -> None:
    """One line of the table: medians of `runs`, after one run of each that does not count."""
    figures: dict[str, list[tuple[float, float, str]]] = {"ours": [], "peer": []}
    for number in range(runs + 1):
        for who, command in (("ours", ours), ("peer", peer)):
            if command:
                result = timed(command, cwd)
                if number:
                    figures[who].append(result)
    seconds = statistics.median(_seconds(r) for r in figures["ours"])
    memory = statistics.median(r[1] for r in figures["ours"])
    others = []
    if peer:
        pairs = zip(figures["peer"], figures["ours"], strict=True)
        taken = statistics.median(_seconds(r) for r in figures["peer"])
        ratio = statistics.median(_seconds(p) / _seconds(o) for p, o in pairs)
        megabytes = statistics.median(result[1] for result in figures["peer"])
        others = [f"{taken:.3f}", f"{megabytes:.0f}", f"{ratio:.2f}"]
    table.row(name, f"{seconds:.3f}", f"{memory:.0f}", *(others or [""] * 3))


def _seconds(result: tuple[float, float, str]) -> float:
    """What the process printed, when it timed itself; else the time of the whole process."""
    printed = re.fullmatch(r"seconds (\S+)\s*", result[2])
    return float(printed[1]) if printed else result[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    save_option(parser)
    args = parser.parse_args()
    runs = args.runs
    python, digits = sys.executable, [sys.executable, "-m", "digits"]
    console = Path(sys.executable).with_name("digits")
    digits = [str(console)] if console.is_file() else digits
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    cnn = str(shipped_folder() / "cnn.h5")
    mnist = Path(os.environ.get("DIGITS_DATA", "data"), "mnist.npz").resolve()
    table = Table(
        "speed",
        "Whole commands, from typing to the end",
        ["command", "seconds", "MB", "plain Keras: seconds", "MB", "times faster"],
        args.save,
    )
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        timed([*digits, "export-png", "p", "--data", "sample", "--limit", "1"], cwd)
        picture = "p/test/00000_0.png"
        peer = [python, "-c", KERAS_PREDICT, cnn, picture]
        row(table, "predict one picture", [*digits, "predict", picture, "-m", cnn], peer, runs, cwd)
        row(table, "--help", [*digits, "--help"], None, runs, cwd)
        first = [python, "-c", FIRST_BATCH]
        row(table, "train, to the first batch", first, [python, "-c", KERAS_FIRST_BATCH], runs, cwd)
        if not mnist.is_file():
            table.done(NOTE)
            return
        peer = [python, "-c", KERAS_EVAL, cnn, str(mnist)]
        ours = [*digits, "eval", "-m", cnn, "--data", "mnist", "--data-dir", str(mnist.parent)]
        row(table, "eval, 10,000 pictures", ours, peer, runs, cwd)
        timed(
            [*digits, "export-png", "all", "--data", "mnist", "--data-dir", str(mnist.parent)], cwd
        )
        ours = [
            *digits,
            "predict",
            "all",
            "-m",
            cnn,
            "--format",
            "jsonl",
            "-o",
            "out",
            "--overwrite",
        ]
        row(table, "predict a folder of 70,000", ours, None, min(runs, 3), cwd)
    table.done(NOTE)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
