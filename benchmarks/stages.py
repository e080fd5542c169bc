"""Where the time of `digits predict FOLDER` goes, for each picture of a data set.

    python benchmarks/stages.py [--count 5000] [--runs 5]

28×28 gray PNG files, as `export-png` writes them. Each stage is run on all pictures, in chunks as
in bulk, by one process on one processor; below, the whole command, with as many processes as there
are processors.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from results import Table, save_option

from digits import Outcome, Recognizer, preprocess
from digits._io import worker
from digits._io.workers import MAX_CHUNK
from digits.cli.output import write_records
from digits.imaging.content import read_content
from digits.imaging.decode import decode
from digits.recognition import rejector
from digits.recognition.finder import UNSEEN
from digits.recognition.joint import joint
from digits.recognition.results import make_predictions


def in_chunks(function: Callable[[Any], Any], items: Sequence[Any]) -> tuple[list[Any], float]:
    """The results of a function of chunks, and the seconds that it took."""
    results: list[Any] = []
    started = time.perf_counter()
    for start in range(0, len(items), MAX_CHUNK):
        results.extend(function(items[start : start + MAX_CHUNK]))
    return results, time.perf_counter() - started


def stages(recognizer: Recognizer, paths: list[str]) -> dict[str, float]:
    """Seconds of each stage."""
    seconds: dict[str, float] = {}

    def stage(name: str, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        results, seconds[name] = in_chunks(function, items)
        return results

    contents = stage("opening and reading", lambda c: [read_content(p) for p in c], paths)
    pictures = stage("decoding", lambda c: [decode(x) for x in c], contents)
    ready = stage("preprocessing", lambda c: [preprocess(p).image for p in c], pictures)
    images = np.stack(ready)
    digits = np.stack(stage("the model", recognizer.probabilities, images))

    def reject(places: Any) -> list[Any]:
        part = slice(places[0], places[-1] + 1)
        rejected = rejector.probabilities(images[part])
        known, none = joint(digits[part], rejected, np.stack([UNSEEN] * len(places)))
        return make_predictions(known, none, 0.5, np.zeros(len(places)))

    predictions = stage("rejection", reject, range(len(paths)))
    outcomes = [Outcome(p, one) for p, one in zip(paths, predictions, strict=True)]
    stage("from process to process", lambda c: pickle.loads(pickle.dumps(c)), outcomes)

    def write(chunk: Any) -> Any:
        write_records((one.to_json() for one in chunk), "csv", io.StringIO(), ("path", "digit"))
        return chunk

    stage("writing", write, outcomes)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5)
    save_option(parser)
    args = parser.parse_args()
    worker.in_worker = True  # one thread, as in each of several processes
    table = Table("stages", "Where the time of predict FOLDER goes",
                  ["stage", "microseconds a picture"], args.save)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "digits"]
        export = ["export-png", "pictures", "--data", "auto", "--limit", str(args.count)]
        subprocess.run([*command, *export], cwd=folder, check=True, capture_output=True)
        paths = [str(path) for path in sorted(Path(folder).rglob("*.png"))]
        recognizer = Recognizer("cnn")
        stages(recognizer, paths[:MAX_CHUNK])
        runs = [stages(recognizer, paths) for _ in range(args.runs)]
        for name in runs[0]:
            each = statistics.median(run[name] for run in runs) / len(paths)
            table.row(name, f"{each * 1e6:.1f}")
        whole = []
        for _ in range(args.runs):
            started = time.perf_counter()
            predict = ["predict", "pictures", "--format", "csv", "-o", "answers.csv", "--overwrite"]
            subprocess.run([*command, *predict], cwd=folder, check=True, capture_output=True)
            whole.append(time.perf_counter() - started)
    seconds = statistics.median(whole)
    table.row("the whole command", f"{seconds / len(paths) * 1e6:.1f}")
    table.done(
        f"Stages: processor time of one process. The whole command: {seconds:.2f} s for "
        f"{len(paths):,} pictures on {os.cpu_count()} processors, start-up included: "
        f"{len(paths) / seconds:,.0f} a second. Medians of {args.runs}."
    )


if __name__ == "__main__":
    main()
