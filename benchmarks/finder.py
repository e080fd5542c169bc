"""How well the net finds digits, beside an installed version of the program.

    python benchmarks/finder.py NET.tflite FOLDER [--data WILD] [--cases CASES] [--beside SRC]

Generated pictures are made in FOLDER once, from held-out digits and seeds of their own: choose by
these. `--data` and `--cases` add pictures by other people, as a last check. `--beside` is the `src`
of another version, whose command line reads the same files.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.data.dataset import Dataset
from digits.imaging.decode import Picture, decode
from digits.imaging.foreground import flatten
from digits.imaging.geometry import bounding_box, mnist_image, to_mnist_geometry
from digits.imaging.resize import resize_to_limits
from digits.recognition.finder import net as finder
from digits.recognition.finder.lines import find_all
from digits.recognition.finder.looks import FinderNet
from digits.recognition.finder.single import find_single
from digits.recognition.recognizer import Recognizer
from digits.training.synthetic.pages.page import PageMaker

SEED = 2_000_003
HELD_OUT = 3000  # of MNIST's training digits, at the end
SINGLES = {"single": 240, "drawn": 60, "figure": 30}
LINES = {"lines": 90, "rows": 40}
NONE = {"none": 90, "plot": 10}


@dataclass(frozen=True)
class Sample:
    """A picture and the text on it; its lines are parted by `|`, and `` is no digit."""

    path: Path
    text: str


def made(folder: Path, mnist: Path) -> dict[str, list[Sample]]:
    """The generated pictures, by task: single, lines, none."""
    listing = folder / "samples.json"
    if not listing.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with np.load(mnist) as file:
            digits = Dataset(file["x_train"][-HELD_OUT:], file["y_train"][-HELD_OUT:])
        maker = PageMaker(digits, SEED, margins=0.0, smallest=14.0)
        rows = {name: list(_make(maker, kinds, folder)) for name, kinds in _TASKS.items()}
        listing.write_text(json.dumps(rows))
    rows = json.loads(listing.read_text())
    return {
        f"generated {name}": [Sample(folder / file, text) for file, text in each]
        for name, each in rows.items()
    }


_TASKS = {"single": SINGLES, "lines": LINES, "none": NONE}


def _make(maker: PageMaker, kinds: dict[str, int], folder: Path) -> Iterator[tuple[str, str]]:
    for kind, count in kinds.items():
        for number in range(count):
            page = None
            while (
                page is None
                or any(digit.label < 0 for digit in page.digits)
                or (
                    bool(page.digits) == (kind in NONE)
                    or (kind in SINGLES and len(page.digits) > 1)
                )
            ):
                shape = tuple(32 * maker.draw.integer(5, 14) for _ in "hw")
                if kind in LINES:
                    shape = 32 * maker.draw.integer(3, 14), 32 * maker.draw.integer(10, 20)
                page = maker.page((int(shape[0]), int(shape[1])), kind)
            name = f"{kind}-{number:03d}.png"
            cv2.imwrite(str(folder / name), page.gray)
            lines: dict[int, list[tuple[int, int]]] = {}
            for digit in page.digits:
                lines.setdefault(digit.line, []).append((digit.order, digit.label))
            text = ("".join(str(v) for _, v in sorted(line)) for _, line in sorted(lines.items()))
            yield name, "|".join(text)


def wild(data: Path) -> dict[str, list[Sample]]:
    """The pictures of other people."""
    found = {}
    for name in ("drawn", "photos", "cells", "strings", "numbers", "cheques"):
        with (data / name / "labels.csv").open() as file:
            rows = list(csv.DictReader(file))
        found[name] = [
            Sample(data / name / "images" / row["filename"], row.get("text") or row["label"])
            for row in rows
        ]
    return found


def cases(folder: Path) -> dict[str, list[Sample]]:
    """Pictures named for what they show."""
    paths = sorted((folder / "pictures").iterdir())
    return {"cases": [Sample(path, path.stem.rsplit("-", 1)[1]) for path in paths]}


class Reader:
    """Reads pictures by the net, and by a family's model behind it."""

    def __init__(self, net: FinderNet) -> None:
        self.net, self.recognizer = net, Recognizer("cnn")

    def single(self, picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """Probabilities of ten digits by the model and by the net, and the score of the net."""
        ready = mnist_image(picture, "auto")
        if ready is not None:
            row = self.recognizer.probabilities(ready[None])[0]
            return row, row, 1.0
        found = find_single(self.net, resize_to_limits(flatten(picture, "auto")[0], 1600))
        if not found.mask.any():
            empty = np.full(10, 0.1, np.float32)
            return empty, found.seen.probabilities[0] if len(found.seen) else empty, 0.0
        image = to_mnist_geometry(found.mask, bounding_box(found.mask))
        row = self.recognizer.probabilities(image[None])[0]
        return row, found.seen.probabilities[0], float(found.seen.scores[0])

    def lines(self, picture: Picture, joint: bool) -> str:
        """The text of a picture; `joint`: the model's probabilities count as well."""
        lines = finder.find_digits(picture, "auto", self.net)
        texts = []
        for line in lines:
            rows = np.stack([digit.probabilities[:10] for digit in line])
            if joint:
                model = self.recognizer.probabilities(np.stack([digit.image for digit in line]))
                rows = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-6) + model
            texts.append("".join(str(label) for label in rows.argmax(axis=1)))
        return "|".join(texts)


