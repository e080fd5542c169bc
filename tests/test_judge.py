"""The judge: digits are let through, all else is refused, and several are counted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from digits import Recognizer, Splits
from digits.judge import NO_DIGIT, count_digits, find_digits, lines_of_digits, opinions
from digits.pictures import decode
from digits.pictures.layout import find_lines
from digits.pictures.segment import candidates
from drawing import Pixels, drawn_large, in_a_row, on_paper, page, png

Rng = np.random.Generator


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer("cnn")


def test_opinions_are_probabilities(sample: Splits) -> None:
    test = sample["test"]
    views = opinions(test.images)
    assert views.shape == (len(test), 11)
    assert views.dtype == np.float32
    np.testing.assert_allclose(views.sum(axis=1), 1, atol=1e-4)
    assert np.mean(views.argmax(axis=1) == test.labels) >= 0.97
    assert np.mean(views[:, NO_DIGIT] < 0.5) >= 0.985
    assert opinions(test.images[:0]).shape == (0, 11)


def test_real_digits_are_let_through(recognizer: Recognizer, sample: Splits) -> None:
    predictions = recognizer.predict_images(sample["test"].images)
    assert np.mean([p.digit is not None for p in predictions]) >= 0.99


def test_real_digits_on_paper_are_let_through(recognizer: Recognizer, sample: Splits) -> None:
    rng = np.random.default_rng(0)
    test = sample["test"]
    found = []
    for digit, label in zip(test.images[::11], test.labels[::11], strict=True):
        ink = drawn_large(digit, 4, (40, 30, 50, 30))
        photo = on_paper(ink, rng.uniform(190, 240), rng.uniform(20, 90), grain=3)
        prediction = recognizer.predict(png(255 - photo if rng.random() < 0.5 else photo))
        found.append(prediction.digit == label)
    assert np.mean(found) >= 0.95


def letter(rng: Rng) -> Pixels:
    """One that nobody takes for a digit, in one of OpenCV's fonts."""
    ink = np.zeros((160, 200), np.uint8)
    sign = str(rng.choice(list("AEFHKMNRWXdhkmwx&#@%")))
    face, thick = int(rng.choice([0, 2, 3, 4])), int(rng.integers(3, 9))
    cv2.putText(ink, sign, (50, 120), face, 3, 255, thick, cv2.LINE_AA)
    return on_paper(ink, grain=2)


def word(rng: Rng) -> Pixels:
    ink = np.zeros((160, 400), np.uint8)
    text = str(rng.choice(["hand", "WARM", "mix", "Name", "Rhein", "kWh", "Max"]))
    cv2.putText(ink, text, (30, 110), 0, 2.5, 255, int(rng.integers(3, 8)), cv2.LINE_AA)
    return on_paper(ink, grain=2)


