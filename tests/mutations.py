"""Damage to the bytes of a file, as disks, networks and attackers do it."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 2, 27, 255, 4096, 7000, 10_000, 32_767, 65_535, 2**31 - 1, 2**32 - 1)


def mutated(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A copy that is damaged in one to four places.

    Args:
        content: A good file.
        chance: Decides on the damage.
        others: Files of which parts may be put into it.
    """
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(_WAYS)(damaged, chance, others)
    return bytes(damaged)


def _flip_bits(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _ in range(chance.choice((1, 3, 20)) if content else 0):
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _set_number(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    width = chance.choice((1, 2, 4))
    number = chance.choice(_NUMBERS) % 256**width
    place = _place(content, chance)
    content[place : place + width] = number.to_bytes(width, chance.choice(("little", "big")))


def _cut(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del content[_place(content, chance) :]


def _take_out(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    del content[place : place + chance.randint(1, 200)]


def _repeat(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    part = content[place : place + chance.randint(1, 200)]
    content[place:place] = part * chance.choice((1, 2, 100))


def _splice(content: bytearray, chance: random.Random, other: Sequence[bytes]) -> None:
    donor = chance.choice(other)
    start, place = chance.randrange(len(donor)), _place(content, chance)
    length = chance.randint(1, 400)
    over = chance.choice((0, length))
    content[place : place + over] = donor[start : start + length]


def _scramble(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    length = min(chance.randint(1, 60), len(content) - place)
    content[place : place + length] = chance.randbytes(max(0, length))


_WAYS = (_flip_bits, _flip_bits, _set_number, _set_number, _set_number, _cut, _take_out, _repeat,
         _splice, _scramble)  # fmt: skip


def _place(content: bytearray, chance: random.Random) -> int:
    """Half of the places are in the first 120 bytes, where most headers are."""
    return chance.randrange(max(1, min(len(content), chance.choice((120, 10**9)))))
