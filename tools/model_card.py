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

FINDER = """
## The finder

`finder.tflite` (2.5 MB) sees which pixels are ink of digits, and where which digits are: a U-Net
with 1.25 million weights, compiled with float16 weights (`digits.training.finder_net`). It was
trained on generated pages alone (`digits.training.synthetic.pages`), written with 57,000 of MNIST's
training digits and with generated handwriting: AdamW, learning rate 0.0025 falling to zero in the
last quarter, 14,541 steps of 256 pages of 128×128 pixels or as many pixels of larger ones, 3.7
million pages in all, each used about four times, in 8.2 minutes of an H100 after hours of shorter
trainings on two cores that chose the settings. On harsh generated pages of other digits it found
and read 64.6 % of the digits after 2.2 minutes, 71.3 % after 4.3, and 73.2 % after 8.2. Training
on with pages without digits that it was wrong about (`tools/train_finder.py --mine`), 45 minutes in
small batches on two cores, made it worse at digits, and was left out. Nothing was chosen by
pictures that people made.
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
photos of single digits, cells of a scanned form, digits of another collection that touch their
frame (semeion), amounts from checks, rows and pages of numbers; and pictures that are made for
measuring by other means than those to train with. Calibration error: expected calibration error, 15
bins.
""",
    "throughput": """
## Speed

Pictures per second, in one process that has loaded the model.
""",
}

LIMITS = """
## Intended use and limits

Handwritten digits 0 to 9 of Latin script. `rejector` is not a recognizer: it tells digits from
everything else (letters, scribbles, several digits, blots); its test accuracy counts a refused
digit as wrong.

All were trained on MNIST's training digits, written around 1990 by American clerks and high school
students, and on generated handwriting (`digits.training.synthetic.handwriting`) with other ways to
write a digit. Other ways still are recognized less well; how much is not measured here.

Signs that look like a digit (O, l, S, Z, B, q) are taken for one. Digits that share a stroke are
misread. A model's confidence is calibrated on 5 % of MNIST's training images, what joins it with
the finder's on generated pages; on other pictures it is a little off, see above.
"""


def main() -> None:
    """Write the model card."""
    parts = [INTRODUCTION, *map(_row, TABLE), FINDER]
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
