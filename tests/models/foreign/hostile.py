"""Model files that are hostile or damaged, each with the error that it must end in."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

import models.foreign.hostile_hdf5  # noqa: F401  # adds its kinds
from models.foreign.hostile_configs import KINDS, TRACE, Kind

__all__ = ["KINDS", "TRACE", "Kind", "mutants"]


def mutants(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Random damage: bytes changed, blocks zeroed, cut short, bytes inserted or removed."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        data = bytearray(content)
        place = int(rng.integers(len(data)))
        match number % 5:
            case 0:  # where HDF5 keeps its own records: mostly at the front
                for _ in range(int(rng.integers(1, 4))):
                    data[int(rng.integers(min(len(data), 4096)))] = int(rng.integers(256))
            case 1:
                for _ in range(int(rng.integers(1, 30))):
                    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
            case 2:
                size = int(rng.integers(1, 2000))
                data[place : place + size] = bytes(len(data[place : place + size]))
            case 3:
                del data[place:]
            case _:
                start = int(rng.integers(min(len(data), 4096)))
                size = int(rng.integers(1, 64))
                data[start : start + size] = struct.pack("<Q", 2**64 - 1)[: size % 9]
        yield bytes(data)
