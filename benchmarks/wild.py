"""Other people's pictures, read by the shipped models: per set and per person.

    python benchmarks/wild.py FOLDER [--model cnn] [--show-wrong]

FOLDER holds one folder for each set, with `images/` and a `labels.csv` that names `filename` and
either `label` (one digit; read with `predict`) or `text` (several, lines parted by `|`; `read`),
and sets of small pictures as `.npz` with `images` and `labels`. The person is what stands before
`__` in a file name. Besides: MNIST's test digits as PNG files through the picture room, what is no
digit (`not_digits.py`), and how well confidence is calibrated. Nothing here trains or chooses.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from not_digits import pictures as pictures_of_no_digit
from PIL import Image

from digits import Reader, Recognizer, load
from digits.errors import DigitsError
from digits.recognizer import Prediction

Case = tuple[str, str, "str | bytes"]  # person, true answer, picture
BINS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--show-wrong", action="store_true", help="name each picture read wrong")
    args = parser.parse_args()
    recognizer, reader = Recognizer(args.model), Reader(args.model)
    print(f"model {recognizer.path}\n")
    for place in sorted(args.folder.iterdir()):
        if place.suffix == ".npz":
            one_digit(place.stem, list(from_npz(place)), recognizer, args.show_wrong)
        elif (place / "labels.csv").is_file():
            cases, several = from_folder(place)
            ask = several_digits if several else one_digit
            ask(place.name, cases, reader if several else recognizer, args.show_wrong)  # type: ignore[operator]
    mnist(recognizer)
    no_digit(recognizer)


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


def one_digit(name: str, cases: list[Case], recognizer: Recognizer, show_wrong: bool) -> None:
    """Right even when not sure; then how many are refused, and the calibration."""
    forced, asked, right, people = [], [], [], defaultdict(list)
    wrong = []
    for person, label, picture in cases:
        prediction = recognizer.predict(picture, min_confidence=0)
        ok = str(prediction.digit) == label
        forced.append(prediction)
        asked.append(recognizer.predict(picture))
        right.append(ok)
        people[person].append(ok)
        if not ok or asked[-1].digit is None:
            what = picture if isinstance(picture, str) else f"number {len(forced) - 1}"
            why = asked[-1].reason or ""
            wrong.append(f"    {what}: {label} read as {prediction.digit} "
                         f"({prediction.confidence:.0%}) {why}")  # fmt: skip
    refused = sum(p.digit is None for p in asked)
    lost = sum(ok and p.digit is None for ok, p in zip(right, asked, strict=True))
    print(
        f"{name}: {sum(right)} of {len(right)} right ({np.mean(right):.2%}); {refused} refused, "
        f"{lost} of them would be right; calibration error {calibration(forced, right):.1%}"
    )
    by_person(people)
    if show_wrong:
        print("\n".join(wrong))


def several_digits(name: str, cases: list[Case], reader: Reader, show_wrong: bool) -> None:
    right, people, wrong, seconds = [], defaultdict(list), [], []
    for person, text, picture in cases:
        started = time.perf_counter()
        answer = "|".join(reader.read(picture).lines)
        seconds.append(time.perf_counter() - started)
        right.append(answer == text)
        people[person].append(answer == text)
        if answer != text:
            wrong.append(f"    {picture}: {text} read as {answer}")
    print(
        f"{name}: {sum(right)} of {len(right)} pictures right ({np.mean(right):.1%}); "
        f"{statistics.median(seconds) * 1000:.0f} ms each, at most {max(seconds) * 1000:.0f}"
    )
    by_person(people)
    if show_wrong:
        print("\n".join(wrong))


def by_person(people: dict[str, list[bool]]) -> None:
    if len(people) > 1:
        print("    " + ", ".join(f"{p} {sum(ok)}/{len(ok)}" for p, ok in sorted(people.items())))


def mnist(recognizer: Recognizer) -> None:
    try:
        test = load("mnist")["test"]
    except DigitsError as error:
        print(f"mnist: left out ({error})")
        return
    direct = recognizer.probabilities(test.images).argmax(axis=1) == test.labels
    predictions = [recognizer.predict(png(image), min_confidence=0) for image in test.images]
    through = np.array([p.digit for p in predictions]) == test.labels
    kept = [recognizer.predict(png(image)).digit is not None for image in test.images]
    print(f"mnist test: {direct.mean():.2%} direct, {through.mean():.2%} as PNG; "
          f"{len(kept) - sum(kept)} refused, {(through & ~np.array(kept)).sum()} of them would be "
          f"right; calibration error {calibration(predictions, list(through)):.2%}")  # fmt: skip


def no_digit(recognizer: Recognizer) -> None:
    kinds: dict[str, list[bool]] = defaultdict(list)
    for kind, _, pixels in pictures_of_no_digit():
        kinds[kind].append(recognizer.predict(png(pixels)).digit is None)
    fair = [refused for kind, all_ in kinds.items() if kind != "look-alikes" for refused in all_]
    print(f"no digit: {np.mean(fair):.1%} of {len(fair)} refused")
    print("    " + ", ".join(f"{kind} {np.mean(r):.0%}" for kind, r in kinds.items()))


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
