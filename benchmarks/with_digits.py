"""Pictures of digits in trouble, to measure how many of them `digits` reads.

    python benchmarks/with_digits.py FOLDER [--seed 0]

Writes 60 pictures of each kind into FOLDER, one folder per kind, with `labels.csv`, as `wild.py`
reads them, and FOLDER-sheet.png to look at. They are for measuring only: nothing is trained on
them, and nothing that makes them makes training data: the hands, pens, papers, and lights are of
`pen_and_paper.py`. `wild.py` measures the same pictures without files.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from not_digits import photos
from pen_and_paper import Mask, Picture, Points, Rng, Sheet, cloth, paper, penned, skeleton, wood
from PIL import Image

COUNT = 60  # of each kind

# What a pen does, as in `not_digits.py`: on a grid of x and y digits, 0 to 6 down.
HANDS = {
    "0": ["~200006664020", "~3010020416364442 ~42403010"],
    "1": ["2026", "022026", "022026 0646", "~021320 2026"],
    "2": ["~010030412405 0646", "~011040422406 ~06152636 3656", "~0120403306 0656"],
    "3": ["~0020504323 ~2353554606", "004022 ~2243554606", "~0110403323 ~2363562605"],
    "4": ["3003 0353 3136", "0004 0444 3036", "~100304 0454 4046"],
    "5": ["0003 0040 ~0322524606", "400002 ~0232555606", "~401000 0003 ~0343545606"],
    "6": ["~4010040616 ~164654330305", "3004 ~04062646443404", "~50200306465543230304"],
    "7": ["004016", "004016 0343", "~01002040 4016", "0001 004026"],
    "8": ["~40100213354606042240 40", "~2000022242202000 ~22030626452222", "~41100123544606042341"],
    "9": ["~4110021342 4146", "~42201103334241 ~41444616", "~4010022342 4026"],
}  # fmt: skip
SIGNS = {".": "0606 0706", ",": "1517", "-": "0424", "/": "3007"}

Made = tuple[str, Picture | Sheet]  # the text, and the picture
Ink = Callable[[Rng], tuple[str, Mask]]


def pictures(seed: int = 0) -> Iterator[tuple[str, str, Picture]]:
    """Every picture as (kind, text, (h, w, 3) RGB), the same ones for the same seed."""
    for place, kind in enumerate([*DIGITS, *NUMBERS]):
        for number in range(COUNT):
            rng = np.random.default_rng([seed, place, number])
            make = DIGITS.get(kind) or NUMBERS[kind]
            text, made = make(rng)
            yield kind, text, np.clip(made, 0, 255).astype(np.uint8)


def hand(rng: Rng) -> dict[str, str]:
    """How one hand makes each digit and sign: codes for `skeleton`, 6 units tall."""
    return {label: str(rng.choice(codes)) for label, codes in HANDS.items()} | SIGNS


def digit(rng: Rng) -> tuple[str, Mask]:
    """One digit; where two strokes cross or meet badly, a person still reads it."""
    label = str(rng.integers(10))
    return label, slanted(rng, penned(rng, skeleton(rng, hand(rng)[label])))


def number(rng: Rng, text: str = "", gap: float = 1.6) -> tuple[str, Mask]:
    """Digits of one hand and one pen in a row; the text has no signs."""
    text = text or str(rng.integers(10, 10**7))
    strokes: list[Points] = []
    right, slope, codes = 0.0, rng.normal(0, 0.06), hand(rng)
    for sign in text:
        shape = skeleton(rng, codes[sign])
        left = min(stroke[:, 0].min() for stroke in shape)
        down = slope * right + rng.normal(0, 0.15)
        shape = [stroke + np.array([right - left, down]) for stroke in shape]
        strokes += shape
        right = max(s[:, 0].max() for s in shape) + max(gap + rng.normal(0, 0.25), -0.3)
    return "".join(filter(str.isdigit, text)), slanted(rng, penned(rng, strokes))


def amount(rng: Rng) -> tuple[str, Mask]:
    """A sum with points, commas, and dashes."""
    whole = f"{rng.integers(10, 10**6):,}"
    return number(rng, str(rng.choice([whole, whole + ".00", whole + "-", whole + ",-"])), 1.2)


def slanted(rng: Rng, mask: Mask) -> Mask:
    """`mask` slanted and turned a little, cropped to its ink."""
    slant, turn = rng.uniform(-0.3, 0.2), rng.normal(0, 0.05)
    around = np.pad(mask, mask.shape[0] // 2)
    middle = np.array(around.shape[::-1]) / 2
    matrix = np.array([[1, slant - turn], [turn, 1]])
    around = cv2.warpAffine(around, np.c_[matrix, middle - matrix @ middle], around.shape[::-1])
    left, top, width, height = cv2.boundingRect((around > 0.2).astype(np.uint8))
    return around[top : top + height, left : left + width]


def placed(rng: Rng, mask: Mask, height: float, room: tuple[float, float]) -> Mask:
    """`mask`, `height` pixels tall, with `room` of its height around it, from least to most."""
    scale = height / mask.shape[0]
    size = [max(2, round(side * scale)) for side in mask.shape[::-1]]
    ink = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return np.pad(ink, (height * rng.uniform(*room, (2, 2))).astype(int) + 2)


def written(
    rng: Rng, ink: Mask, back: Sheet | None = None, depth: tuple[float, float] = (0.7, 1.0)
) -> Sheet:
    """`ink` on a sheet, in the color of a pen, `depth` of it."""
    pens = np.array([(25, 25, 30), (20, 40, 130), (140, 25, 30), (15, 90, 45)], float)
    sheet = paper(rng, *ink.shape, ruled=0) if back is None else back
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.1))[..., None] * rng.uniform(*depth)
    return sheet + soft * (np.minimum(pens[rng.integers(4)], 0.6 * sheet) - sheet)


def plain(rng: Rng, ink: Ink = digit, room: tuple[float, float] = (0.2, 0.8)) -> tuple[str, Sheet]:
    text, mask = ink(rng)
    return text, written(rng, placed(rng, mask, rng.uniform(60, 200), room))


def on(make: Callable[[Rng, Sheet], Sheet | Picture], ink: Ink = digit) -> Callable[[Rng], Made]:
    """Pictures to which `make` does something afterwards."""

    def made(rng: Rng) -> Made:
        text, sheet = plain(rng, ink)
        return text, make(rng, sheet)

    return made


def table(rng: Rng, sheet: Sheet) -> Sheet:
    """The sheet lies, a little turned, on cloth, wood, or anything."""
    height, width = sheet.shape[:2]
    high, wide = (int(side * rng.uniform(1.3, 2.2)) for side in (height, width))
    source = photos()[rng.integers(3)]
    photo = cv2.resize(source[:400, :400], (wide, high)).astype(float)
    under = [cloth(rng, high, wide), wood(rng, high, wide), photo][rng.integers(3)]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    at = corners + rng.uniform(0, [wide - width, high - height]) * np.ones((4, 1))
    at += rng.normal(0, 0.04 * min(height, width), (4, 2))
    matrix = cv2.getPerspectiveTransform(corners, at.astype(np.float32))
    cover = cv2.warpPerspective(np.ones((height, width)), matrix, (wide, high))[..., None]
    return under * (1 - cover) + cv2.warpPerspective(sheet, matrix, (wide, high)) * cover


def shadow(rng: Rng, sheet: Sheet, soft: float = 0.004) -> Sheet:
    """Half of it in the shadow of something with a straight edge."""
    y, x = np.mgrid[: sheet.shape[0], : sheet.shape[1]] / max(sheet.shape)
    angle = rng.uniform(0, 2 * np.pi)
    across = (x - x.mean()) * np.cos(angle) + (y - y.mean()) * np.sin(angle) + rng.normal(0, 0.1)
    lit = 1 / (1 + np.exp(-(across / soft).clip(-50, 50)))
    return sheet * (1 - rng.uniform(0.3, 0.65) * (1 - lit))[..., None]


def corners(rng: Rng, sheet: Sheet) -> Sheet:
    """Dark corners, as of a cheap lens."""
    y, x = (np.linspace(-1, 1, side) for side in sheet.shape[:2])
    away = np.hypot(x[None] + rng.normal(0, 0.15), y[:, None] + rng.normal(0, 0.15))
    return sheet * (1 - rng.uniform(0.4, 0.85) * (away / 1.4).clip(0, 1) ** 2)[..., None]


def glare(rng: Rng, sheet: Sheet) -> Sheet:
    """A lamp's bright spot, in which the ink fades."""
    y, x = (np.linspace(-1, 1, side) for side in sheet.shape[:2])
    at, reach = rng.uniform(-0.7, 0.7, 2), rng.uniform(0.3, 0.7)
    spot = np.exp(-((x[None] - at[0]) ** 2 + (y[:, None] - at[1]) ** 2) / reach**2)[..., None]
    return sheet + (262 - sheet) * rng.uniform(0.5, 0.85) * spot


