"""Models scored on data sets, in every form in which data may be given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits import Dataset, Recognizer, Splits, evaluate
from digits.errors import DataError
from digits.evaluation.metrics import score


class Lookup:
    """A model that knows its predictions: an image is the index of one, in its first two pixels."""

    name = "lookup"
    path: Path | None = None
    metadata = None

    def __init__(self, predictions):
        self.predictions = predictions

    def probabilities(self, images, /):
        return self.predictions[images[:, 0, 0] * 100 + images[:, 0, 1]]


def images(indices):
    pixels = np.zeros((len(indices), 28, 28), np.uint8)
    pixels[:, 0, 0], pixels[:, 0, 1] = np.divmod(indices, 100)
    return pixels


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(0).integers(0, 10, 200).astype(np.uint8)


@pytest.fixture(scope="module")
def model(labels):
    odds = np.random.default_rng(1).random((200, 10)) + np.eye(10)[labels]
    return Lookup((odds / odds.sum(axis=1, keepdims=True)).astype(np.float32))


def test_each_set_is_scored_and_all_jointly(model, labels):
    first = Dataset(images(np.arange(150)), labels[:150], "first")
    second = Dataset(images(np.arange(150, 200)), labels[150:], "second")
    evaluation = evaluate(model, [first, second])
    assert [s.name for s in evaluation.scores] == ["first", "second"]
    assert [len(p) for p in evaluation.probabilities] == [150, 50]
    assert evaluation.data == (first, second)
    whole = score("all", labels, model.predictions)
    assert evaluation.joint.loss == pytest.approx(whole.loss)
    np.testing.assert_array_equal(evaluation.joint.confusion, whole.confusion)
    assert evaluation.all_scores == (*evaluation.scores, evaluation.joint)
    entry = evaluation.to_json()
    assert entry["model"] == "lookup"
    assert [d["n"] for d in entry["data"]] == [150, 50]
    assert entry["joint"]["n"] == 200
    assert len(repr(evaluation)) < 400


def test_one_set_has_no_joint_score(model, labels):
    evaluation = evaluate(model, Dataset(images(np.arange(10)), labels[:10], "only"))
    assert evaluation.joint is None
    assert evaluation.all_scores == evaluation.scores
    assert evaluation.to_json()["joint"] is None


def test_data_may_be_arrays_a_set_splits_or_several(model, labels):
    x, y = images(np.arange(20)), labels[:20]
    dataset = Dataset(x, y, "mine")
    splits = Splits("all", {"train": Dataset(x[:5], y[:5], "train"), "test": dataset})
    whole = Splits("whole", {"all": dataset})
    expected = score("mine", y, model.predictions[:20]).to_json() | {"name": None}
    for data in (dataset, (x, y), (x.reshape(20, 784), np.eye(10)[y]), splits, whole, [(x, y)]):
        (found,) = evaluate(model, data).scores
        assert found.to_json() | {"name": None} == expected
    for data in ([dataset, (x, y)], ((x, y), splits), (dataset, dataset), iter([dataset, whole])):
        evaluation = evaluate(model, data)
        assert [s.n for s in evaluation.scores] == [20, 20]
        assert evaluation.joint.n == 40
    assert [s.name for s in evaluate(model, [(x, y), (x, y)]).scores] == ["data 1", "data 2"]


def test_what_is_no_data_is_an_error(model, labels):
    x = images(np.arange(20))
    part = Dataset(x, labels[:20])
    for data in ([], [x, labels[:20]], (x, labels[:19]), "mnist", Splits("s", {"train": part})):
        with pytest.raises(DataError):
            evaluate(model, data)


def test_a_recognizer_is_scored_by_its_own_probabilities(models, sample):
    recognizer = Recognizer(models["dense"])
    part = sample["test"].limit(200)
    evaluation = evaluate(recognizer, (part.images, part.labels))
    assert evaluation.path == models["dense"]
    assert evaluation.metadata == recognizer.metadata
    correct = (recognizer.probabilities(part.images).argmax(axis=1) == part.labels).sum()
    assert evaluation.scores[0].correct == correct > 150
