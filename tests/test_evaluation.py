"""Scores, held against scikit-learn and SciPy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from digits.data.dataset import Dataset
from digits.errors import DataError, ModelError
from digits.evaluation import evaluate, misread, score, wilson


def random_answers(n: int, seed: int, sharpness: float = 1.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    logits = rng.normal(size=(n, 10)) * sharpness
    logits[np.arange(n), labels] += 1.5
    odds = np.exp(logits)
    return labels, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


class FixedAnswers:
    """A recogniser that knows only its answers, in the order of the pictures' first pixels."""

    name = "fixed"
    path: Path | None = None

    def __init__(self, answers):
        self.answers = answers

    def probabilities(self, images, /):
        return self.answers[images[:, 0, 0]]


def dataset(labels, name, start=0):
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(start, start + len(labels))
    return Dataset(images, labels, name)


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (7, 1), (50, 2), (3000, 3)])
def test_every_figure_equals_scikit_learns(n, seed):
    labels, given = random_answers(n, seed)
    ours, answers = score("set", labels, given), given.argmax(axis=1)
    digits = list(range(10))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, answers, labels=digits, zero_division=np.nan
    )
    assert ours.n == n
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    assert (ours.correct, ours.incorrect) == ((answers == labels).sum(), (answers != labels).sum())
    np.testing.assert_array_equal(
        ours.confusion, metrics.confusion_matrix(labels, answers, labels=digits)
    )
    for digit, figures in enumerate(ours.per_digit):
        assert figures.digit == digit
        assert figures.support == support[digit]
        for mine, theirs in (
            (figures.precision, precision[digit]),
            (figures.recall, recall[digit]),
            (figures.f1, f1[digit]),
        ):
            assert (mine is None and np.isnan(theirs)) or mine == pytest.approx(theirs)
    theirs = metrics.log_loss(labels, given, labels=digits)
    assert ours.loss == pytest.approx(theirs, rel=1e-5)


def test_loss_is_clipped_like_keras_and_never_infinite():
    labels = np.array([0, 1], np.uint8)
    sure_and_wrong = np.eye(10)[[3, 4]]
    assert score("set", labels, sure_and_wrong).loss == pytest.approx(-np.log(1e-7))
    assert score("set", labels, np.eye(10)[labels]).loss == pytest.approx(1e-7, rel=1e-3)


def test_loss_of_answers_that_do_not_sum_to_one_is_that_of_their_shares():
    labels, given = random_answers(20, 5)
    assert score("set", labels, 3 * given).loss == pytest.approx(score("set", labels, given).loss)
    assert np.isfinite(score("set", labels, np.zeros((20, 10))).loss)


@pytest.mark.parametrize(
    ("correct", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (5, 10), (9527, 10000), (10000, 10000)]
)
def test_wilson_equals_scipys(correct, n):
    theirs = binomtest(correct, n).proportion_ci(method="wilson")
    low, high = wilson(correct, n)
    assert (low, high) == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high))
    assert 0 <= low <= correct / n <= high <= 1


def test_json_has_the_documented_shape_and_null_where_there_is_nothing():
    labels = np.array([1, 1, 2], np.uint8)
    given = np.eye(10, dtype=np.float32)[[1, 3, 2]]
    entry = json.loads(json.dumps(score("mine", labels, given).to_json(), allow_nan=False))
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


def test_evaluate_scores_each_set_and_all_joint():
    labels, given = random_answers(200, 7)
    first, second = dataset(labels[:150], "first"), dataset(labels[150:], "second", start=150)
    evaluation = evaluate(FixedAnswers(given), [first, second])
    assert [s.name for s in evaluation.scores] == ["first", "second"]
    assert [len(p) for p in evaluation.probabilities] == [150, 50]
    whole = score("all", labels, given)
    assert evaluation.joint is not None
    assert evaluation.joint.loss == pytest.approx(whole.loss)
    np.testing.assert_array_equal(evaluation.joint.confusion, whole.confusion)
    entry = evaluation.to_json()
    assert entry["model"] == "fixed"
    assert [d["n"] for d in entry["data"]] == [150, 50]
    assert entry["joint"]["n"] == 200


def test_one_set_has_no_joint_score():
    labels, given = random_answers(10, 8)
    evaluation = evaluate(FixedAnswers(given), [dataset(labels, "only")])
    assert evaluation.joint is None
    assert evaluation.to_json()["joint"] is None


def test_misread_gives_only_the_wrong_and_the_surest_first():
    labels, given = random_answers(500, 9, sharpness=2)
    wrong = misread(labels, given)
    answers = given.argmax(axis=1)
    assert sorted(wrong) == list(np.flatnonzero(answers != labels))
    assert (np.diff(given[wrong].max(axis=1)) <= 0).all()
    assert len(misread(labels, np.eye(10)[labels])) == 0


@pytest.mark.parametrize(
    "given", [np.ones((2, 10)), np.ones((3, 9)), np.full((3, 10), np.nan), np.full((3, 10), -0.1)]
)
def test_answers_that_are_no_probabilities_are_refused(given):
    with pytest.raises(ModelError):
        score("set", np.array([1, 2, 3], np.uint8), given)


def test_nothing_to_score_is_said_so():
    with pytest.raises(DataError):
        evaluate(FixedAnswers(np.ones((1, 10))), [])
    with pytest.raises(DataError):
        score("set", np.zeros(0, np.uint8), np.zeros((0, 10)))


def test_scoring_and_importing_the_pictures_load_no_heavy_library():
    code = (
        "import sys, digits.evaluation, digits.plots, digits.report, digits.terminal;"
        "print([m for m in ('matplotlib', 'jinja2', 'tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