def blurred(rng: Rng, sheet: Sheet) -> Sheet:
    """Out of focus, or moved."""
    size = min(sheet.shape[:2]) * rng.uniform(0.02, 0.05)
    if rng.random() < 0.5:
        return cv2.GaussianBlur(sheet, (0, 0), 0.6 * size)
    return cv2.blur(sheet, (max(2, int(2 * size)), 1))


def noisy(rng: Rng, sheet: Sheet) -> Sheet:
    """A dark picture of a phone, made lighter."""
    return 0.6 * sheet + 70 + rng.normal(0, rng.uniform(15, 40), (*sheet.shape[:2], 1))


def compressed(rng: Rng, sheet: Sheet) -> Picture:
    """Sent through a messenger: small, then JPEG of low quality."""
    image = Image.fromarray(sheet.clip(0, 255).astype(np.uint8))
    image.thumbnail((int(rng.integers(48, 120)),) * 2)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(15, 45)))
    return np.asarray(Image.open(file).convert("RGB"))


def screen(rng: Rng, sheet: Sheet) -> Sheet:
    """A screen with the picture, photographed: its pixels beat with those of the camera."""
    y, x = np.mgrid[: sheet.shape[0], : sheet.shape[1]]
    waves = [np.sin(x * rng.uniform(0.2, 1.5) + y * rng.uniform(-0.6, 0.6)) for _ in range(3)]
    return sheet * (0.85 + rng.uniform(0.05, 0.15) * np.stack(waves, -1))


