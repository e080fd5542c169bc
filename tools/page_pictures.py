"""Photograph the page for the README, on a desk and on a phone: docs/page.png, docs/page-phone.png.

    python tools/page_pictures.py

Needs Chromium. The hand that draws is the tests'.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from web.browser import STROKES, chromium, draw  # noqa: E402
from web.server import serving  # noqa: E402

ON_PHONE = {"viewport": {"width": 390, "height": 760}, "color_scheme": "dark"}
ON_DESK = {"viewport": {"width": 1100, "height": 700}, "color_scheme": "light"}


def photograph(browser: Any, address: str, digit: int, path: Path, **options: Any) -> None:
    """The page with this digit drawn, kept, and read by all models."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    draw(page, STROKES[digit])
    page.wait_for_timeout(2000)  # for all models, and for the bars to come to rest
    page.keyboard.press(str(digit))
    page.wait_for_timeout(500)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path)
    context.close()


def main() -> None:
    """Both pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        chromium() as browser,
    ):
        photograph(browser, server.address, 2, ROOT / "docs" / "page.png", **ON_DESK)
        photograph(browser, server.address, 8, ROOT / "docs" / "page-phone.png", **ON_PHONE)


if __name__ == "__main__":
    main()
