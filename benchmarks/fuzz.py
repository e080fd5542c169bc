"""Damaged pictures of every format, decoded and preprocessed.

    python benchmarks/fuzz.py [--mutants 10000] [--seed 0] [--keep FOLDER]

Each must give a result or a one-line error, within 2 s of processor time after start-up, without
output of a C library on stderr, and with less than 1 GiB of memory. Prints a table; exits
1 if one is not. A crash or a hang of a process counts as a traceback.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from imaging.broken_pictures import FORMATS, TRACEBACK, mutants, verdict

MAX_SECONDS = 2.0
MAX_MEGABYTES = 1024
HANG_SECONDS = 30


@dataclass
class Results:
    """The outcomes of the mutants of one format."""

    said: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    megabytes: float = 0.0
    stderr: str = ""
    bad: dict[int, str] = field(default_factory=dict)

    def add(self, number: int, said: str, seconds: float) -> None:
        self.said[TRACEBACK if said.startswith(TRACEBACK) else said] += 1
        self.slowest = max(self.slowest, seconds)
        if said.startswith(TRACEBACK):
            self.bad[number] = said
        elif seconds > MAX_SECONDS:
            self.bad[number] = f"{seconds:.1f} s: {said}"

    @property
    def good(self) -> bool:
        return not self.bad and not self.stderr and self.megabytes <= MAX_MEGABYTES


def work(pipe: Connection, kind: str, seed: int, first: int, count: int) -> None:
    """In a process of its own: preprocess mutants from `first` on; last, its memory and stderr."""
    logging.getLogger("digits").addHandler(logging.NullHandler())
    with tempfile.TemporaryFile() as stderr:
        os.dup2(stderr.fileno(), 2)
        for number, content in enumerate(mutants(kind, seed, count)):
            if number >= first:
                pipe.send((number, *verdict(content)))
        stderr.seek(0)
        said = stderr.read(2000).decode(errors="replace")
    pipe.send((None, said, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def rejector(seed: int, kind: str, count: int) -> Results:
    """All mutants of a format; a process that crashes or hangs is replaced by the next."""
    context = multiprocessing.get_context("spawn")
    results = Results()
    done = 0
    while True:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(theirs, kind, seed, done, count))
        process.start()
        theirs.close()
        try:
            while ours.poll(HANG_SECONDS):
                number, said, figure = ours.recv()
                if number is None:
                    process.join()
                    results.stderr, results.megabytes = said, max(results.megabytes, figure)
                    return results
                results.add(number, said, figure)
                done = number + 1
            problem, seconds = "hangs", float(HANG_SECONDS)
            process.kill()
        except EOFError:
            problem, seconds = "crashes", 0.0
        process.join()
        results.add(done, f"{TRACEBACK}: {problem} ({process.exitcode})", seconds)
        done += 1


def keep(folder: Path, kind: str, seed: int, results: Results) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(mutants(kind, seed, max(results.bad, default=-1) + 1)):
        if number in results.bad:
            (folder / f"{kind.lower()}-{seed}-{number}").write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000, help="of all formats together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where to write the mutants that fail")
    asked = parser.parse_args()
    counts = [len(range(place, asked.mutants, len(FORMATS))) for place, _ in enumerate(FORMATS)]
    print("| format | mutants | read | slowest, s | most MiB | tracebacks | refused |")
    print("|---|---|---|---|---|---|---|", flush=True)
    good = True
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        all_results = pool.map(partial(rejector, asked.seed), FORMATS, counts)
        for kind, results in zip(FORMATS, all_results, strict=True):
            said = results.said
            refused = "; ".join(
                f"{why} {n}" for why, n in said.most_common() if why not in ("read", TRACEBACK)
            )
            print(
                f"| {kind} | {said.total()} | {said['read']} | {results.slowest:.2f} |"
                f" {results.megabytes:.0f} | {said[TRACEBACK]} | {refused} |",
                flush=True,
            )
            for number, problem in results.bad.items():
                print(f"{kind} {number}: {problem}", file=sys.stderr)
            if results.stderr:
                print(f"{kind} on stderr: {results.stderr}", file=sys.stderr)
            if asked.keep:
                keep(asked.keep, kind, asked.seed, results)
            good = good and results.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
