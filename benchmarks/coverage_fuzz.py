"""Look for bytes that a reader cannot bear, guided by the code that they reach (Atheris).

    python benchmarks/coverage_fuzz.py TARGET [--minutes 60] [--corpus fuzz] [--seed 0]

TARGET is a reader of `tests/untrusted.py`. Inputs that reach new code are kept in CORPUS/TARGET,
with which the next run goes on. The first input that ends in something else than a result or a
`DigitsError`, takes 5 s, or 1 GB, ends the run: it is written to the working folder as crash-…,
timeout-… or oom-…. Mend that, move it to tests/regressions/TARGET, and go on. Crashes and endless
loops of HDF5 itself (h5, keras) are none of ours: the program reads these in a child process.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

MAX_SECONDS, MAX_MEGABYTES = 5, 1024
_OWN = ["digits", "numpy.lib", "zipfile", "PIL"]


def main() -> None:
    with atheris.instrument_imports(include=_OWN, enable_loader_override=False):
        from untrusted import TARGETS, refusal

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--corpus", type=Path, default=Path("fuzz"))
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    asked = parser.parse_args()
    target = TARGETS[asked.target]
    corpus = asked.corpus / asked.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(content)
    logging.getLogger("digits").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    options = [
        f"-max_total_time={int(60 * asked.minutes)}", f"-timeout={MAX_SECONDS}",
        f"-rss_limit_mb={MAX_MEGABYTES}", f"-seed={asked.seed}", "-print_final_stats=1",
        f"-max_len={2 * max(map(len, target.seeds))}",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda content: refusal(target, content))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
