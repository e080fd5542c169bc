"""Model files that mean harm or came to harm: every kind with the error that it must end in.

`KINDS` are written from nothing; `own_kinds` and `mutants` are made of the bytes of a sound file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import hostile_hdf5  # noqa: F401  # adds its kinds
import numpy as np
from hostile_configs import KINDS, TRACE, Kind

from digits.models.file import MAGIC, SECTIONS, USER_BLOCK

__all__ = ["KINDS", "TRACE", "Kind", "flipped", "mutants", "own_kinds", "with_index",
           "with_section"]  # fmt: skip

OwnWriter = Callable[[bytes], bytes]


def index_of(content: bytes) -> dict[str, Any]:
    """The index in the first block of a file of ours."""
    return dict(json.loads(content[len(MAGIC) : USER_BLOCK].split(b"\n", 1)[0]))


def with_index(content: bytes, **changes: Any) -> bytes:
    """The file with another index; honest about size and checksum unless told otherwise."""
    body = content[USER_BLOCK:]
    honest = {"size": len(content), "sha256": hashlib.sha256(body).hexdigest()}
    index = index_of(content) | honest | changes
    return (MAGIC + json.dumps(index).encode() + b"\n").ljust(USER_BLOCK, b"\0") + body


def with_section(content: bytes, name: str, new: bytes) -> bytes:
    """The file with other bytes in a section (not longer), and an honest checksum."""
    start, size = index_of(content)["sections"][name]
    assert len(new) <= size
    sections = index_of(content)["sections"] | {name: [start, len(new)]}
    changed = content[:start] + new.ljust(size, b"\0") + content[start + size :]
    return with_index(changed, sections=sections)


def flipped(content: bytes, place: int) -> bytes:
    """The file with one bit changed."""
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


def _metadata(change: Callable[[dict[str, Any]], Any]) -> OwnWriter:
    def write(content: bytes) -> bytes:
        start, size = index_of(content)["sections"]["metadata"]
        known = json.loads(content[start : start + size])
        return with_section(content, "metadata", json.dumps(change(known) or known).encode())

    return write


def own_kinds(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Damaged versions of a file of ours, which must all be called damaged."""
    for name, (start, size) in index_of(content)["sections"].items():
        for part in (0, 0.5, 0.999):
            yield f"bit {part:.1%} into {name}", flipped(content, start + int(size * part))
    for place in (USER_BLOCK, USER_BLOCK + 100, len(content) // 2, len(content) - 1):
        yield f"bit at {place / len(content):.1%}", flipped(content, place)
    digest = content.index(index_of(content)["sha256"].encode())
    yield "bit in the checksum", flipped(content, digest + 9)
    yield "bit in the size", flipped(content, content.index(b'"size": ') + 8)
    yield "one byte longer", content + b"\0"
    yield "one byte shorter", content[:-1]
    yield "only the first block", content[:USER_BLOCK]
    yield "wrong size", with_index(content, size=1)
    for name, place in {
        "places as numbers": 1,
        "places as text": ["a", "b"],
        "places outside": [1 << 60, 1 << 60],
        "places before": [-5, -9],
        "three numbers": [1, 2, 3],
    }.items():
        yield name, with_index(content, sections=dict.fromkeys(SECTIONS, place))
    yield "no sections", with_index(content, sections={})
    yield "sections as text", with_index(content, sections="x")
    for name, change in {
        "metadata without family": lambda m: m.pop("family") and None,
        "metadata with a number for family": lambda m: m.update(family=3),
        "metadata with text for history": lambda m: m.update(history="x"),
        "metadata with a list for versions": lambda m: m.update(versions=[1]),
        "metadata as a list": lambda m: [1],
        "metadata as a number": lambda m: 7,
    }.items():
        yield name, _metadata(change)(content)
    yield "metadata of garbage", with_section(content, "metadata", b"\xff\xfe garbage")
    yield "metadata nested deep", with_section(content, "metadata", b"[" * 1200)


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
