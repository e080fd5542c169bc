"""Metrics, compared with those of scikit-learn and SciPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from digits.errors import DataError, ModelError
from digits.evaluation.metrics import misread, score, wilson


def random_predictions(n: int, seed: int, sharpness: float = 1.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    logits = rng.normal(size=(n, 10)) * sharpness
    logits[np.arange(n), labels] += 1.5
    odds = np.exp(logits)
    return labels, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (7, 1), (50, 2), (3000, 3)])
def test_metrics_equal_those_of_scikit_learn(n, seed):
    labels, probabilities = random_predictions(n, seed)
    ours, predicted = score("set", labels, probabilities), probabilities.argmax(axis=1)
    digits = list(range(10))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=digits, zero_division=np.nan
    )
    assert ours.n == n
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert (ours.correct, ours.incorrect) == (
        (predicted == labels).sum(),
        (predicted != labels).sum(),
    )
    np.testing.assert_array_equal(
        ours.confusion, metrics.confusion_matrix(labels, predicted, labels=digits)
    )
    for digit, mine in enumerate(ours.per_digit):
        assert (mine.digit, mine.support) == (digit, support[digit])
        ratios = [np.nan if x is None else x for x in (mine.precision, mine.recall, mine.f1)]
        theirs = precision[digit], recall[digit], f1[digit]
        assert ratios == pytest.approx(theirs, nan_ok=True)
    theirs = metrics.log_loss(labels, probabilities, labels=digits)
    assert ours.loss == pytest.approx(theirs, rel=1e-5)


def test_loss_is_clipped_like_keras_and_never_infinite():
    labels = np.array([0, 1], np.uint8)
    confident_and_wrong = np.eye(10)[[3, 4]]
    assert score("set", labels, confident_and_wrong).loss == pytest.approx(-np.log(1e-7))
    assert score("set", labels, np.eye(10)[labels]).loss == pytest.approx(1e-7, rel=1e-3)


def test_loss_of_rows_that_do_not_sum_to_one_is_that_of_the_divided_rows():
    labels, probabilities = random_predictions(20, 5)
    assert score("set", labels, 3 * probabilities).loss == pytest.approx(
        score("set", labels, probabilities).loss
    )
    assert np.isfinite(score("set", labels, np.zeros((20, 10))).loss)


@pytest.mark.parametrize(
    ("correct", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (5, 10), (9527, 10000), (10000, 10000)]
)
def test_wilson_equals_that_of_scipy(correct, n):
    theirs = binomtest(correct, n).proportion_ci(method="wilson")
    low, high = wilson(correct, n)
    assert (low, high) == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high))
    assert 0 <= low <= correct / n <= high <= 1


def test_json_has_the_documented_shape_and_null_for_an_undefined_ratio():
    labels = np.array([1, 1, 2], np.uint8)
    probabilities = np.eye(10, dtype=np.float32)[[1, 3, 2]]
    entry = json.loads(json.dumps(score("mine", labels, probabilities).to_json(), allow_nan=False))
    assert list(entry) == [
        "name", "n", "loss", "accuracy", "accuracy_ci95", "correct", "incorrect", "per_digit",
        "confusion",
    ]  # fmt: skip
    assert entry["name"] == "mine"
    assert list(entry["per_digit"]) == [str(digit) for digit in range(10)]
    assert entry["per_digit"]["0"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert entry["per_digit"]["3"] == {"precision": 0.0, "recall": None, "f1": 0.0, "support": 0}
    assert entry["per_digit"]["1"] == pytest.approx(
        {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "support": 2}
    )
    assert entry["confusion"][1][3] == 1
    assert len(entry["accuracy_ci95"]) == 2


def test_misread_lists_the_incorrect_the_most_confident_first():
    labels, probabilities = random_predictions(500, 9, sharpness=2)
    wrong = misread(labels, probabilities)
    predicted = probabilities.argmax(axis=1)
    assert sorted(wrong) == list(np.flatnonzero(predicted != labels))
    assert (np.diff(probabilities[wrong].max(axis=1)) <= 0).all()
    assert len(misread(labels, np.eye(10)[labels])) == 0


@pytest.mark.parametrize(
    "probabilities",
    [np.ones((2, 10)), np.ones((3, 9)), np.full((3, 10), np.nan), np.full((3, 10), -0.1)],
)
def test_output_that_is_not_probabilities_is_an_error(probabilities):
    with pytest.raises(ModelError):
        score("set", np.array([1, 2, 3], np.uint8), probabilities)


def test_no_images_is_an_error():
    with pytest.raises(DataError):
        score("set", np.zeros(0, np.uint8), np.zeros((0, 10)))


def test_a_score_is_short_to_read():
    labels = np.arange(10, dtype=np.uint8)
    assert repr(score("mine", labels, np.eye(10))) == (
        "Score('mine', n=10, accuracy=1.0000, loss=0.0000)"
    )


def test_equal_scores_of_digits_are_equal_and_hash():
    labels, probabilities = random_predictions(50, 4)
    one, other = (score("set", labels, probabilities).per_digit for _ in range(2))
    assert one == other
    assert len({*one, *other}) == 10
