"""Data sets, folders, models and pictures as people hand them around: which are taken, and rightly.

    python benchmarks/any_file.py [--save]

Makes files of many kinds from the embedded digits and reads them back. A file is right if all
images and labels are those that went in, the model scores as in Keras, or the digit is read;
refused if one line says why; and wrong otherwise. Exits 1 if any is wrong. Takes three minutes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import logging
import os
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from PIL import Image
from results import Table, save_option
from scipy.io import savemat

from digits import Dataset, DigitsError, Recognizer, Splits, load
from digits.ingest.pictures import ingest

Made = tuple[Path, Splits | Dataset]
_SAMPLE = load("sample")
TRAIN, TEST = _SAMPLE["train"].limit(200), _SAMPLE["test"].limit(50)
BOTH = Splits("both", {"train": TRAIN, "test": TEST})
FLAT = TRAIN.images.reshape(-1, 784)
IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
       "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")  # fmt: skip
PIXELS = [f"pixel{i}" for i in range(784)]
SUFFIXES = "png jpg webp heic avif jp2 pgm tga bmp gif tif ico pdf".split()
WORDS = "zero one two three four five six seven eight nine".split()


# ---- data sets


def idx_sets(place: Path) -> Iterator[Made]:
    arrays = TRAIN.images, TRAIN.labels, TEST.images, TEST.labels
    contents = [
        bytes((0, 0, 8, a.ndim)) + struct.pack(f">{a.ndim}I", *a.shape) + a.tobytes()
        for a in arrays
    ]
    dotted = [name.replace("-idx", ".idx") for name in IDX]
    layouts: dict[str, list[tuple[str, bool]]] = {
        "plain": [(name, False) for name in IDX],
        "gz": [(f"{name}.gz", True) for name in IDX],
        "mixed": [(f"{n}.gz" if i % 2 else n, bool(i % 2)) for i, n in enumerate(IDX)],
        "dotted": [(name, False) for name in dotted],
        "folders": [(f"{name}/{name}", False) for name in IDX],
        "dotted-folders": [(f"{name}/{name}", False) for name in dotted],
        "packed-without-suffix": [(name, True) for name in IDX],
        "unpacked-with-suffix": [(f"{name}.gz", False) for name in IDX],
        "torchvision/MNIST/raw": [(name, False) for name in IDX],
    }
    for layout, names in layouts.items():
        for (name, packed), content in zip(names, contents, strict=True):
            path = place / layout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(content) if packed else content)
        yield place / layout.split("/")[0], BOTH


def csv_sets(place: Path) -> Iterator[Made]:
    first = [[int(y), *map(int, row)] for y, row in zip(TRAIN.labels, FLAT, strict=True)]
    last = [[*row[1:], row[0]] for row in first]
    cells = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]
    tables: dict[str, tuple[list[Any] | None, list[list[Any]]]] = {
        "label-first": (["label", *PIXELS], first),
        "no-header": (None, first),
        "class-last": ([*PIXELS, "class"], last),
        "last-no-header": (None, last),
        "rows-and-columns": (["label", *cells], first),
        "numbered-columns": (list(range(785)), first),
        "index": (["", "label", *PIXELS], [[i, *row] for i, row in enumerate(first)]),
        "id": (["id", "label", *PIXELS], [[i + 1, *row] for i, row in enumerate(first)]),
        "whole-floats": (["label", *PIXELS], [[float(v) for v in row] for row in first]),
        "shares": (["y", *PIXELS], [[r[0], *(round(v / 255, 5) for v in r[1:])] for r in first]),
        "row-taken-for-header": (_mangled(first[0]), first[1:]),
    }
    ways: dict[str, dict[str, Any]] = {
        "": {}, "semicolon": {"delimiter": ";"}, "tab": {"delimiter": "\t"},
        "quoted": {"quoting": csv.QUOTE_ALL}, "lf": {"lineterminator": "\n"},
    }  # fmt: skip
    for table, (header, rows) in tables.items():
        for way, options in ways.items():
            text = io.StringIO()
            writer = csv.writer(text, **options)
            writer.writerows([header, *rows] if header else rows)
            path = place / f"{table}-{way}.csv"
            path.write_text(text.getvalue(), encoding="utf-8-sig" if way == "lf" else "utf-8")
            yield path, TRAIN
    for names in (("train.csv", "test.csv"), ("mnist_train.csv.gz", "mnist_test.csv.gz")):
        folder = place / names[0]
        folder.mkdir()
        for name, part in zip(names, (TRAIN, TEST), strict=True):
            rows = np.hstack([part.labels[:, None], part.images.reshape(-1, 784)])
            content = "\n".join(",".join(map(str, row)) for row in rows).encode()
            (folder / name).write_bytes(gzip.compress(content) if "gz" in name else content)
        yield folder, BOTH


def _mangled(row: list[int]) -> list[str]:
    """A row as pandas repeats it as a header: 0, 0.1, 0.2."""
    seen: Counter[int] = Counter()
    names = []
    for value in row:
        names.append(f"{value}.{seen[value]}" if seen[value] else str(value))
        seen[value] += 1
    return names


def npz_sets(place: Path) -> Iterator[Made]:
    for images, labels in (
        ("x_{}", "y_{}"), ("X_{}", "Y_{}"), ("X_{}", "y_{}"), ("{}_images", "{}_labels"),
        ("{}X", "{}Y"), ("{}_data", "{}_labels"), ("{}_x", "{}_y"),
        ("{}ing_images", "{}ing_labels"),
    ):  # fmt: skip
        arrays: dict[str, Any] = {}
        for part, data in BOTH.items():
            arrays |= {images.format(part): data.images, labels.format(part): data.labels}
        path = place / f"{len(list(place.iterdir()))}.npz"
        np.savez_compressed(path, **arrays)
        yield path, BOTH
        path.with_suffix("").mkdir()
        for name, array in arrays.items():
            np.save(path.with_suffix("") / f"{name}.npy", array)
        yield path.with_suffix(""), BOTH
    for images, labels in (
        ("images", "labels"), ("X", "y"), ("data", "target"), ("image", "label"),
        ("arr_0", "arr_1"),
    ):  # fmt: skip
        path = place / f"{images}.npz"
        np.savez(path, **{images: TRAIN.images, labels: TRAIN.labels})
        yield path, TRAIN


def other_arrays(place: Path) -> Iterator[Made]:
    x, y = TRAIN.images, TRAIN.labels
    for number, (images, labels) in enumerate([
        (np.asfortranarray(x), y), (x.astype(">i4"), y.astype(">i8")), (x / np.float32(255), y),
        (x / 127.5 - 1, y), (x.astype(float), y), (x.reshape(-1, 784), y), (x[..., None], y),
        (x[:, None], y), (np.repeat(x[..., None], 3, 3), y), (x, np.eye(10)[y]),
        (x, y.astype(str)), (x, y.astype("S1")), (x, y[:, None]), (x, y / np.float32(1)),
        (np.pad(x, ((0, 0), (2, 2), (2, 2))), y), (x.reshape(-1, 784).T, y),
        (np.moveaxis(x, 0, -1), y),
    ]):  # fmt: skip
        path = place / f"{number}.npz"
        np.savez(path, images=images, labels=labels)
        yield path, TRAIN


def mat_and_parquet_sets(place: Path) -> Iterator[Made]:
    emnist = {
        part: {
            "images": data.images.transpose(0, 2, 1).reshape(-1, 784),
            "labels": data.labels[:, None],
        }
        for part, data in BOTH.items()
    }
    savemat(place / "emnist-digits.mat", {"dataset": emnist})
    yield place / "emnist-digits.mat", BOTH
    savemat(place / "original.mat", {"data": FLAT.T, "label": TRAIN.labels[None] / 1.0})
    yield place / "original.mat", TRAIN
    savemat(place / "plain.mat", {"X": FLAT, "y": TRAIN.labels[:, None]})
    yield place / "plain.mat", TRAIN
    labels = TRAIN.labels.astype(np.int64)
    encoded = [_png(image) for image in TRAIN.images]
    for name, columns in {
        "structs": {"image": [{"bytes": one, "path": None} for one in encoded], "label": labels},
        "bytes": {"label": labels, "img": encoded},
        "lists": {"label": labels, "image": FLAT.tolist()},
        "columns": {"label": labels, **dict(zip(PIXELS, FLAT.T, strict=True))},
    }.items():
        pq.write_table(pa.table(columns), place / f"{name}.parquet")
        yield place / f"{name}.parquet", TRAIN


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def is_same(found: Splits, expected: Splits | Dataset) -> bool:
    if isinstance(expected, Dataset):
        (only,) = found.values()
        return only == expected
    return dict(found) == dict(expected)


# ---- folders of pictures

LAYOUTS: dict[str, Callable[[int, int], str]] = {
    "folders 7": lambda d, i: f"{d}/{i}.png",
    "folders 07": lambda d, i: f"{d:02}/scan {i}.png",
    "folders seven": lambda d, i: f"{WORDS[d]}/{i}.png",
    "folders Sevens": lambda d, i: f"{WORDS[d].title()}s/{i}.png",
    "folders class_7": lambda d, i: f"class_{d}/{i}.png",
    "folders label=7": lambda d, i: f"label={d}/{i}.png",
    "folders, full width": lambda d, i: f"{chr(0xFF10 + d)}/{i}.png",
    "folders, Arabic": lambda d, i: f"{chr(0x660 + d)}/{i}.png",
    "folders, Chinese": lambda d, i: f"{'零一二三四五六七八九'[d]}/{i}.png",
    "folders, dated files": lambda d, i: f"{d}/2024-03-{i + 1:02}.png",
    "folders, camera's names": lambda d, i: f"{d}/IMG_2024010{i + 1}_120000.png",
    "folders in folders of hands": lambda d, i: f"hand{i}/{d}/1.png",
    "train, val and test": lambda d, i: f"{('train', 'val', 'test')[i % 3]}/{d}/{i}.png",
    "training and testing": lambda d, i: f"{('training', 'testing')[i % 2]}/{d}/{i}.png",
    "files 7_1558": lambda d, i: f"{d}_{1500 + 3 * d + i}.png",
    "files 0012_7": lambda d, i: f"{9 * d + i + 10:04}_{d}.png",
    "files seven_12": lambda d, i: f"{WORDS[d]}_{10 + i}.png",
    "files img_12_label_7": lambda d, i: f"img_{10 + i}_label_{d}.png",
    "files 7_1 (ambiguous)": lambda d, i: f"{d}_{i}.png",
    "files 7a (no rule)": lambda d, i: f"{d}{'abcd'[i]}.png",
    "folders 1 to 10 (ambiguous)": lambda d, i: f"{d + 1}/{i}.png",
    "folders Sample001 to 010 (ambiguous)": lambda d, i: f"Sample{d + 1:03}/{i}.png",
}
PER_DIGIT = 4


def folder_is_right(folder: Path, name: Callable[[int, int], str]) -> bool:
    """Write four pictures of each digit by this layout; whether their labels come back."""
    test = _SAMPLE["test"]
    expected = Counter[bytes]()
    for digit in range(10):
        for i, image in enumerate(test.images[test.labels == digit][:PER_DIGIT]):
            path = folder / name(digit, i)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
            expected[bytes([digit]) + image.tobytes()] += 1
    found = ingest([folder], check=False).dataset
    return expected == Counter(
        bytes([label]) + image.tobytes()
        for image, label in zip(found.images, found.labels, strict=True)
    )


# ---- models


def models() -> Iterator[tuple[str, Any, Callable[[Any], Any]]]:
    """Kinds of small trained models, each with what Keras is to be given for pixels 0..255."""
    import keras

    la = keras.layers
    share, raw = (lambda p: p / 255.0), (lambda p: p)
    kinds: dict[str, tuple[tuple[int, ...], list[Any], Callable[[Any], Any]]] = {
        "0 to 1": ((28, 28), [la.Flatten(), la.Dense(32, "relu")], share),
        "784 inputs": ((784,), [la.Dense(32, "relu")], lambda p: p.reshape(-1, 784) / 255),
        "0 to 255": ((28, 28, 1), [la.Flatten(), la.Dense(32, "relu")], lambda p: p[..., None]),
        "dark ink": ((28, 28), [la.Flatten(), la.Dense(32, "relu")], lambda p: 1 - p / 255),
        "Rescaling": ((28, 28), [la.Rescaling(1 / 255), la.Flatten(), la.Dense(32, "relu")], raw),
        "Normalization": (
            (28, 28), [la.Normalization(axis=None, mean=0.13, variance=0.095), la.Flatten()], share,
        ),
        "convolutions": (
            (28, 28, 1),
            [la.Conv2D(8, 3, strides=2), la.LeakyReLU(), la.MaxPooling2D(), la.Flatten()],
            lambda p: p[..., None] / 255,
        ),
        "32×32": (
            (32, 32, 1), [la.Conv2D(6, 5, strides=2, activation="tanh"), la.Flatten()],
            lambda p: np.pad(p, ((0, 0), (2, 2), (2, 2)))[..., None] / 255,
        ),
        "three channels": (
            (28, 28, 3), [la.Flatten(), la.Dense(32, "mish")],
            lambda p: np.repeat(p[..., None] / 255, 3, 3),
        ),
        "LSTM": ((28, 28), [la.LSTM(24)], share),
        "Conv1D": ((28, 28), [la.Conv1D(16, 3, activation="gelu"), la.Flatten()], share),
        "random layers": (
            (28, 28, 1), [la.RandomRotation(0.05), la.Flatten(), la.Dense(32, "selu")],
            lambda p: p[..., None] / 255,
        ),
    }  # fmt: skip
    train = _SAMPLE["train"]
    for name, (shape, layers, given) in kinds.items():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input(shape), *layers, la.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(given(train.images.astype("f4")), train.labels, epochs=4, verbose=0)
        yield name, model, given


def model_is_right(path: Path, model: Any, given: Callable[[Any], Any]) -> bool:
    """Whether the file at `path` scores as the model that it was saved from."""
    test = _SAMPLE["test"]
    model.save(path)
    theirs = model.predict(given(test.images.astype("f4")), verbose=0).argmax(axis=1)
    ours = Recognizer(path).probabilities(test.images).argmax(axis=1)
    return bool((ours == theirs).mean() > 0.999)


# ---- pictures


def pictures(place: Path) -> Iterator[tuple[str, Path, int]]:
    """Kinds of pictures, the file of each, and its digit."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    test = _SAMPLE["test"]
    rng = np.random.default_rng(0)
    for index in range(12):
        digit = int(test.labels[index])
        ink = cv2.resize(test.images[index], (200, 200), interpolation=cv2.INTER_CUBIC)
        ink = np.pad(ink, 60) / np.float32(255)
        paper = 225 - 190 * ink + rng.normal(0, 4, ink.shape)
        photo = Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8))
        for suffix in SUFFIXES:
            path = place / f"{index}.{suffix}"
            (photo.resize((256, 256)) if suffix == "ico" else photo).save(path)
            yield suffix.upper(), path, digit
        yield from transparent(place / f"{index}", ink, digit)
        for colors in ("gray", "gray_r", "viridis", "jet", "turbo", "coolwarm"):
            path = place / f"{index}-{colors}.png"
            figure(path, test.images[index], colors, digit, index % 4)
            yield f"figure, {colors}", path, digit


