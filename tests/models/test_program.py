"""Compiled programs: as many outputs as said, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from digits import Splits
from digits.errors import ModelError
from digits.models.builders import build
from digits.models.compile import compile_program
from digits.models.program import BATCH, Program
from digits.models.recipe import JUDGE, OUTPUTS

SMALL = {"filters": (4,), "kernel_size": 3, "units": 8}


@pytest.fixture(scope="module")
def judge() -> bytes:
    return compile_program(build(JUDGE, SMALL))


def test_eleven_outputs(judge: bytes, sample: Splits) -> None:
    images = sample["train"].images[: BATCH + 3]
    answers = Program(judge, "judge", OUTPUTS[JUDGE]).probabilities(images)
    assert (answers.shape, answers.dtype) == ((BATCH + 3, 11), np.float32)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    alone = Program(judge, "judge", 11).probabilities(images[-1:])
    np.testing.assert_allclose(alone, answers[-1:], atol=1e-6)


def test_no_pictures_no_answers(judge: bytes) -> None:
    empty = np.empty((0, 28, 28), np.uint8)
    assert Program(judge, "judge", 11).probabilities(empty).shape == (0, 11)


def test_another_number_of_outputs_is_refused(judge: bytes) -> None:
    picture = np.zeros((1, 28, 28), np.uint8)
    ten = compile_program(build("cnn", SMALL))
    for content, outputs in ((judge, 10), (ten, 11), (judge, 12)):
        with pytest.raises(ModelError, match="the program in x cannot run"):
            Program(content, "x", outputs).probabilities(picture)
    assert Program(ten, "x").probabilities(picture).shape == (1, 10)  # ten unless said
