"""A real Chromium, headless, and the hand that draws in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

Point = tuple[float, float]

STROKES: dict[int, list[list[Point]]] = {
    0: [[(0.5, 0.15), (0.32, 0.28), (0.28, 0.5), (0.33, 0.72), (0.5, 0.85), (0.67, 0.72),
         (0.72, 0.5), (0.67, 0.28), (0.5, 0.15)]],
    1: [[(0.38, 0.3), (0.52, 0.15), (0.52, 0.85)]],
    2: [[(0.3, 0.32), (0.38, 0.18), (0.55, 0.15), (0.68, 0.25), (0.66, 0.42), (0.3, 0.83),
         (0.72, 0.83)]],
    3: [[(0.32, 0.2), (0.52, 0.15), (0.66, 0.25), (0.62, 0.4), (0.46, 0.47), (0.64, 0.54),
         (0.69, 0.68), (0.55, 0.84), (0.32, 0.8)]],
    4: [[(0.5, 0.15), (0.28, 0.6), (0.74, 0.6)], [(0.6, 0.38), (0.6, 0.87)]],
    5: [[(0.68, 0.16), (0.38, 0.16), (0.34, 0.46), (0.54, 0.42), (0.68, 0.54), (0.67, 0.72),
         (0.5, 0.85), (0.3, 0.78)]],
    6: [[(0.62, 0.14), (0.42, 0.32), (0.33, 0.6), (0.4, 0.82), (0.56, 0.85), (0.67, 0.7),
         (0.58, 0.54), (0.42, 0.56), (0.34, 0.66)]],
    7: [[(0.28, 0.17), (0.72, 0.17), (0.45, 0.86)]],
    8: [[(0.52, 0.48), (0.35, 0.36), (0.37, 0.2), (0.52, 0.14), (0.66, 0.22), (0.64, 0.36),
         (0.36, 0.6), (0.34, 0.76), (0.5, 0.86), (0.67, 0.76), (0.66, 0.6), (0.52, 0.48)]],
    9: [[(0.66, 0.3), (0.55, 0.16), (0.38, 0.2), (0.33, 0.36), (0.44, 0.48), (0.6, 0.44),
         (0.67, 0.3), (0.65, 0.6), (0.56, 0.86)]],
}  # fmt: skip
"""Each digit as strokes between 0 and 1, from left and top."""


def find_chromium() -> str:
    """The path of the system's Chromium; without one a skip, in CI a failure."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("needs Chromium: install the system's package `chromium`")
    return path


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser. It starts no sandbox, which root may not have: it sees our page only."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def draw(page: Any, strokes: Sequence[Sequence[Point]]) -> None:
    """Draw with the mouse, as a hand would: in small steps."""
    page.locator("#paper").scroll_into_view_if_needed()
    box = page.locator("#paper").bounding_box()
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()
