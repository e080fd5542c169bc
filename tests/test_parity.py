"""One way from a picture to its answer: every view gives the same record for the same picture."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from commands import Run
from digits import PictureError, Recognizer, Splits
from digits.data.png import png as exported
from drawing import drawn_large, in_a_row, jpeg, on_paper, page, png
from web.server import serving

Record = dict[str, Any]


def encoded(image: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def digits(sample: Splits, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Single digits in every form in which people have them."""
    for i, image in enumerate(sample["test"].images[:200]):
        large = drawn_large(image, rng.uniform(2, 7), tuple(rng.integers(5, 60, 4).tolist()))
        photo = on_paper(large, rng.uniform(170, 245), rng.uniform(10, 110), grain=3, seed=i)
        yield from (
            [("exported.png", exported(image, "dark"))],
            [("transparent.png", exported(image, "light", "RGBA"))],
            [("28x28.png", png(image)), ("dark.bmp", encoded(Image.fromarray(255 - image), "BMP"))],
            [("photo.png", png(photo))],
            [("photo.jpg", jpeg(photo, 60))],
            [("chalk.webp", encoded(Image.fromarray(255 - photo), "WEBP"))],
            [("color.png", png(np.stack([photo, photo // 2 + 90, 255 - photo // 3], -1)))],
            [("deep.tif", encoded(Image.fromarray(photo.astype(np.uint16) * 257), "TIFF"))],
            [("palette.gif", encoded(Image.fromarray(photo), "GIF"))],
        )[i % 9]  # fmt: skip


def others(sample: Splits, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """No digit, several digits, no ink, no picture."""
    images = sample["test"].images
    for i in range(10):
        ink = np.zeros((160, 200), np.uint8)
        cv2.putText(ink, "AEFHKMNRWX"[i % 10], (50, 120), i % 5, 3, 255, 3 + i % 5, cv2.LINE_AA)
        yield "letter.png", png(on_paper(ink, grain=2, seed=i))
        points = rng.integers(30, 170, (13, 2)).astype(np.int32)
        scribble = cv2.polylines(np.zeros((200, 200), np.uint8), [points], False, 255, 2 + i % 5)
        yield "scribble.png", png(on_paper(scribble))
        chosen = list(images[rng.integers(len(images), size=2 + i % 4)])
        yield "number.png", png(on_paper(page(chosen, in_a_row(chosen, 8), 4, 40).ink))
        yield "blank.png", png(np.full((30 + i, 28), 255 - i, np.uint8))
        yield "noise.png", png(rng.integers(0, 256, (20 + i, 40)).astype(np.uint8))
        between = images[i] / 2 + images[i + 503] / 2  # of two different digits
        yield "between.png", exported(between.astype(np.uint8))
    yield "blank-export.png", exported(np.zeros((28, 28), np.uint8))
    yield "empty.png", b""
    yield "text.png", b"hello"
    yield "cut.png", png(images[0])[:60]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, sample: Splits) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for i, (name, content) in enumerate([*digits(sample, rng), *others(sample, rng)]):
        (folder / f"{i:03}-{name}").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def paths(corpus: Path) -> list[str]:
    return [str(path) for path in sorted(corpus.iterdir())]


@pytest.fixture(scope="module")
def expected(paths: list[str]) -> list[Record]:
    """The records of pictures that were predicted one by one, in Python."""
    recognizer = Recognizer("cnn")
    records = []
    for path in paths:
        try:
            records.append({"path": path, **recognizer.predict(path).to_json()})
        except PictureError as error:
            records.append({"path": path, "error": error.message})
    return records


def test_the_corpus_holds_every_kind(expected: list[Record]) -> None:
    reasons = [record.get("reason", "error" if "error" in record else "") for record in expected]
    assert len(reasons) > 260
    assert reasons.count("") > 180
    assert reasons.count("error") == 3
    for reason, count in (("no_ink", 11), ("no_digit", 20), ("several", 5), ("unsure", 1)):
        assert reasons.count(reason) >= count, reason


def test_files_in_bulk(paths: list[str], expected: list[Record]) -> None:
    for workers in (1, 2):
        outcomes = Recognizer("cnn").predict_many(paths, workers=workers)
        assert [outcome.to_json() for outcome in outcomes] == expected


def test_the_command(run: Run, corpus: Path, expected: list[Record]) -> None:
    done = run("predict", corpus, "--format", "jsonl")
    assert done.returncode == 1  # three files are no pictures
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_the_command_with_a_drawing(run: Run, paths: list[str], expected: list[Record]) -> None:
    some = slice(None, None, 6)  # pictures of every kind; more than 50 cannot be drawn
    done = run("predict", *paths[some], "--format", "jsonl", "--show", "steps.png")
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected[some]


def test_bytes_files_and_pictures(paths: list[str], expected: list[Record]) -> None:
    recognizer = Recognizer("cnn")
    for path, record in zip(paths, expected, strict=True):
        if "error" not in record:
            content = Path(path).read_bytes()
            sources = [content, io.BytesIO(content), Image.open(io.BytesIO(content))]
            for prediction in recognizer.predict(sources):
                assert {"path": path, **prediction.to_json()} == record


def test_http(tmp_path: Path, paths: list[str], expected: list[Record]) -> None:
    with serving(tmp_path) as server:
        found = []
        for start in range(0, len(paths), 20):
            some = paths[start : start + 20]
            files = [(Path(path).name, Path(path).read_bytes()) for path in some]
            reply = server.send("/api/predict?model=cnn", files)
            found += reply.json if reply.status == 200 else reply.json["results"]
    assert [{**record, "path": path} for record, path in zip(found, paths, strict=True)] == expected