def transparent(stem: Path, ink: Any, digit: int) -> Iterator[tuple[str, Path, int]]:
    """Palettes with transparency: ink on nothing, and a ground made transparent afterwards."""
    alpha = np.rint(ink * 255).clip(0, 255).astype(np.uint8)
    for name, tone in (("dark", 30), ("light", 230)):
        image = Image.fromarray(np.dstack([np.full_like(alpha, tone)] * 3 + [alpha]))
        path = stem.with_name(f"{stem.name}-{name}.png")
        image.quantize(32).save(path)
        yield "palette with transparency", path, digit
    image = Image.fromarray(np.dstack([255 - alpha] * 3)).quantize(32)
    path = stem.with_name(f"{stem.name}-ground.png")
    image.save(path, transparency=image.getpixel((0, 0)))
    yield "palette with transparency", path, digit


def figure(path: Path, image: Any, colors: str, digit: int, extras: int) -> None:
    """An image as `imshow` and `savefig` draw it, with a title, a color bar, or without axes."""
    made = Figure(dpi=(72, 100, 150)[digit % 3])
    axes = made.add_subplot()
    shown = axes.imshow(image, cmap=colors)
    if extras == 1:
        axes.set_title(f"Label: {digit}")
    elif extras == 2:
        made.colorbar(shown)
    elif extras == 3:
        axes.axis("off")
    made.savefig(path)


