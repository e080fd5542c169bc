"""Screenshots of the page for the README, on a desktop and a phone: docs/page.png, page-phone.png.

    python tools/page_pictures.py

Needs Chromium. Drawing is done by the helpers of the tests.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from web.browser import STROKES, chromium, draw, wait_for_all, wait_for_text  # noqa: E402
from web.server import serving  # noqa: E402

ON_PHONE = {"viewport": {"width": 390, "height": 760}, "color_scheme": "dark"}
ON_DESKTOP = {"viewport": {"width": 1100, "height": 740}, "color_scheme": "light"}


def screenshot(browser: Any, address: str, digit: int, path: Path, **options: Any) -> None:
    """Save the page with this digit drawn, kept, and recognized by all models."""
    context = browser.new_context(**options, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    draw(page, STROKES[digit])
    wait_for_all(page)
    page.keyboard.press(str(digit))
    wait_for_text(page, "Saved", "#note")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path)
    context.close()


def main() -> None:
    """Make both screenshots."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        chromium() as browser,
    ):
        screenshot(browser, server.address, 2, ROOT / "docs" / "page.png", **ON_DESKTOP)
        screenshot(browser, server.address, 8, ROOT / "docs" / "page-phone.png", **ON_PHONE)


if __name__ == "__main__":
    main()
