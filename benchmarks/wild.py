"""Pictures in the wild, read by the shipped models: accuracy per set and per person.

    python benchmarks/wild.py FOLDER [--model cnn --model dense] [--show-wrong]

FOLDER holds one folder per set, with `images/` and a `labels.csv` with the columns `filename` and
either `label` (one digit; read with `predict`) or `text` (several, lines separated by `|`; `read`),
and sets of small pictures as `.npz` with `images` and `labels`. The part of a file name before `__`
identifies the person. Also measured: MNIST's test digits as PNG files, pictures made for this with
and without digits (`with_digits.py`, `not_digits.py`), and the calibration of confidence. Nothing
here trains or chooses a model.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from not_digits import pictures as pictures_of_no_digit
from PIL import Image
from results import Table, save_option
from with_digits import NUMBERS
from with_digits import pictures as pictures_of_digits

from digits import Reader, Recognizer, load, preprocess
from digits.errors import DigitsError
from digits.recognition.results import Prediction

Case = tuple[str, str, "str | bytes"]  # person, true answer, picture
BINS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", action="append", help="one or several; cnn by default")
    parser.add_argument("--show-wrong", action="store_true", help="name each picture read wrong")
    parser.add_argument("--only-folder", action="store_true", help="leave out what is made here")
    save_option(parser)
    args = parser.parse_args()
    table = Table(
        "wild",
        "Pictures in the wild",
        [
            "model",
            "pictures",
            "correct",
            "share",
            "refused",
            "of these correct",
            "calibration error",
        ],
        args.save,
    )
    details = []
    for model in args.model or ["cnn"]:
        recognizer, reader = Recognizer(model), Reader(model)
        sets = in_folder(args.folder, recognizer, reader, args.show_wrong)
        if not args.only_folder:
            sets = chain(sets, made_here(recognizer, reader, args.show_wrong))
        for name, found in sets:
            table.row(recognizer.name, name, *found[0])
            details += [f"{recognizer.name}, {name}: {line}" for line in found[1]]
    print("", *details, sep="\n")
    table.done(
        "Correct: the most probable digit is the true one, however probable; of several digits, "
        "the whole picture. Refused: pictures without an answer by default, and how many of these "
        "would have been correct. A picture without a digit is correct if it is refused."
    )


Found = tuple[list[str], list[str]]
"""The cells of a row of the table, and lines with details."""


def in_folder(
    folder: Path, recognizer: Recognizer, reader: Reader, show_wrong: bool
) -> Iterator[tuple[str, Found]]:
    """The name and the result of each set in a folder."""
    for place in sorted(folder.iterdir()):
        if place.suffix == ".npz":
            yield place.stem, one_digit(list(from_npz(place)), recognizer, show_wrong)
        elif (place / "labels.csv").is_file():
            cases, several = from_folder(place)
            if several:
                yield place.name, several_digits(cases, reader, show_wrong)
            else:
                yield place.name, one_digit(cases, recognizer, show_wrong)


def made_here(
    recognizer: Recognizer, reader: Reader, show_wrong: bool
) -> Iterator[tuple[str, Found]]:
    """The same of MNIST's test digits, and of the pictures made for measuring."""
    try:
        test = load("mnist")["test"]
    except DigitsError as error:
        print(f"mnist: left out ({error})", file=sys.stderr)
    else:
        direct = recognizer.probabilities(test.images).argmax(axis=1) == test.labels
        yield "MNIST test, direct", (_counted(direct), [])
        cases = [("", str(d), png(i)) for i, d in zip(test.images, test.labels, strict=True)]
        yield "MNIST test, as PNG", one_digit(cases, recognizer, show_wrong)
    made = [(kind, text, png(pixels)) for kind, text, pixels in pictures_of_digits()]
    single = [case for case in made if case[0] not in NUMBERS]
    yield "made, one digit", one_digit(single, recognizer, show_wrong)
    yield (
        "made, numbers",
        several_digits([case for case in made if case[0] in NUMBERS], reader, show_wrong),
    )
    yield "made, no digit", no_digit(recognizer)