# ---- the table


class Count:
    """Files of one kind: how many were right, refused in a line, or wrong."""

    def __init__(self) -> None:
        self.by_verdict: Counter[str] = Counter()
        self.said: list[str] = []

    def try_one(self, what: str, is_right: Callable[[], bool]) -> None:
        try:
            verdict = "right" if is_right() else "wrong"
        except DigitsError as error:
            verdict = "refused"
            self.said.append(f"{what}: {error}")
        except Exception as error:
            verdict = "wrong"
            self.said.append(f"{what}: {error!r}")
        else:
            if verdict == "wrong":
                self.said.append(f"{what}: wrong")
        self.by_verdict[verdict] += 1


def predicted(recognizer: Recognizer, path: Path, digit: int) -> bool:
    found = recognizer.predict(path)
    if found.digit is None:
        raise DigitsError(f"read as {found.reason}", "", path)
    return found.digit == digit


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    save_option(parser)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    counts: dict[str, Count] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_CACHE"] = folder
        for make in (idx_sets, csv_sets, npz_sets, other_arrays, mat_and_parquet_sets):
            place = Path(folder, make.__name__)
            place.mkdir()
            count = counts[make.__name__.replace("_", " ")] = Count()
            for path, expected in make(place):
                count.try_one(
                    str(path.relative_to(folder)), lambda p=path, e=expected: is_same(load(p), e)
                )
        for name, layout in LAYOUTS.items():
            place = Path(folder, name)
            count = counts.setdefault(name if "(" in name else "labels of pictures", Count())
            count.try_one(name, lambda p=place, n=layout: folder_is_right(p, n))
        recognizer = Recognizer()
        for kind, path, digit in pictures(Path(folder)):
            count = counts.setdefault(kind, Count())
            count.try_one(path.name, lambda p=path, d=digit: predicted(recognizer, p, d))
        for name, model, given in models():
            for suffix in ("h5", "keras"):
                path = Path(folder, f"{name}.{suffix}")
                count = counts.setdefault(f"models, .{suffix}", Count())
                count.try_one(path.name, lambda p=path, m=model, g=given: model_is_right(p, m, g))
    table = Table(
        "any_file", "Files as people hand them around",
        ["kind", "files", "right", "refused in one line", "wrong"], options.save,
    )  # fmt: skip
    for kind, count in counts.items():
        found = count.by_verdict
        table.row(kind, found.total(), *(found[v] for v in ("right", "refused", "wrong")))
    table.done("A refused picture was not sure, or seen as no digit or several.")
    for count in counts.values():
        for line in count.said:
            print(line, file=sys.stderr)
    return int(any(count.by_verdict["wrong"] for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
