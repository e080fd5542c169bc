"""Training the net that finds digits: it learns, stops, goes on, and is compiled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from digits import Splits
from digits.recognition.finder.looks import FinderNet, net_input
from digits.training.synthetic.pages import store
from digits.training.synthetic.pages.page import PageMaker
from digits.training.synthetic.pages.targets import Targets, targets

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def pages(sample: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    maker = PageMaker(sample["train"], seed=5)
    for number in range(2):
        found = targets([maker.page((64, 64)) for _ in range(40)])
        store.save(found, folder / f"pages-{number}.npz")
    return folder


@pytest.fixture(scope="module")
def validation(sample: Splits) -> list[Targets]:
    maker = PageMaker(sample["test"], seed=6)
    return [targets([maker.page((64, 64)) for _ in range(8)])]


def test_a_training_learns_and_goes_on_where_it_stopped(
    pages: Path, validation: list[Targets], tmp_path: Path
) -> None:
    from digits.training.finder import LOG, FinderRecipe, FinderTraining

    recipe = FinderRecipe(pixels=8 * 64 * 64, warmup=5, cooldown=0.1)
    first = FinderTraining(tmp_path, recipe)
    first.run(pages, validation, steps=15)
    again = FinderTraining(tmp_path, recipe, resume=True)
    assert again.steps == first.steps == 15
    for mine, its in zip(again.net.get_weights(), first.net.get_weights(), strict=True):
        assert np.array_equal(mine, its)
    again.run(pages, validation, steps=45)
    one, two = map(json.loads, (tmp_path / LOG).read_text().splitlines())
    assert (one["steps"], two["steps"]) == (15, 60)
    assert two["loss"] < one["loss"]


def test_the_compiled_net_answers_as_the_keras_one(sample: Splits) -> None:
    from digits.training import finder_net

    net = finder_net.build((8, 8, 16, 16, 16))
    compiled = FinderNet(finder_net.compile_net(net), "test")
    maker = PageMaker(sample["test"], seed=7)
    for shape in ((64, 96), (128, 64)):
        planes = net_input(maker.page(shape).gray)
        expected = [np.array(output)[0] for output in net(planes[None], training=False)]
        for mine, its in zip(compiled.run(planes), expected, strict=True):
            np.testing.assert_allclose(mine, its, atol=0.02)  # the weights are float16
