"""Saving digits on the page with their true label, in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import Run
from digits import load
from web.browser import STROKES, draw, held_back, opened, wait_for_result, wait_for_text
from web.server import Server, serving

MODEL_INPUT = """() => [...document.querySelector("#model-input").getContext("2d")
    .getImageData(0, 0, 28, 28).data].filter((value, i) => i % 4 === 0)"""


def test_a_label_is_saved_and_corrected_and_removed(own_page: Any, own_server: Server) -> None:
    page = own_page
    assert page.is_hidden("#train")
    draw(page, STROKES[7])
    wait_for_result(page)
    page.click("#labels button >> nth=2")
    wait_for_text(page, "Saved as 2", "#note")
    page.keyboard.press("2")
    wait_for_text(page, "Already saved as 2", "#note")
    page.keyboard.press("7")
    wait_for_text(page, "Saved as 7", "#note")
    assert page.inner_text("#total") == "1 in mine.npz"
    saved = load(own_server.folder / "mine.npz")["all"]
    assert saved.labels.tolist() == [7]
    assert np.array_equal(saved.images[0].ravel(), page.evaluate(MODEL_INPUT))
    page.click("#remove-last")
    wait_for_text(page, "0 in mine.npz", "#total")
    assert page.is_disabled("#remove-last")


@pytest.mark.heavy
def test_the_training_command_works(
    browser: Any, tmp_path: Path, models: dict[str, Path], run: Run
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models")
    with serving(tmp_path) as server, opened(browser, server.address) as page:
        for digit in (1, 7, 4):
            assert page.is_hidden("#train")
            draw(page, STROKES[digit])
            page.keyboard.press(str(digit))  # at once: what was drawn by then is saved
            wait_for_text(page, f"Saved as {digit}", "#note")
            page.click("#clear")
        assert page.inner_text("#command") == "digits train --from cnn --data data/mine.npz"
        page.check("input[value=dense]")
        command = wait_for_text(page, "--from dense", "#command")
        assert command == "digits train --from dense --data data/mine.npz"
        page.click("#copy")
        wait_for_text(page, "Copied|Selected", "#note")
    done = run(*command.split()[1:], "--epochs", 1, "--mix", 100)
    assert done.returncode == 0, done.stderr
    saved = load(tmp_path / "data" / "mine.npz")["all"]
    assert saved.labels.tolist() == [1, 7, 4]


def test_a_label_waits_for_the_result(own_page: Any, own_server: Server) -> None:
    page = own_page
    draw(page, STROKES[1])
    wait_for_result(page)
    with held_back(page, "**/api/predict?*"):
        page.keyboard.press("r")
        wait_for_text(page, "Reading…")
        assert page.is_disabled("#labels button >> nth=5")
        page.keyboard.press("5")
    wait_for_text(page, "Saved as 5", "#note")
    saved = load(own_server.folder / "mine.npz")["all"]
    assert saved.labels.tolist() == [5]
    assert np.array_equal(saved.images[0].ravel(), page.evaluate(MODEL_INPUT))


def test_a_key_that_is_held_down_saves_one(own_page: Any) -> None:
    page = own_page
    draw(page, STROKES[7])
    wait_for_result(page)
    for _ in range(5):
        page.keyboard.down("7")
    page.keyboard.up("7")
    wait_for_text(page, "Saved as 7", "#note")
    page.locator("summary").click()
    page.uncheck("#shortcuts")
    page.keyboard.press("3")
    page.click("#labels button >> nth=7")  # requests are sent in turn
    wait_for_text(page, "Already saved as 7", "#note")
    assert page.inner_text("#total") == "1 in mine.npz"


def test_with_the_keyboard_alone(own_page: Any, own_server: Server) -> None:
    page = own_page

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"cannot reach {selector}")

    tab_to("#drawing")
    start = (("ArrowLeft", 5), ("ArrowUp", 8), ("Space", 1))
    for key, times in (*start, ("ArrowRight", 10), ("ArrowDown", 16), ("Space", 1)):
        for _ in range(times):
            page.keyboard.press(key)
    wait_for_result(page)
    assert page.inner_text("#digit") == "7"
    page.keyboard.press("7")
    wait_for_text(page, "1 in", "#total")
    page.keyboard.press("Escape")
    assert wait_for_result(page) == "Nothing yet."
    page.keyboard.press("r")
    wait_for_text(page, "True label", "#truth")
    wait_for_result(page)
    tab_to("input[name=model]")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("input[value=dense]")
    wait_for_result(page)
    page.keyboard.press("5")
    wait_for_text(page, "2 in", "#total")
    tab_to("#remove-last")
    page.keyboard.press("Enter")
    wait_for_text(page, "1 in", "#total")
    assert load(own_server.folder / "mine.npz")["all"].labels.tolist() == [7]
