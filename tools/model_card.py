"""Write models/README.md, the card of the shipped models, from what they know of themselves."""

from __future__ import annotations

from pathlib import Path

from digits.models.file import read
from digits.models.presets import FAMILIES

FOLDER = Path(__file__).parents[1] / "models"

INTRODUCTION = """\
# The shipped models

Made by `make models`, this page by `make docs`; do not edit it by hand. Every figure is from the
model file itself (`digits info FAMILY` tells all of it). Test figures are on MNIST's 10,000 test
pictures, looked at once, when the training had ended.

`digits train` saves your own models into this folder; they are yours and are not tracked by git.

| model | recipe | learned from | test accuracy | test loss | training | seed | size |
|---|---|---|---|---|---|---|---|
"""

LIMITS = """
What they cannot do: they know single digits 0 to 9, one to a picture, in a hand like those of
MNIST (North American writers of the 1990s: a 1 with a long upstroke or a crossed 7 is rarer there
than in Europe). They answer with a digit even for a letter or a scribble, and their confidence is
not calibrated.
"""


def main() -> None:
    """Write the card."""
    rows = []
    for family in FAMILIES:
        path = FOLDER / "pretrained" / f"{family}.h5"
        known = read(path).metadata
        test = known["test"][0]
        data = ", ".join(f"{d['name']} ({d['pictures']:,})" for d in known["data"])
        rows.append(
            f"| {family} | {known['preset']} | {data} | {test['accuracy']:.2%} | "
            f"{test['loss']:.4f} | {len(known['history'])} epochs, {known['seconds']:.0f} s "
            f"on 2 cores | {known['seed']} | {path.stat().st_size / 1e6:.2f} MB |\n"
        )
    (FOLDER / "README.md").write_text(INTRODUCTION + "".join(rows) + LIMITS, encoding="utf-8")


if __name__ == "__main__":
    main()
