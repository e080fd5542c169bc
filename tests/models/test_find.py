"""Which file a model argument means."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from digits.models.families import FAMILIES
from digits.models.find import find_model, list_models, own_models, shipped_folder, shipped_models


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_path_is_that_file() -> None:
    assert find_model("somewhere/mine.h5") == Path("somewhere/mine.h5")
    assert find_model(Path("cnn.h5")) == Path("cnn.h5")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_the_own_model_or_else_the_shipped_one(
    family: str, models: dict[str, Path]
) -> None:
    assert find_model(family) == shipped_folder() / f"{family}.h5"
    assert find_model(family).is_file()
    Path("models").mkdir()
    shutil.copy(models[family], "models")
    assert find_model(family) == Path("models", f"{family}.h5")


def test_own_models_are_listed_before_the_shipped_ones(models: dict[str, Path]) -> None:
    assert own_models() == []
    assert list_models() == shipped_models()
    Path("models").mkdir()
    shutil.copy(models["rnn"], "models/b.h5")
    shutil.copy(models["rnn"], "models/a.h5")
    assert own_models() == list_models()[:2] == [Path("models/a.h5"), Path("models/b.h5")]
