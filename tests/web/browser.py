"""A headless Chromium, the page in it, and a mouse that draws."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

Point = tuple[float, float]

TIMEOUT = 15_000  # ms; far more than anything here takes, so that a hang ends as a failure

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
    """A running browser, without a sandbox, which root may not have: it loads our page only."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any, address: str, path: str = "", ready: str = "body[data-ready]", **options: Any
) -> Iterator[Any]:
    """A page that is ready. It may log no errors and send no requests to other servers."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    errors: list[str] = []
    urls: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: urls.append(request.url))
    page.goto(address + path)
    page.wait_for_selector(ready)
    try:
        yield page
        assert not [url for url in urls if not url.startswith((address, "blob:", "data:"))]
        # Chromium logs each status 422, as of a picture that cannot be decoded.
        assert not [error for error in errors if "422" not in error]
    finally:
        context.close()


def draw(page: Any, strokes: Sequence[Sequence[Point]]) -> None:
    """Draw with the mouse, as a person does: in small steps."""
    page.locator("#drawing").scroll_into_view_if_needed()
    box = page.locator("#drawing").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=2)
        page.mouse.up()


@contextmanager
def held_back(page: Any, url: str) -> Iterator[None]:
    """Requests whose URL matches do not reach the server before the end of the block."""
    routes: list[Any] = []
    released = False

    def handle(route: Any) -> None:
        if released:
            route.continue_()
        else:
            routes.append(route)

    page.route(url, handle)
    yield
    released = True
    for route in routes:
        route.continue_()


def wait_for_result(page: Any) -> str:
    """Wait until the selected model's result is shown; return its sentence."""
    page.wait_for_selector("#result[aria-busy=false]", state="attached")
    return str(page.inner_text("#sentence"))


def wait_for_all(page: Any) -> list[str]:
    """Wait until all models' results are shown; return them in the order of the models."""
    page.wait_for_selector("#models[aria-busy=false]", state="attached")
    return list(page.locator("#models .prediction").all_inner_texts())


def wait_for_text(page: Any, pattern: str, selector: str = "#sentence") -> str:
    """Wait until the element's text matches; return it."""
    page.wait_for_function(
        "([selector, pattern]) => new RegExp(pattern)"
        ".test(document.querySelector(selector).textContent)",
        arg=[selector, pattern],
    )
    return str(page.inner_text(selector))