def _counted(right: Sequence[bool] | np.ndarray) -> list[str]:
    return [f"{sum(right):,} of {len(right):,}", f"{np.mean(right):.2%}"]


def from_folder(place: Path) -> tuple[list[Case], bool]:
    rows = list(csv.DictReader((place / "labels.csv").open(encoding="utf-8")))
    several = "text" in rows[0]
    cases: list[Case] = []
    for row in rows:
        person = row["filename"].split("__")[0] if "__" in row["filename"] else ""
        path = str(place / "images" / row["filename"])
        cases.append((person, row["text" if several else "label"], path))
    return cases, several


def from_npz(place: Path) -> Iterator[Case]:
    with np.load(place) as arrays:
        for image, label in zip(arrays["images"], arrays["labels"], strict=True):
            yield "", str(label), png(image)


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def one_digit(cases: list[Case], recognizer: Recognizer, show_wrong: bool) -> Found:
    """Accuracy when an answer is forced; how many are refused by default; calibration error."""
    forced, asked, right, people = [], [], [], defaultdict(list)
    wrong = []
    for person, label, picture in cases:
        stages = preprocess(picture)
        prediction = recognizer.predict(stages, min_confidence=0)
        ok = str(prediction.digit) == label
        forced.append(prediction)
        asked.append(recognizer.predict(stages))
        right.append(ok)
        people[person].append(ok)
        if not ok or asked[-1].digit is None:
            what = picture if isinstance(picture, str) else f"number {len(forced) - 1}"
            why = asked[-1].reason or ""
            wrong.append(f"{what}: {label} read as {prediction.digit} "
                         f"({prediction.confidence:.0%}) {why}")  # fmt: skip
    refused = sum(p.digit is None for p in asked)
    lost = sum(ok and p.digit is None for ok, p in zip(right, asked, strict=True))
    error = f"{calibration(forced, right):.2%}"
    cells = [*_counted(right), str(refused), str(lost), error]
    return cells, [*by_person(people), *(wrong if show_wrong else [])]


def several_digits(cases: list[Case], reader: Reader, show_wrong: bool) -> Found:
    right, people, wrong, seconds = [], defaultdict(list), [], []
    for person, text, picture in cases:
        started = time.perf_counter()
        answer = "|".join(reader.read(picture).lines)
        seconds.append(time.perf_counter() - started)
        right.append(answer == text)
        people[person].append(answer == text)
        if answer != text:
            wrong.append(f"{picture}: {text} read as {answer}")
    took = f"{statistics.median(seconds) * 1000:.0f} ms each, at most {max(seconds) * 1000:.0f}"
    return [*_counted(right), "", "", ""], [
        took,
        *by_person(people),
        *(wrong if show_wrong else []),
    ]


def by_person(people: dict[str, list[bool]]) -> list[str]:
    if len(people) < 2:
        return []
    return [", ".join(f"{p} {sum(ok)}/{len(ok)}" for p, ok in sorted(people.items()))]


def no_digit(recognizer: Recognizer) -> Found:
    kinds: dict[str, list[bool]] = defaultdict(list)
    for kind, _, pixels in pictures_of_no_digit():
        kinds[kind].append(recognizer.predict(png(pixels)).digit is None)
    fair = [refused for kind, all_ in kinds.items() if kind != "look-alikes" for refused in all_]
    each = ", ".join(f"{kind} {np.mean(r):.0%}" for kind, r in kinds.items())
    return [*_counted(fair), "", "", ""], [each]


def calibration(predictions: list[Prediction], right: list[bool]) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht, 2015), 15 bins of equal width."""
    confidence = np.array([p.confidence for p in predictions])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    correct = np.array(right, float)
    gaps = [abs(correct[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)]  # fmt: skip
    return float(sum(gaps))


if __name__ == "__main__":
    main()
