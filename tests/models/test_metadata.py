"""The metadata of a model file: made in one place, read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from digits import Splits
from digits.models.metadata import DatasetInfo, Epoch, ModelMetadata, ScoreInfo, StartedFrom

Record = dict[str, Any]


@pytest.fixture
def metadata(sample: Splits) -> ModelMetadata:
    data = DatasetInfo.of(sample["train"])
    return ModelMetadata(
        family="dense",
        preset="classic",
        settings={"architecture": {"units": [32, 16]}, "source": "a tutorial"},
        seed=0,
        data=(data,),
        test=(ScoreInfo("sample test", 1000, 0.1, 0.96),),
        history=(
            Epoch(1, 0.5, 0.8, None, None, 1e-3, 2.0, False),
            Epoch(2, 0.4, 0.9, 0.3, 0.92, 1e-3, 2.0, True),
        ),
        seconds=4.0,
        versions={"digits": "1.0"},
        started_from=StartedFrom("old.h5", (data,)),
    )


def _decoded(metadata: ModelMetadata) -> Record:
    return dict(json.loads(json.dumps(metadata.to_json())))


def test_json_and_back(metadata: ModelMetadata) -> None:
    again = ModelMetadata.from_json(_decoded(metadata))
    assert again == metadata
    assert hash(again) == hash(metadata)
    assert again.data[0].pictures == 4000
    assert again.history[1].val_accuracy == 0.92


def test_made_just_now() -> None:
    made = ModelMetadata(family="cnn", preset="foreign", converted_from="old.h5")
    assert {"digits", "keras", "tensorflow", "numpy", "python", "backend"} == set(made.versions)
    assert made.created.endswith("+00:00")
    assert ModelMetadata.from_json(_decoded(made)) == made


def test_what_is_unknown_may_be_missing_and_what_is_new_is_ignored(metadata: ModelMetadata) -> None:
    record = _decoded(metadata)
    for name in ("validation_pictures", "temperature", "started_from", "converted_from"):
        del record[name]
    again = ModelMetadata.from_json(record | {"from_the_future": 1})
    assert (again.data, again.started_from) == (metadata.data, None)


def test_whole_numbers_are_numbers(metadata: ModelMetadata) -> None:
    again = ModelMetadata.from_json(_decoded(metadata) | {"seconds": 4})
    assert again == metadata
    assert type(again.seconds) is float


def _without(*names: str) -> Callable[[Record], Record]:
    return lambda record: {name: value for name, value in record.items() if name not in names}


def _with(**changes: Any) -> Callable[[Record], Record]:
    return lambda record: record | changes


DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "change",
    [
        *map(_without, ("family", "data", "test", "history", "seconds", "versions", "created")),
        _without("settings"),
        _with(settings=None),  # and not converted either
        _with(settings={}),
        _with(settings={"architecture": [], "source": ""}),
        _with(settings={"architecture": {}, "source": "", "deep": DEEP}),
        _with(family="gan"),
        _with(family=3),
        _with(seed="0"),
        _with(seed=0.5),
        _with(seconds="long"),
        _with(seconds=True),
        _with(seconds=10**400),
        _with(data=[{"name": 1}]),
        _with(data=[{"name": "a", "pictures": 1}]),
        _with(data={}),
        _with(test=[1]),
        _with(history="x"),
        _with(history=[{}]),
        _with(versions=[1]),
        _with(versions={"digits": 1}),
        _with(started_from="old.h5"),
        lambda record: [record],
        lambda record: None,
    ],
)
def test_anything_else_is_refused(
    metadata: ModelMetadata, change: Callable[[Record], object]
) -> None:
    with pytest.raises(ValueError):  # callers only need to know that it is damaged
        ModelMetadata.from_json(change(_decoded(metadata)))