def inverse(rng: Rng, sheet: Sheet) -> Sheet:
    """Chalk on a board."""
    chalk = (255 - sheet) * rng.uniform(0.6, 1)
    return chalk + rng.uniform(0, 40) + rng.normal(0, 6, (*sheet.shape[:2], 1))


def faint(rng: Rng, ink: Ink = digit) -> Made:
    """A hard pencil, or a pen that is nearly empty."""
    text, mask = ink(rng)
    inked = placed(rng, mask, rng.uniform(60, 200), (0.2, 0.8))
    grain = rng.normal(1, 0.3, inked.shape).clip(0, 1)
    return text, written(rng, inked * grain, depth=(0.18, 0.35))


def thin(rng: Rng) -> Made:
    """A hair-thin line on a large sheet."""
    text = str(rng.integers(10))
    inked = placed(rng, (penned(rng, skeleton(rng, hand(rng)[text])) > 0.3) * 1.0, 400, (0.2, 0.6))
    core = cv2.distanceTransform((inked > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (core > 0) & (core >= cv2.dilate(core, np.ones((3, 3))) - 0.01)
    line = cv2.dilate(ridge.astype(float), np.ones((rng.integers(3, 6),) * 2))
    return text, written(rng, cv2.resize(line, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def lined(rng: Rng, ink: Ink = digit) -> Made:
    """Ruled or squared paper."""
    text, mask = ink(rng)
    inked = placed(rng, mask, rng.uniform(60, 200), (0.2, 0.8))
    return text, written(rng, inked, paper(rng, *inked.shape, ruled=1))


def boxed(rng: Rng) -> Made:
    """In the box of a form, which a stroke may touch."""
    text, mask = digit(rng)
    inked = placed(rng, mask, rng.uniform(60, 160), (0.3, 0.8))
    sheet = paper(rng, *inked.shape, ruled=0)
    left, top, width, height = cv2.boundingRect((inked > 0.2).astype(np.uint8))
    gap = height * rng.uniform(0.02, 0.25, 4)
    box = [
        int(v) for v in (left - gap[0], top - gap[1], left + width + gap[2], top + height + gap[3])
    ]
    tone = rng.uniform(0, 150)
    cv2.rectangle(sheet, box[:2], box[2:], (tone, tone, tone), int(rng.integers(1, 5)), cv2.LINE_AA)
    return text, written(rng, inked, sheet)


def cropped(rng: Rng) -> Made:
    """Cropped at its edge."""
    text, mask = digit(rng)
    return text, written(rng, placed(rng, mask, rng.uniform(40, 200), (0.0, 0.04)))


def small(rng: Rng) -> Made:
    """A twelfth to a fifth of the sheet."""
    text, mask = digit(rng)
    return text, written(rng, placed(rng, mask, rng.uniform(25, 60), (2.0, 5.5)))


def tight(rng: Rng) -> Made:
    """An amount, cropped closely."""
    return plain(rng, amount, (0.05, 0.25))


def lines(rng: Rng) -> Made:
    """Several numbers below each other."""
    rows = [number(rng) for _ in range(rng.integers(2, 7))]
    height, wide = rng.uniform(30, 60), 0
    inked = [placed(rng, mask, height, (0.15, 0.5)) for _, mask in rows]
    wide = max(row.shape[1] for row in inked)
    page = np.concatenate([np.pad(row, ((0, 0), (0, wide - row.shape[1]))) for row in inked])
    page = np.pad(page, int(height * rng.uniform(0.2, 1)))
    return "|".join(text for text, _ in rows), written(rng, page)


def touching(rng: Rng) -> tuple[str, Mask]:
    """Digits that touch or nearly do."""
    return number(rng, gap=0.35)


DIGITS: dict[str, Callable[[Rng], Made]] = {
    "clean": plain, "table": on(table), "hard shadow": on(shadow),
    "soft shadow": on(lambda rng, sheet: shadow(rng, sheet, 0.1)), "dark corners": on(corners),
    "glare": on(glare), "blur": on(blurred), "noise": on(noisy), "messenger": on(compressed),
    "screen": on(screen), "chalk": on(inverse), "faint": faint, "thin": thin, "lined paper": lined,
    "boxed": boxed, "cropped": cropped, "small": small,
}  # fmt: skip
NUMBERS: dict[str, Callable[[Rng], Made]] = {
    "number": lambda rng: plain(rng, number), "amount, tight": tight, "several lines": lines,
    "touching": lambda rng: plain(rng, touching), "number on a table": on(table, number),
    "number in shadow": on(shadow, number), "number, faint": lambda rng: faint(rng, number),
    "number on lined paper": lambda rng: lined(rng, number),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows: dict[str, list[tuple[str, str]]] = {}
    tiles: dict[str, list[Picture]] = {}
    for kind, text, picture in pictures(args.seed):
        place = args.folder / kind / "images"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{len(rows.setdefault(kind, [])):02}.png"
        Image.fromarray(picture).save(place / name)
        rows[kind].append((name, text))
        if len(rows[kind]) <= 12:
            tile = Image.new("RGB", (160, 160))
            shown = Image.fromarray(picture)
            shown.thumbnail((160, 160))
            tile.paste(shown)
            tiles.setdefault(kind, []).append(np.asarray(tile))
    for kind, each in rows.items():
        with (args.folder / kind / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows(
                [("filename", "text" if kind in NUMBERS else "label"), *each]
            )
    sheet = np.vstack([np.hstack(each) for each in tiles.values()])
    Image.fromarray(sheet).save(args.folder.with_name(f"{args.folder.name}-sheet.png"))


if __name__ == "__main__":
    main()
