"""Write models/README.md, the model card, from the models' metadata and the saved benchmarks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from digits.models.families import TABLE
from digits.models.file import read

FOLDER = Path(__file__).parents[1] / "models"
sys.path.insert(0, str(FOLDER.parent / "benchmarks"))

from results import kept, markdown  # noqa: E402  # the benchmarks are no package

INTRODUCTION = """\
# The shipped models

Made by `make docs`; do not edit it by hand. `digits info FAMILY` prints all metadata of a model:
every setting, its history, its training data. `digits train --arch FAMILY --preset best` makes it
again, within the noise of the seed and the machine (`make models` all of them).

`digits train` saves your own models into this folder; git does not track them.

| model | preset | training data | MNIST test accuracy | loss | training | seed | size |
|---|---|---|---|---|---|---|---|
"""

TABLES = {
    "accuracy-best": """
## Every seed

The shipped models are seed 0, not the best of these. No epoch, seed or setting was chosen by the
test set: settings by 5 % of the training images, and the last epoch is kept. (The famous records on
MNIST are mostly the best of many runs.)
""",
    "wild": """
## Pictures in the wild

`make wild WILD=FOLDER`, on pictures that no model was trained on: single digits of ten people,
cells of a scanned form, digits of another collection that touch their frame (semeion), amounts
from checks, rows of digits. Calibration error: expected calibration error, 15 bins.
""",
    "throughput": """
## Speed

Pictures per second, in one process that has loaded the model.
""",
}

LIMITS = """
## Intended use and limits

Single handwritten digits 0 to 9 of Latin script, in any picture whose foreground the program can
find. `rejector` is not a recognizer: it tells digits from everything else (letters, scribbles,
several digits, blots) and helps to find the digits in a line; its test accuracy counts a refused
digit as wrong.

All were trained on MNIST's training digits, written around 1990 by American clerks and high school
students, and on generated handwriting (`digits.training.synthetic.handwriting`) with other ways to
write a digit. Other ways still are recognized less well; how much is not measured here.

Signs that look like a digit (O, l, S, Z, B, q) are taken for one. Digits that share a stroke, or
that a ruled line runs along, are misread. Confidence is calibrated on 5 % of MNIST's training
images; on other pictures it is a little too high, see above.
"""


def main() -> None:
    """Write the model card."""
    parts = [INTRODUCTION, *map(_row, TABLE)]
    for name, heading in TABLES.items():
        if measured := kept(name):
            parts += [heading, "\n", _source(measured), markdown(measured)]
    (FOLDER / "README.md").write_text("".join([*parts, LIMITS]), encoding="utf-8")


def _row(family: str) -> str:
    path = FOLDER / "pretrained" / f"{family}.h5"
    metadata = read(path).metadata
    assert metadata.settings is not None
    data = ", ".join(f"{d.name} ({d.pictures:,})" for d in metadata.data)
    data += f" and {metadata.settings['generated_digits']:,} generated"
    test = metadata.test[0]
    return (
        f"| {family} | {metadata.preset} | {data} | {test.accuracy:.2%} | {test.loss:.4f} | "
        f"{len(metadata.history)} epochs, {metadata.seconds / 60:.0f} min | {metadata.seed} | "
        f"{path.stat().st_size / 1e6:.2f} MB |\n"
    )


def _source(measured: dict[str, Any]) -> str:
    return f"Measured {measured['date']} on {measured['machine']}.\n\n"


if __name__ == "__main__":
    main()
