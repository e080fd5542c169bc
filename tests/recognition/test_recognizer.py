"""Single digits are recognized; everything else is refused, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from digits import DataError, Recognizer, Splits
from digits.recognition.results import Prediction, Reason
from drawing import Pixels, drawn_large, in_a_row, on_paper, page, png

Rng = np.random.Generator


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer("cnn")


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
    predictions = [recognizer.predict(png(make(rng))) for _ in range(15)]
    refused = [p for p in predictions if p.digit is None]
    assert len(refused) / len(predictions) >= 0.8
    assert all(p.reason and p.confidence < 0.5 for p in refused)
    assert all(len(p.probabilities) == 10 for p in refused)


def test_reasons(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(0)
    white = np.full((200, 160), 255, np.uint8)
    assert recognizer.predict(png(white)).reason is Reason.NO_INK
    reasons = [recognizer.predict(png(scribble(rng))).reason for _ in range(16)]
    assert reasons.count(Reason.NO_DIGIT) >= 14


def test_a_strict_limit_refuses(recognizer: Recognizer, sample: Splits) -> None:
    image = sample["test"].images[:1]
    (accepted,) = recognizer.predict_images(image)
    (refused,) = recognizer.predict_images(image, min_confidence=1.01)
    assert (refused.digit, refused.reason) == (None, Reason.UNSURE)
    assert refused.probabilities == accepted.probabilities
    assert refused.confidence == accepted.confidence == accepted.ranked()[0][1]


def test_without_a_limit_what_resembles_a_digit_gets_an_answer(recognizer: Recognizer) -> None:
    for sign in "OSZbq":
        ink = np.zeros((160, 200), np.uint8)
        cv2.putText(ink, sign, (50, 120), 0, 3, 255, 5, cv2.LINE_AA)
        prediction = recognizer.predict(png(on_paper(ink, grain=2)), min_confidence=0)
        assert prediction.digit == prediction.ranked()[0][0]
        assert prediction.reason is None
    nothing = recognizer.predict(png(np.zeros((90, 90), np.uint8)), min_confidence=0)
    assert (nothing.digit, nothing.reason) == (None, Reason.NO_INK)


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
        named = [p.reason is Reason.SEVERAL for p in predictions]
        assert np.mean(named) >= least


def test_predictions_are_values(recognizer: Recognizer, sample: Splits) -> None:
    images = sample["test"].images[:20]
    first, second = recognizer.predict_images(images), recognizer.predict_images(images)
    assert first == second
    assert len({*first, *second}) == len(set(first))
    for prediction in first:
        assert prediction.confidence == max(prediction.probabilities)
        assert sum(prediction.probabilities) + prediction.no_digit == pytest.approx(1, abs=2e-5)
    assert first[0] != first[1]
    assert repr(recognizer).endswith("cnn.h5')")


def test_images_of_all_shapes_and_ranges(recognizer: Recognizer, sample: Splits) -> None:
    images = sample["test"].images[:30]
    expected = recognizer.predict_images(images)
    probabilities = recognizer.probabilities(images)
    for same in (
        images[..., None],
        images.reshape(-1, 784),
        images.astype(np.float32),
        images / 255,
        (images / 255).astype(np.float32)[..., None],
        np.asfortranarray(images),
        images.astype(">i4"),
    ):
        assert recognizer.predict_images(same) == expected
        assert np.array_equal(recognizer.probabilities(same), probabilities)
    assert recognizer.predict_images(images[0]) == expected[:1]
    assert recognizer.predict_images(images[0] / 255) == expected[:1]
    for wrong in (np.zeros((3, 27, 28)), np.full((2, 28, 28), -1.0), np.full((1, 784), np.nan)):
        with pytest.raises(DataError):
            recognizer.predict_images(wrong)


def test_blank_images_have_no_ink(recognizer: Recognizer, sample: Splits) -> None:
    images = sample["test"].images[:3].copy()
    images[1] = 0
    predictions = recognizer.predict_images(images, min_confidence=0)
    assert predictions[1] == Prediction(None, 0.0, (0.0,) * 10, 1.0, Reason.NO_INK)
    assert predictions[0].digit is not None
    assert predictions[0] == recognizer.predict_images(images[:1], min_confidence=0)[0]


def test_a_list_gives_a_list(recognizer: Recognizer, sample: Splits) -> None:
    pictures = [255 - image for image in sample["test"].images[:4]]
    assert recognizer.predict(pictures) == [recognizer.predict(picture) for picture in pictures]
    assert recognizer.predict([]) == []


def test_many_pictures_in_several_processes(
    recognizer: Recognizer, sample: Splits, tmp_path: Path
) -> None:
    """Whatever the sources are, results come in order, and an error stops nothing."""
    images = sample["test"].images[:600]
    sources: list[Any] = [png(255 - image) for image in images]
    (tmp_path / "a.png").write_bytes(sources[3])
    opened = (tmp_path / "a.png").open("rb")
    sources[3:6] = [tmp_path / "a.png", opened, b"no picture"]
    expected = [recognizer.predict(255 - image) for image in images]
    expected[4] = expected[3]
    with opened:
        outcomes = list(recognizer.predict_many(sources, workers=2))
    assert len(outcomes) == 600
    failed = outcomes.pop(5)
    assert (failed.result, failed.name) == (None, "the picture")
    assert failed.error is not None
    assert [outcome.result for outcome in outcomes] == expected[:5] + expected[6:]
    assert outcomes[3].name == outcomes[4].name == str(tmp_path / "a.png")
    assert all(outcome.kept is None for outcome in outcomes)


def test_stages_can_be_kept(recognizer: Recognizer, sample: Splits) -> None:
    photo = png(on_paper(drawn_large(sample["test"].images[0], 4, (30, 30, 30, 30))))
    (outcome,) = recognizer.predict_many([photo], keep=True)
    assert outcome.kept is not None
    assert recognizer.predict(outcome.kept) == outcome.result == recognizer.predict(photo)
