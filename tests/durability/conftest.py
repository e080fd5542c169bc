"""What is proved with a few rounds here can be proved with many: `--rounds 50`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digits import Splits


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to do something: as often as `--rounds` says, or else the number given."""
    asked = request.config.getoption("--rounds")
    return lambda few: asked or few


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, sample: Splits) -> Path:
    """A data set that trains in no time: 300 pictures, and 100 to test with."""
    path = tmp_path_factory.mktemp("small") / "small.npz"
    train, test = sample["train"].limit(300), sample["test"].limit(100)
    np.savez(path, x_train=train.images, y_train=train.labels, x_test=test.images,
             y_test=test.labels)  # fmt: skip
    return path
