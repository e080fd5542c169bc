"""Write models/README.md, the card of the shipped models, from what they know of themselves."""

from __future__ import annotations

from pathlib import Path

from digits.models.file import read
from digits.models.recipe import OUTPUTS

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
`judge` is no recogniser. It tells what is no digit (letters, scribbles, several digits, blots) and
finds the digits in a line; its test accuracy counts a digit that it takes for none as wrong.

The cnn and the judge learned from MNIST's training digits and from generated handwriting
(`digits.training.generate`); dense and rnn from MNIST alone, so that other people's pictures are
best read by the cnn.

What they cannot do: signs that look like a digit (O, l, S, Z, B, q) are taken for one. Digits that
share a stroke, or that a printed line runs through lengthwise, are misread. Only the cnn's
confidence and the judge's are calibrated.
"""


def main() -> None:
    """Write the card."""
    rows = []
    for family in OUTPUTS:
        path = FOLDER / "pretrained" / f"{family}.h5"
        known = read(path).metadata
        test = known["test"][0]
        generated = known["settings"].get("generated", 0)
        data = ", ".join(f"{d['name']} ({d['pictures']:,})" for d in known["data"])
        data += f" and {generated:,} generated" if generated else ""
        rows.append(
            f"| {family} | {known['preset']} | {data} | {test['accuracy']:.2%} | "
            f"{test['loss']:.4f} | {len(known['history'])} epochs, {known['seconds']:.0f} s "
            f"on 2 cores | {known['seed']} | {path.stat().st_size / 1e6:.2f} MB |\n"
        )
    (FOLDER / "README.md").write_text(INTRODUCTION + "".join(rows) + LIMITS, encoding="utf-8")


if __name__ == "__main__":
    main()
