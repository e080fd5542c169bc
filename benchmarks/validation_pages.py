"""Generated pages to choose by, as a folder of sets that `wild.py` reads.

    python benchmarks/validation_pages.py FOLDER
    python benchmarks/wild.py FOLDER --only-folder

They are made as those that the finder is trained on, from MNIST's held-out training digits and a
seed of their own. Choose thresholds and constants by these; the other pictures that `wild.py` reads
are the last check.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import cv2
import numpy as np

from digits.data.dataset import Dataset
from digits.training.synthetic.pages.page import Page, PageMaker

SEED = 2_000_003
HELD_OUT = 3000  # of MNIST's training digits, at the end: see tools/train_finder.py
COUNTS = {
    "digits": {"single": 240, "drawn": 60, "figure": 30},
    "lines": {"lines": 90, "rows": 40},
    "none": {"none": 180, "plot": 20},
}


def page_of(maker: PageMaker, kind: str, several: bool) -> Page:
    """A page all of whose digits are whole, with one, several, or none as its kind says."""
    while True:
        sides = 32 * maker.draw.integer(3 if several else 5, 14), 32 * maker.draw.integer(5, 14)
        page = maker.page((sides[0], sides[1] + 160 * several), kind)
        count = len(page.digits)
        fits = count > 0 if several else count == (kind not in COUNTS["none"])
        if fits and all(digit.label >= 0 for digit in page.digits):
            return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    data = Path(os.environ.get("DIGITS_DATA", "data"))
    parser.add_argument("--mnist", type=Path, default=data / "mnist.npz")
    args = parser.parse_args()
    with np.load(args.mnist) as file:
        digits = Dataset(file["x_train"][-HELD_OUT:], file["y_train"][-HELD_OUT:])
    maker = PageMaker(digits, SEED, margins=0.0, smallest=14.0)
    for name, kinds in COUNTS.items():
        images = args.folder / name / "images"
        images.mkdir(parents=True, exist_ok=True)
        rows = [("filename", "label" if name == "digits" else "text")]
        for kind, count in kinds.items():
            for number in range(count):
                page = page_of(maker, kind, name == "lines")
                rows.append((f"{kind}__{number:03}.png", "|".join(page.lines)))
                cv2.imwrite(str(images / rows[-1][0]), page.gray)
        with (args.folder / name / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main()
