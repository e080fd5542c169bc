"""The device that a training runs on."""

from __future__ import annotations

import pytest

from digits.errors import ModelError
from digits.models._keras import import_keras
from digits.training.device import on_device


def test_the_cpu_is_always_there() -> None:
    with on_device("cpu"):
        assert "CPU" in import_keras().ops.zeros(1).device
    with on_device("auto"):
        assert import_keras().ops.zeros(1).device


def test_a_gpu_that_is_missing() -> None:
    if import_keras().distribution.list_devices("gpu"):
        with on_device("gpu"):
            assert "GPU" in import_keras().ops.zeros(1).device
        return
    with pytest.raises(ModelError, match="finds no gpu"):
        on_device("gpu")
