"""Pictures that hold no digit, to measure how many of them `digits predict` refuses.

    python benchmarks/not_digits.py FOLDER [--seed 0]

Writes about 1,000 PNG, one folder per kind, and FOLDER-sheet.png to look at. They are for
measuring only: nothing is trained on them, and nothing that makes them makes training data.
Letters and signs that a person, shown them alone, could call a digit (O, l, S, b, ...) are a kind
of their own, `look-alikes`: refusing those is a matter of taste.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from pen_and_paper import (
    FACES,
    Picture,
    Rng,
    Sheet,
    beside,
    cloth,
    on_something,
    paper,
    penned,
    rendered,
    rounded,
    skeleton,
    wood,
)
from PIL import Image

Made = tuple[str, Picture | Sheet]  # what it shows, and the picture

CLEAR = "ACDEFHJKLMNPQRTUVWXYacdefhijkmnprtuvwxy"
ALIKE = "OoIl|/SsZzBbgqG"
SIGNS = "+=?!&@#%*<>→←↑↓⇒♥★☆△□◇♣♠♪✓±×÷≠≤≥∑√∇∀∩∪~^«»¶†§©®€£¥$"

# What a pen does, on a grid of x and y digits: capitals stand from 0 to 6, low letters from 2,
# tails hang to 9. A space lifts the pen; after ~ the points are the control polygon of a curve.
DRAWN_LETTERS = {
    "A": "063066 1454", "E": "40000646 0333", "F": "400006 0333", "H": "0006 4046 0343",
    "K": "0006 400346", "L": "000646", "M": "0600245056", "N": "06004640", "P": "0006 ~00505303",
    "R": "0006 ~00505303 1346", "T": "0050 2026", "U": "~00064640", "V": "002640",
    "W": "0016325660", "X": "0046 4006", "Y": "002340 2326", "a": "~433202063644 4246",
    "d": "~433202063644 4046", "e": "~04444202064645", "f": "~402026 0333",
    "h": "0006 ~05124246", "k": "0006 320446", "m": "0206 ~04023236 ~34326266",
    "n": "0206 ~04024246", "p": "0209 ~031242461605", "r": "0206 ~04023233",
    "t": "~101646 0232", "u": "~02064644 4246", "v": "022642", "w": "0216335662",
    "x": "0246 4206", "y": "0226 4219",
}  # fmt: skip
DRAWN_ALIKE = {
    "O": "~200006464020", "I": "2026", "l": "~10101625", "/": "4006", "S": "~4140000343460605",
    "Z": "00400646", "B": "0006 ~00404303 ~03535606", "b": "0006 ~031242461605",
    "g": "~433202063644 ~42490908", "q": "~433202063644 4249", "G": "~41400006464323",
}  # fmt: skip
DRAWN_SIGNS = {
    "plus": "0343 2125", "equals": "0242 0444", "question": "~010040432324 2626",
    "exclamation": "2024 2626", "arrow-right": "0363 416345", "arrow-up": "2026 022042",
    "heart": "~3220000336 ~3240606336", "star": "163056026216", "triangle": "06306606",
    "house": "0603636606 033063", "smiley": "~300006666030 2222 4242 ~14254554",
    "tick": "032660", "hash": "2016 4036 0252 0454", "asterisk": "3036 0165 6105",
    "less": "400346", "greater": "004306", "square": "0060660600", "diamond": "3003366330",
    "figure": "~301012525030 3235 1353 183558",
}  # fmt: skip
WORDS = (
    "An Haus the and when hand Name tree Text KARTE Wand Theater warm Pfeffer data EXTRA trunk "
    "empty Frau Emma"
).split()


def pictures(seed: int = 0) -> Iterator[tuple[str, str, Picture]]:
    """Every picture as (kind, name, (h, w) or (h, w, 3) RGB), the same ones for the same seed."""
    for place, (kind, (count, make)) in enumerate(KINDS.items()):
        for number in range(count):
            rng = np.random.default_rng([seed, place, number])
            name, made = make(rng)
            yield kind, f"{number:03}-{name}", finished(rng, made)


def blank(rng: Rng) -> Made:
    """White, black, gray, colored, or paper: grain, light, shadow; nothing on it."""
    height, width = sides(rng)
    name = str(rng.choice(["white", "black", "gray", "color", *["paper"] * 4]))
    if name == "paper":
        return name, paper(rng, height, width, dark=rng.random() < 0.2, ruled=0)
    tone = {"white": 255, "black": 0, "gray": rng.integers(1, 255)}
    value = tone.get(name, rng.integers(0, 256, 3))
    return name, np.broadcast_to(value, (height, width, 3)).astype(np.uint8)


def noise(rng: Rng) -> Made:
    """Noise of grains of 1 to 12 pixels, or specks of dust on paper."""
    height, width = sides(rng)
    name = str(rng.choice(["gaussian", "salt-and-pepper", "speckle", "dust"]))
    if name == "dust":
        sheet = paper(rng, height, width, ruled=0)
        for _ in range(rng.integers(3, 60)):
            at = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(sheet, at, int(rng.integers(0, 2 + width // 100)), (70, 65, 60), -1)
        return name, sheet
    # A picture of few grains could look like anything.
    grain = min(int(rng.choice([1, 1, 2, 4, 8, 12])), height // 14)
    small = (height // grain + 1, width // grain + 1, int(rng.choice([1, 3])))
    values = rng.normal(rng.uniform(60, 200), rng.uniform(8, 90), small)
    if name == "salt-and-pepper":
        values = rng.choice([0.0, 128, 255], small, p=[0.02, 0.96, 0.02] if grain == 1 else None)
    if name == "speckle":
        values = rng.uniform(60, 220) * rng.gamma(4, 0.25, small)
    way = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    clipped = values.clip(0, 255).astype(np.uint8)
    return name, cv2.resize(clipped, (width, height), interpolation=way)


def texture(rng: Rng) -> Made:
    """A bit of a photo, of land in low light, of wood, of cloth, or of lined paper."""
    height, width = sides(rng)
    kinds = ["photo", "photo", "land", "wood", "cloth", "lines", "lines"]
    name = str(rng.choice(kinds))
    if name == "lines":
        return name, paper(rng, height, width, ruled=1)
    if name == "cloth":
        return name, cloth(rng, height, width)
    if name == "wood":
        return name, wood(rng, height, width)
    source = land() if name == "land" else photos()[rng.integers(3)]
    side = int(rng.integers(30, 110))
    grown = cv2.resize(cut(rng, source, side, side), (width, height), interpolation=cv2.INTER_CUBIC)
    return name, grown


def photo(rng: Rng) -> Made:
    """A part of a photo, 64 pixels wide or more, scaled by a half to three."""
    source = photos()[rng.integers(3)]
    height = int(np.exp(rng.uniform(np.log(64), np.log(min(source.shape[:2])))))
    width = min(int(height * rng.uniform(0.7, 1.5)), source.shape[1])
    part = cut(rng, source, height, max(64, width))
    scale = np.clip(rng.uniform(0.5, 3), 64 / min(part.shape[:2]), 600 / max(part.shape[:2]))
    return "photo", cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def letter_rendered(rng: Rng, letters: str = CLEAR) -> Made:
    letter, face = rng.choice(list(letters)), rng.choice(FACES)
    return f"{named(letter)}-{face}", on_something(rng, rendered(rng, letter, face))


def letter_drawn(rng: Rng) -> Made:
    return penned_one(rng, DRAWN_LETTERS)


def look_alike(rng: Rng) -> Made:
    return penned_one(rng, DRAWN_ALIKE) if rng.random() < 0.5 else letter_rendered(rng, ALIKE)


def symbol(rng: Rng) -> Made:
    if rng.random() < 0.5:
        return penned_one(rng, DRAWN_SIGNS)
    sign = rng.choice(list(SIGNS))
    return named(sign), on_something(rng, rendered(rng, sign, "STIXGeneral"))


def word(rng: Rng) -> Made:
    """A word, or two letters, printed or by hand."""
    text = str(rng.choice(WORDS))
    if rng.random() < 0.3:
        text = "".join(rng.choice(list(DRAWN_LETTERS), 2))
    if rng.random() < 0.5:
        return text, on_something(rng, rendered(rng, text, rng.choice(FACES)))
    strokes, right = [], 0.0
    for letter in text:
        shape = [s + np.array([right, 0]) for s in skeleton(rng, DRAWN_LETTERS[letter])]
        strokes += shape
        right = max(s[:, 0].max() for s in shape) + rng.uniform(0.8, 1.6)
    return text, on_something(rng, penned(rng, strokes))


def scribble(rng: Rng) -> Made:
    """Lines that go nowhere: each long enough to be no digit."""
    name = str(rng.choice(["curves", "zigzag", "hatching", "coil", "crossing-out"]))
    turns = int(rng.integers(6, 14))
    t = np.linspace(0, 1, turns * 24)
    flip = np.arange(turns * 2) % 2
    if name == "curves":
        strokes = [rounded(rng.uniform(0, 8, (turns + 14, 2)) * [1.3, 1])]
    elif name == "zigzag":
        strokes = [np.c_[np.arange(turns * 2) * 0.9, flip * 4 + rng.normal(0, 0.5, turns * 2)]]
    elif name == "hatching":
        ends = rng.normal(0, 0.3, (turns, 2)) + np.array([0, 5])
        strokes = [np.c_[[i * 0.9, i * 0.9 + 2], ends[i]] for i in range(turns)]
        if rng.random() < 0.5:
            strokes += [s * [-1, 1] + [turns * 0.9 + 1, 0] for s in strokes]
    elif name == "coil":
        angle = t * turns * 2 * np.pi
        reach = 2 + np.interp(t * 9, range(10), rng.normal(0, 0.4, 10))
        strokes = [np.c_[reach * np.cos(angle) + t * turns, reach * 1.4 * np.sin(angle)]]
    else:
        down = np.linspace(0, rng.uniform(2, 5), turns * 2)
        strokes = [rounded(np.c_[flip * 9, down] + rng.normal(0, 0.5, (turns * 2, 2)))]
    return name, on_something(rng, penned(rng, strokes))


KINDS: dict[str, tuple[int, Callable[[Rng], Made]]] = {
    "blank": (60, blank),
    "noise": (80, noise),
    "textures": (80, texture),
    "photos": (100, photo),
    "letters-rendered": (250, letter_rendered),
    "letters-drawn": (150, letter_drawn),
    "symbols": (100, symbol),
    "scribbles": (100, scribble),
    "words": (80, word),
    "look-alikes": (80, look_alike),
}


def penned_one(rng: Rng, shapes: dict[str, str]) -> Made:
    """One of `shapes` by hand."""
    name = str(rng.choice(list(shapes)))
    label = named(name) if len(name) == 1 else name
    return label, on_something(rng, penned(rng, skeleton(rng, shapes[name])))


@cache
def photos() -> list[Picture]:
    """The photos that scikit-learn and matplotlib carry: a tower, a flower, a portrait."""
    files = [beside("sklearn", f"datasets/images/{n}.jpg") for n in ("china", "flower")]
    files.append(beside("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"))
    return [np.asarray(Image.open(f).convert("RGB")) for f in files]


@cache
def land() -> Picture:
    """Hills, from matplotlib's elevations of a valley, lit from one side."""
    with np.load(beside("matplotlib", "mpl-data/sample_data/jacksboro_fault_dem.npz")) as file:
        slope = np.diff(file["elevation"].astype(float), axis=1)
    return (128 + slope * 4).clip(0, 255).astype(np.uint8)