def single_figures(
    reader: Reader, samples: list[Sample], pictures: list[Picture]
) -> dict[str, float]:
    """Percent right if forced, by model, by net, by both; right, and wrong, at 0.5 or more."""
    right = np.zeros(5)
    missed = []
    for sample, picture in zip(samples, pictures, strict=True):
        model, net, score = reader.single(picture)
        label = int(sample.text)
        both = (model + net) / 2
        sure = float(both.max()) * score >= 0.5
        hit = int(both.argmax()) == label
        right += [
            int(model.argmax()) == label,
            int(net.argmax()) == label,
            hit,
            sure and hit,
            sure and not hit,
        ]
        if not hit:
            missed.append(f"{sample.path.name}:{int(both.argmax())}")
    names = ("model", "net", "both", "right at 0.5", "wrong at 0.5")
    shares = dict(zip(names, np.round(100 * right / max(1, len(samples)), 1).tolist(), strict=True))
    return shares | {"missed": " ".join(missed[:12])}  # type: ignore[dict-item]


def line_figures(
    reader: Reader, samples: list[Sample], pictures: list[Picture]
) -> dict[str, object]:
    """Percent of pictures that are wholly right, and of digits that are wrong."""
    exact = np.zeros(2)
    errors = digits = 0
    missed = []
    for sample, picture in zip(samples, pictures, strict=True):
        wanted = sample.text.replace("|", "")
        texts = [reader.lines(picture, joint) for joint in (False, True)]
        exact += [text.replace("|", "") == wanted for text in texts]
        errors += distance(texts[1].replace("|", ""), wanted)
        digits += len(wanted)
        if texts[1].replace("|", "") != wanted:
            missed.append(f"{sample.path.name}:{sample.text}>{texts[1]}"[:90])
    shares = np.round(100 * exact / max(1, len(samples)), 1).tolist()
    return {
        "net": shares[0], "both": shares[1], "n": len(samples),
        "digit errors": round(100 * errors / max(digits, 1), 1), "missed": missed,
    }  # fmt: skip


def none_figures(reader: Reader, pictures: list[Picture]) -> dict[str, float]:
    """Digits found in pictures without any: a picture, and the percent of pictures with one."""
    counts = []
    for picture in pictures:
        seen, _ = find_all(reader.net, resize_to_limits(flatten(picture, "auto")[0], 2400))
        counts.append(len(seen))
    return {
        "digits a picture": round(float(np.mean(counts)), 2),
        "pictures with digits": round(100 * float(np.mean(np.array(counts) > 0)), 1),
    }


def distance(got: str, wanted: str) -> int:
    """Levenshtein's."""
    row = list(range(len(wanted) + 1))
    for i, a in enumerate(got, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(wanted, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def beside(src: Path, samples: list[Sample], single: bool) -> dict[str, float]:
    """The same figures of another version, by its command line."""
    command = [
        sys.executable,
        "-m",
        "digits",
        "predict" if single else "read",
        "--format",
        "jsonl",
        "-q",
    ]
    environment = os.environ | {"PYTHONPATH": str(src)}
    paths = [str(sample.path.resolve()) for sample in samples]
    ended = subprocess.run(
        [*command, *paths],
        env=environment,
        cwd=src.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = {row["path"]: row for row in map(json.loads, ended.stdout.splitlines())}
    right = forced = wrong = 0
    for sample in samples:
        row = rows.get(str(sample.path.resolve()), {})
        if single:
            forced += int(np.argmax(row.get("probabilities") or [1])) == int(sample.text)
            right += row.get("digit") == int(sample.text)
            wrong += row.get("digit") not in (None, int(sample.text))
        elif sample.text:
            right += "".join(row.get("lines", [])) == sample.text.replace("|", "")
        else:
            wrong += len(row.get("digits", []))
    percent = 100 / max(1, len(samples))
    return {
        "forced": round(forced * percent, 1),
        "right": round(right * percent, 1),
        "wrong": round(wrong * percent, 1),
    }


def semeion(path: Path, reader: Reader) -> dict[str, float]:
    """Percent of Semeion's digits that are right."""
    with np.load(path) as file:
        images, labels = file["images"], file["labels"]
    hits = np.zeros(3)
    for image, label in zip(images, labels, strict=True):
        model, net, _ = reader.single(decode(image))
        hits += [model.argmax() == label, net.argmax() == label, (model + net).argmax() == label]
    return dict(
        zip(("model", "net", "both"), np.round(100 * hits / len(labels), 2).tolist(), strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--mnist", type=Path, default=Path(os.environ.get("DIGITS_DATA", "data"), "mnist.npz")
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--beside", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader(FinderNet(options.net.read_bytes(), options.net.name))
    sets = made(options.folder, options.mnist)
    sets |= wild(options.data) if options.data else {}
    sets |= cases(options.cases) if options.cases else {}
    for name, samples in sets.items():
        pictures = [decode(sample.path) for sample in samples]
        start = time.process_time()
        single = all(len(sample.text) == 1 for sample in samples)
        figures: dict[str, object]
        if not samples[0].text:
            figures = dict(none_figures(reader, pictures))
        elif single:
            figures = dict(single_figures(reader, samples, pictures))
        else:
            figures = line_figures(reader, samples, pictures)
        spent = 1000 * (time.process_time() - start) / len(samples)
        print(
            f"{name} ({len(samples)}), {spent:.0f} ms: {json.dumps(figures, ensure_ascii=False)}",
            flush=True,
        )
        if options.beside:
            print("   beside:", beside(options.beside, samples, single), flush=True)
    if options.data:
        print("semeion:", semeion(options.data / "semeion.npz", reader))


if __name__ == "__main__":
    main()
