"""Memory and time of commands over many picture files: flat, however many there are.

    python benchmarks/many_pictures.py [--counts 10000 100000] [--save]

The files are links to the 5,000 digits of `sample`, in folders of digits. Prints pictures a second,
whole commands, and the memory of the largest process. A data set of n pictures is 784 n bytes of
images, which `ingest` and `export-png` hold once. Takes ten minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Table, save_option

IMAGE_BYTES = 784
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "digits", *sys.argv[1:]], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def link(folder: Path, pictures: list[Path], count: int) -> None:
    """Fill a folder with links to pictures whose names end in their labels."""
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        os.link(picture, folder / picture.stem[-1] / f"{number}.png")


def measure(folder: Path, *args: object) -> tuple[float, float]:
    """Seconds of a command, and megabytes of its largest process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, args)],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - start, int(done.stdout) / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000])
    save_option(parser)
    options = parser.parse_args()
    table = Table(
        "many_pictures", "Many picture files",
        ["command", "pictures", "seconds", "pictures/s", "largest process", "of which images"],
        options.save,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        measure(folder, "export-png", "sample", "--data", "sample")
        pictures = sorted((folder / "sample").rglob("*.png"))
        for count in options.counts:
            link(folder / f"{count}", pictures, count)
            for name, held, args in (
                ("predict", 0, ("predict", count, "--format", "csv", "-o", f"{count}.csv")),
                ("ingest", count, ("ingest", count, "-q", "-o", f"{count}.npz")),
                ("export-png", count, ("export-png", f"out{count}", "--data", f"{count}.npz")),
            ):
                seconds, megabytes = measure(folder, *args)
                table.row(
                    name, f"{count:,}", f"{seconds:.0f}", f"{count / seconds:,.0f}",
                    f"{megabytes:.0f} MB", f"{held * IMAGE_BYTES / 1e6:.0f} MB",
                )  # fmt: skip
    table.done()


if __name__ == "__main__":
    main()