def cut(rng: Rng, source: Picture, height: int, width: int) -> Picture:
    """A part of `source`, anywhere in it."""
    top, left = (
        int(rng.integers(s - p + 1)) for s, p in zip(source.shape[:2], (height, width), strict=True)
    )
    return source[top : top + height, left : left + width]


def sides(rng: Rng) -> tuple[int, int]:
    """A height and a width of 28 to 500 pixels."""
    height = np.exp(rng.uniform(np.log(28), np.log(400)))
    return int(height), int(height * rng.uniform(1, 1.25))


def named(sign: str) -> str:
    """`sign` itself when it is safe in a file name, else what Unicode calls it."""
    return sign if sign.isascii() and sign.isalpha() else unicodedata.name(sign).replace(" ", "-")


def finished(rng: Rng, made: Picture | Sheet) -> Picture:
    """As a camera or a screen would save it: some in gray, some through JPEG."""
    picture = made.clip(0, 255).astype(np.uint8)
    if picture.ndim == 3 and picture.shape[2] == 3 and rng.random() < 0.25:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if max(picture.shape) > 28 and rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 95))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_UNCHANGED)
    return picture


def contact_sheet(made: Iterable[Picture], side: int = 64, across: int = 30) -> Image.Image:
    """All pictures, made small, side by side."""
    small = [Image.fromarray(p).convert("RGB") for p in made]
    sheet = Image.new("RGB", (across * side, -(-len(small) // across) * side), (255, 0, 200))
    for number, picture in enumerate(small):
        picture.thumbnail((side - 2, side - 2))
        sheet.paste(picture, (number % across * side, number // across * side))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    everything = list(pictures(options.seed))
    for kind, name, picture in everything:
        path = options.folder / kind / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, compress_level=1)
    contact_sheet(p for _, _, p in everything).save(f"{options.folder}-sheet.png")
    print(f"{len(everything):,} pictures without a digit in {options.folder}")


if __name__ == "__main__":
    main()
