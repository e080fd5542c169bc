"""Write models/README.md, the card of the shipped models.

From what the models know of themselves, and from what the benchmarks kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from digits.models.file import read
from digits.models.recipe import OUTPUTS

FOLDER = Path(__file__).parents[1] / "models"
sys.path.insert(0, str(FOLDER.parent / "benchmarks"))

from results import kept, markdown  # noqa: E402  # the benchmarks are no package

INTRODUCTION = """\
# The shipped models

Made by `make docs`; do not edit it by hand. `digits info FAMILY` tells all that a model knows of
itself: every setting, its history, what it learned from. `digits train --arch FAMILY --preset best`
makes it again, within the noise of the seed and the machine (`make models` all of them).

`digits train` saves your own models into this folder; they are yours and are not tracked by git.

| model | recipe | learned from | MNIST test accuracy | loss | training | seed | size |
|---|---|---|---|---|---|---|---|
"""

TABLES = {
    "accuracy-best": """
## Every seed

The shipped models are seed 0, not the best of these. No epoch, seed or setting was chosen by the
test pictures: settings by 5 % of the training pictures, and the last epoch is kept. (The famous
records on MNIST are mostly the best of many.)
""",
    "wild": """
## Other people's pictures

`python benchmarks/wild.py FOLDER`, on pictures that no model learned from: single digits of ten
people, cells of a scanned form, digits of another collection that touch their frame (semeion),
amounts from cheques, rows of digits. Calibration error: expected, 15 bins.
""",
    "throughput": """
## Speed

Pictures in a second, in one process that has loaded the model.
""",
}

LIMITS = """
## What they are for, and what they cannot do

Single handwritten digits 0 to 9 of Latin script, in any picture that the program can find ink in.
`judge` is no recogniser: it tells what is no digit (letters, scribbles, several digits, blots) and
finds the digits in a line; its test accuracy counts a digit that it takes for none as wrong.

All learned from MNIST's training digits, written around 1990 by Americans, clerks and high school
students, and from generated handwriting (`digits.training.generate`) that knows other ways to write
a digit. Who writes otherwise is read less well, and nothing here measures how much.

Signs that look like a digit (O, l, S, Z, B, q) are taken for one. Digits that share a stroke, or
that a printed line runs through lengthwise, are misread. Confidence is calibrated on 5 % of MNIST's
training pictures; on other pictures it is a little too high, see above.
"""


def main() -> None:
    """Write the card."""
    parts = [INTRODUCTION, *map(_row, OUTPUTS)]
    for name, heading in TABLES.items():
        if measured := kept(name):
            parts += [heading, "\n", _source(measured), markdown(measured)]
    (FOLDER / "README.md").write_text("".join([*parts, LIMITS]), encoding="utf-8")


def _row(family: str) -> str:
    path = FOLDER / "pretrained" / f"{family}.h5"
    known = read(path).metadata
    test = known["test"][0]
    generated = known["settings"].get("generated", 0)
    data = ", ".join(f"{d['name']} ({d['pictures']:,})" for d in known["data"])
    data += f" and {generated:,} generated" if generated else ""
    return (
        f"| {family} | {known['preset']} | {data} | {test['accuracy']:.2%} | "
        f"{test['loss']:.4f} | {len(known['history'])} epochs, {known['seconds'] / 60:.0f} min | "
        f"{known['seed']} | {path.stat().st_size / 1e6:.2f} MB |\n"
    )


def _source(measured: dict[str, Any]) -> str:
    return f"Measured {measured['date']} on {measured['machine']}.\n\n"


if __name__ == "__main__":
    main()
