"""Damaged versions of a model file of ours, made from the bytes of a valid one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from digits.models.file import MAGIC, SECTIONS, USER_BLOCK


def index_of(content: bytes) -> dict[str, Any]:
    """The index in the first block."""
    return dict(json.loads(content[len(MAGIC) : USER_BLOCK].split(b"\n", 1)[0]))


def with_index(content: bytes, **changes: Any) -> bytes:
    """The file with another index, whose size and checksum are right unless they are changed."""
    body = content[USER_BLOCK:]
    right = {"size": len(content), "sha256": hashlib.sha256(body).hexdigest()}
    index = index_of(content) | right | changes
    return (MAGIC + json.dumps(index).encode() + b"\n").ljust(USER_BLOCK, b"\0") + body


def with_section(content: bytes, name: str, new: bytes) -> bytes:
    """The file with other bytes in a section (not longer), and a right checksum."""
    start, size = index_of(content)["sections"][name]
    assert len(new) <= size
    sections = index_of(content)["sections"] | {name: [start, len(new)]}
    changed = content[:start] + new.ljust(size, b"\0") + content[start + size :]
    return with_index(changed, sections=sections)


def with_metadata(content: bytes, **changes: Any) -> bytes:
    """The file with other metadata, and a right checksum."""
    start, size = index_of(content)["sections"]["metadata"]
    metadata = json.loads(content[start : start + size]) | changes
    return with_section(content, "metadata", json.dumps(metadata).encode())


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


def damaged(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Versions with a name, all of which must be reported as damaged."""
    for name, (start, size) in index_of(content)["sections"].items():
        for part in (0, 0.5, 0.999):
            yield f"bit {part:.1%} into {name}", _flipped(content, start + int(size * part))
    for place in (USER_BLOCK, USER_BLOCK + 100, len(content) // 2, len(content) - 1):
        yield f"bit at {place / len(content):.1%}", _flipped(content, place)
    digest = content.index(index_of(content)["sha256"].encode())
    yield "bit in the checksum", _flipped(content, digest + 9)
    yield "bit in the size", _flipped(content, content.index(b'"size": ') + 8)
    yield "one byte longer", content + b"\0"
    yield "one byte shorter", content[:-1]
    yield "half", content[: len(content) // 2]
    yield "only the first block", content[:USER_BLOCK]
    yield "only the magic number", MAGIC
    yield "no index", MAGIC + bytes(USER_BLOCK - len(MAGIC)) + content[USER_BLOCK:]
    yield "a list for index", MAGIC + b"[]\n" + content[len(MAGIC) + 3 :]
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
    yield "metadata with a number for family", with_metadata(content, family=3)
    for garbage in (b"\xff\xfe garbage", b"[1]", b"7", b"[" * 1200):
        yield f"metadata {garbage[:9]!r}", with_section(content, "metadata", garbage)
