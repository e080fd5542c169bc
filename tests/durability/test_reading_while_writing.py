"""Models are read without a failure while a training writes them.

Fifty times; for two hundred,

    python -m pytest tests/durability/test_reading_while_writing.py --rounds 200
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from digits import Recognizer, Splits
from digits.training import checkpoint
from durability.processes import POLL, version

pytestmark = pytest.mark.heavy

CODE = """
import sys
from digits import Callback, train

class Saves(Callback):
    def on_epoch_end(self, epoch):
        trained.save("m.h5")

trained = train("dense", sys.argv[1], epochs=1)
Saves().on_epoch_end(None)
train("dense", sys.argv[1], epochs=10**6, checkpoint="checkpoint.h5", callback=Saves())
"""


def test_no_read_fails(
    small: Path, sample: Splits, rounds: Callable[[int], int], tmp_path: Path
) -> None:
    model, begun = tmp_path / "m.h5", tmp_path / "checkpoint.h5"
    seven = sample["test"].images[int((sample["test"].labels == 7).argmax())]
    read = set()
    with subprocess.Popen([sys.executable, "-c", CODE, small], cwd=tmp_path) as writer:
        try:
            while not begun.exists():
                time.sleep(POLL)
                assert writer.poll() is None
            for number in count():
                read.add(version(model))
                assert Recognizer(model).predict(seven).probabilities
                assert checkpoint.read(begun).state.history
                if number >= rounds(50) and len(read) > 2:
                    break
                assert writer.poll() is None
        finally:
            writer.kill()