def scribble(rng: Rng) -> Pixels:
    """To and fro, as to try a pen."""
    ink = np.zeros((200, 200), np.uint8)
    points = rng.integers(30, 170, (int(rng.integers(9, 16)), 2)).astype(np.int32)
    cv2.polylines(ink, [points], False, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
    return on_paper(ink, grain=2)


def grid(rng: Rng) -> Pixels:
    """A board, hatching or a net."""
    pitch, thick = int(rng.integers(12, 40)), int(rng.integers(1, 5))
    ink = np.zeros((200, 200), np.uint8)
    for start in range(20, 181, pitch):
        cv2.line(ink, (start, 20), (start, 180), 255, thick)
        if rng.random() < 0.9:
            cv2.line(ink, (20, start), (180, start), 255, thick)
    return on_paper(ink, grain=2)


def texture(rng: Rng) -> Pixels:
    """Cloth, leaves, gravel: noise of some grain."""
    side = int(rng.integers(8, 40))
    field = rng.normal(size=(side, side))
    field = cv2.resize(field, (200, 200), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 60 * field, 0, 255).astype(np.uint8)


def static(rng: Rng) -> Pixels:
    return rng.integers(0, 256, (int(rng.integers(20, 200)),) * 2).astype(np.uint8)


def blots(rng: Rng) -> Pixels:
    ink = np.zeros((200, 200), np.uint8)
    for _ in range(rng.integers(4, 9)):
        x, y, size = (int(v) for v in rng.integers((20, 20, 6), (180, 180, 20)))
        cv2.circle(ink, (x, y), size, 255, -1, cv2.LINE_AA)
    return on_paper(ink, grain=2)


def blank(rng: Rng) -> Pixels:
    return on_paper(np.zeros((200, 160), np.uint8), rng.uniform(40, 230), grain=rng.uniform(0, 8))


OTHERS = (letter, word, scribble, grid, texture, static, blots, blank)


@pytest.mark.parametrize("make", OTHERS, ids=lambda make: make.__name__)
def test_what_is_no_digit_is_refused(recognizer: Recognizer, make: Callable[[Rng], Pixels]) -> None:
    rng = np.random.default_rng(0)
    predictions = [recognizer.predict(png(make(rng))) for _ in range(30)]
    refused = [p for p in predictions if p.digit is None]
    assert len(refused) / len(predictions) >= 0.85
    assert all(p.reason and p.confidence < 0.5 for p in refused)
    assert all(p.probabilities.shape == (10,) for p in refused)


def test_reasons(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(0)
    white = np.full((200, 160), 255, np.uint8)
    assert recognizer.predict(png(white)).reason == "no ink found"
    reasons = [recognizer.predict(png(scribble(rng))).reason for _ in range(16)]
    assert reasons.count("no digit") >= 14


def test_not_sure_names_the_two_likeliest(recognizer: Recognizer, sample: Splits) -> None:
    image = sample["test"].images[:1]
    (sure,) = recognizer.predict_images(image)
    (unsure,) = recognizer.predict_images(image, min_confidence=1.01)
    assert unsure.digit is None
    first, second = (digit for digit, _ in sure.ranked()[:2])
    assert unsure.reason == f"not sure, perhaps {first} or {second}"
    assert unsure.confidence == sure.confidence


def test_with_no_limit_there_is_always_an_answer(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(1)
    for make in (letter, word, scribble, grid, blots):
        prediction = recognizer.predict(png(make(rng)), min_confidence=0)
        assert prediction.digit == prediction.probabilities.argmax()
        assert prediction.reason is None
    assert recognizer.predict(png(np.zeros((90, 90), np.uint8)), min_confidence=0).digit is None


def test_the_limit_decides(recognizer: Recognizer, sample: Splits) -> None:
    images = np.concatenate([sample["test"].images[::5], static_images()])
    confidences = [p.confidence for p in recognizer.predict_images(images, 0)]
    for limit in (0.2, 0.5, 0.9):
        answers = [p.digit is not None for p in recognizer.predict_images(images, limit)]
        assert answers == [c >= limit for c in confidences]


def static_images() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (30, 28, 28)).astype(np.uint8)


def several(sample: Splits, rng: Rng, count: int) -> bytes:
    images = sample["test"].images
    digits = list(images[rng.integers(len(images), size=count)])
    return png(on_paper(page(digits, in_a_row(digits, 8), 4, 40).ink, grain=2))


def test_several_digits_are_said_to_be_several(recognizer: Recognizer, sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for count, least in ((3, 0.95), (2, 0.8)):
        predictions = [recognizer.predict(several(sample, rng, count)) for _ in range(16)]
        named = [p.digit is None and "digits read" in (p.reason or "") for p in predictions]
        assert np.mean(named) >= least


def test_counting(sample: Splits) -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 4):
        counts = [count_digits(decode(several(sample, rng, count))) for _ in range(15)]
        assert np.mean(np.array(counts) == count) >= 0.75
    assert count_digits(decode(png(blank(rng)))) == 0


def test_finding_digits(sample: Splits) -> None:
    """They come from left to right, do not overlap in parts, and each with the judge's view."""
    content = several(sample, np.random.default_rng(3), 6)
    (found,) = [digits for digits, _ in lines_of_digits(decode(content), "auto")]
    assert 5 <= len(found) <= 7
    for (a, _), (b, _) in pairwise(found):
        assert a.last <= b.first
        assert a.piece.x < b.piece.x
    for candidate, view in found:
        assert view.shape == (11,)
        np.testing.assert_allclose(view, opinions(candidate.image[None])[0], atol=1e-5)
    assert find_digits([]) == []


def test_one_digit_is_one_part(sample: Splits) -> None:
    images = sample["test"].images[::9]
    counts = []
    for digit in images:
        (line, *_) = find_lines(page([digit], [(0, 0)], 4, 20).ink)
        counts.append(len(find_digits(candidates(line))))
    assert np.mean(np.array(counts) == 1) >= 0.93
