"""Functions for `map_chunks`: worker processes import them, which they cannot from a test file."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from digits._io.workers import worker_threads
from digits.errors import DataError


def squares(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Squares, each with the process that computed it."""
    return [(number * number, os.getpid()) for number in numbers]


def sums(shared: int, numbers: Sequence[int]) -> list[int]:
    return [shared + number for number in numbers]


def threads(numbers: Sequence[int]) -> int:
    return worker_threads()


def fails_at_40(numbers: Sequence[int]) -> int:
    if 40 in numbers:
        raise DataError("40 came", "Leave it out", "forty.txt")
    return len(numbers)


def divides(numbers: Sequence[int]) -> list[float]:
    return [1 / number for number in numbers]


def dies_at_40(numbers: Sequence[int]) -> int:
    if 40 in numbers:
        os._exit(3)
    return len(numbers)


def is_noisy(numbers: Sequence[int]) -> int:
    """Print to standard output, as a C library might, and log."""
    os.write(1, b"noise")
    logging.getLogger("digits.noisy").warning("number %d", numbers[0])
    return numbers[0]


def unsendable(numbers: Sequence[int]) -> object:
    return lambda: numbers
