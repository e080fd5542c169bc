"""Where a training computes."""

from __future__ import annotations

import pytest

from digits import Splits, train
from digits.errors import ModelError
from digits.models._keras import import_keras
from digits.training.device import DEVICES, on_device


def test_the_processor_is_always_there(sample: Splits) -> None:
    trained = train("dense", sample, limit=100, epochs=1, device="cpu")
    assert "CPU" in trained.model.weights[0].value.device
    with on_device("auto"):
        pass


def test_a_device_that_is_missing_is_said() -> None:
    if import_keras().distribution.list_devices("gpu"):
        with on_device("gpu"):
            made = import_keras().ops.zeros(1)
        assert "GPU" in made.device
        return
    with pytest.raises(ModelError, match="sees no gpu here"):
        on_device("gpu")
    assert DEVICES == ("auto", "cpu", "gpu")
