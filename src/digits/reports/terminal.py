"""Digits drawn with characters, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from .._io.text import printable
from ..data.arrays import Images

WIDTH = 28  # columns of one digit
_GAP = "  "
_BLOCKS = np.array([" ", "▄", "▀", "█"])  # by 2·upper + lower
_SHADES = np.array(list(" .:-=+*#%@"))


def supports_blocks(stream: TextIO) -> bool:
    """Whether the encoding of `stream` has the half blocks that `render` draws with."""
    try:
        "▀▄█".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def render(
    images: Images, captions: Sequence[str] = (), width: int = 80, *, ascii_only: bool = False
) -> str:
    """Draw digits side by side, each in 28 columns and 14 lines: two pixels per character.

    Args:
        images: (n, 28, 28), white on black.
        captions: One above each digit, truncated to its width; none if empty.
        width: Columns of the terminal.
        ascii_only: Draw shades of ASCII characters instead of half blocks.

    Returns:
        Lines without trailing spaces; no newline at the end.
    """
    per_row = max(1, (width + len(_GAP)) // (WIDTH + len(_GAP)))
    draw = _shades if ascii_only else _blocks
    rows = []
    for start in range(0, len(images), per_row):
        digits = [draw(image) for image in images[start : start + per_row]]
        if captions:
            for i, lines in enumerate(digits, start):
                lines.insert(0, _caption(captions[i], ascii_only))
        rows.append("\n".join(_GAP.join(line).rstrip() for line in zip(*digits, strict=True)))
    return "\n\n".join(rows)


def _blocks(image: NDArray[np.uint8]) -> list[str]:
    # Relative to the maximum, so that faint pencil is visible; below it is the blur of an edge.
    foreground = image > max(0.4 * image.max(), 1)
    return ["".join(line) for line in _BLOCKS[2 * foreground[0::2] + foreground[1::2]]]


def _shades(image: NDArray[np.uint8]) -> list[str]:
    pairs = image.reshape(14, 2, 28).mean(axis=1)
    return [
        "".join(line) for line in _SHADES[(pairs * (len(_SHADES) - 1) / 255).round().astype(int)]
    ]


def _caption(text: str, ascii_only: bool) -> str:
    text = printable(text)
    if ascii_only:
        text = text.encode("ascii", "replace").decode()
    return text[:WIDTH].ljust(WIDTH)
