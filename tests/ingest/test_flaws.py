"""Flaws of data sets are said, each with what mends it; good sets have none."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from digits import Dataset, Splits, load
from digits.data.dataset import mended
from digits.data.formats.npz import save_npz
from digits.ingest.flaws import find_flaws


@pytest.fixture
def good(sample: Splits) -> Dataset:
    return sample["test"].limit(200)


def problems(dataset: Dataset) -> list[str]:
    return [problem for problem, _ in find_flaws(dataset)]


def test_a_good_set_has_none(sample: Splits) -> None:
    assert find_flaws(sample["train"]) == find_flaws(sample["test"]) == []


@pytest.mark.parametrize(
    ("invert", "transpose", "remedy"),
    [
        (True, False, "Give --invert"),
        (False, True, "Give --transpose"),
        (True, True, "Give --invert --transpose"),
    ],
)
def test_images_turned_over(good: Dataset, invert: bool, transpose: bool, remedy: str) -> None:
    turned = mended(Splits("turned", {"all": good}), invert, transpose)
    (flaw,) = find_flaws(turned["all"])
    assert flaw.remedy == remedy
    assert mended(turned, invert, transpose)["all"] == good


def test_labels_in_disorder(good: Dataset) -> None:
    labels = np.random.default_rng(0).permutation(good.labels)
    (problem,) = problems(Dataset(good.images, labels))
    assert "hardly ever fit" in problem


def test_one_class_and_missing_classes(good: Dataset) -> None:
    assert problems(good.take(good.labels == 3)) == ["all 20 labels are 3"]
    assert problems(good.take(~np.isin(good.labels, (3, 5)))) == ["there is no 3 or 5"]
    assert problems(good.take(good.labels > 2)) == ["there is no 0, 1 or 2"]


def test_repeats_scales_and_frames(good: Dataset) -> None:
    repeated = good.take(np.r_[np.zeros(20, int), np.arange(len(good))])
    assert problems(repeated) == ["one image is there 21 times"]
    mixed = good.images.copy()
    mixed[::2] = mixed[::2] > 127
    assert any("go to 1" in problem for problem in problems(Dataset(mixed, good.labels)))
    framed = good.images.copy()
    framed[:, [0, -1]] = framed[:, :, [0, -1]] = 255
    assert any("light frame" in problem for problem in problems(Dataset(framed, good.labels)))


def test_they_are_said_when_a_set_is_loaded(
    good: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "dark.npz"
    save_npz(mended(Splits("dark", {"all": good}), invert=True, transpose=False), path)
    with caplog.at_level(logging.WARNING):
        load(path)
    assert "dark on light" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert load(path, invert=True)["all"] == good
    assert caplog.text == ""
