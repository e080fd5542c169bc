"""The page, as people use it: in a real browser, against the real server."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from digits import Splits, load
from drawing import drawn_large, jpeg, on_paper, png
from web.browser import STROKES, chromium, draw
from web.server import Server, serving

pytestmark = pytest.mark.heavy

WAIT = 15_000  # ms


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@contextmanager
def opened(
    browser: Any, address: str, path: str = "", ready: str = "body[data-ready]", **options: Any
) -> Iterator[Any]:
    """The page, ready; nothing that it does may end on its console or ask elsewhere."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    page.wait_for_selector(ready)
    try:
        yield page
        elsewhere = [url for url in asked if not url.startswith((address, "blob:", "data:"))]
        assert not elsewhere
        unexpected = [fault for fault in faults if "422" not in fault]  # a picture it cannot read
        assert not unexpected
    finally:
        context.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    with opened(browser, server.address) as ready:
        yield ready


def says(page: Any, pattern: str, where: str = "#sentence") -> str:
    """Wait until the page says so."""
    page.wait_for_function(
        "([where, pattern]) => new RegExp(pattern).test(document.querySelector(where).textContent)",
        arg=[where, pattern],
    )
    return str(page.inner_text(where))


def opinions(page: Any) -> list[str]:
    """What each model says, once all have been asked."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('#models .opinion')].every((o) => o.textContent)"
    )
    return [re.split(r"\W", said)[0] for said in page.locator("#models .opinion").all_inner_texts()]


def shares(page: Any) -> list[float]:
    widths = "[...document.querySelectorAll('#bars i')].map((bar) => parseFloat(bar.style.width))"
    return list(page.evaluate(widths))


@pytest.mark.parametrize("digit", range(10))
def test_each_digit_is_read_as_it_is_drawn(page: Any, digit: int) -> None:
    draw(page, STROKES[digit])
    says(page, f"Reads {digit}, [0-9.]+ % sure")
    assert opinions(page)[0] == str(digit)
    assert len(opinions(page)) == 3
    assert np.argmax(shares(page)) == digit
    assert abs(sum(shares(page)) - 100) < 0.1
    assert page.inner_text("#live") == page.inner_text("#sentence")


def test_the_answer_follows_while_one_draws(page: Any) -> None:
    box = page.locator("#paper").bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector("#sentence").textContent))
            .observe(document.querySelector("#sentence"), {childList: true});
    }""")
    page.mouse.move(x + 0.28 * side, y + 0.17 * side)
    page.mouse.down()
    for steps in range(150):  # without a pause
        page.mouse.move(x + (0.28 + 0.44 * steps / 150) * side, y + 0.17 * side)
    for steps in range(150):
        share = steps / 150
        page.mouse.move(x + (0.72 - 0.27 * share) * side, y + (0.17 + 0.69 * share) * side)
    assert len(page.evaluate("window.said")) > 5
    says(page, "Reads 7")  # the button is still down
    page.mouse.up()


def test_undo_and_clear(page: Any) -> None:
    draw(page, STROKES[4])
    says(page, "Reads 4")
    page.click("#undo")
    page.wait_for_function("() => !document.querySelector('#sentence').textContent.includes('4')")
    page.keyboard.press("Control+z")
    says(page, "Nothing yet")
    assert page.is_disabled("#undo")
    assert page.is_disabled("#labels button >> nth=0")
    draw(page, STROKES[1])
    says(page, "Reads 1")
    page.click("#clear")
    says(page, "Nothing yet")


def test_a_pen_of_another_width_draws_so(page: Any) -> None:
    inked = """() => {
      const paper = document.querySelector("#paper");
      const {data} = paper.getContext("2d").getImageData(0, 0, paper.width, paper.height);
      return data.filter((value, i) => i % 4 === 0 && value < 128).length / data.length * 4;
    }"""
    draw(page, STROKES[1])
    usual = page.evaluate(inked)
    page.click("#clear")
    page.fill("#pen", "14")
    draw(page, STROKES[1])
    assert page.evaluate(inked) > 1.5 * usual
    says(page, "Reads 1")


def test_a_finger_draws_on_a_phone_of_high_density(browser: Any, server: Server) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3,
             "has_touch": True, "is_mobile": True}  # fmt: skip
    with opened(browser, server.address, **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        box = page.locator("#paper").bounding_box()
        assert page.evaluate("document.querySelector('#paper').width") >= 3 * (box["width"] - 3)
        touch = page.context.new_cdp_session(page)
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            for x, y in STROKES[7][0]
        ]
        for kind, places in (
            ("touchStart", points[:1]), ("touchMove", points[1:2]), ("touchMove", points[2:]),
            ("touchEnd", []),
        ):  # fmt: skip
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        says(page, "Reads 7")
        assert page.evaluate("scrollY") == 0


def test_a_picture_is_uploaded(page: Any, sample: Splits, tmp_path: Path) -> None:
    ink = drawn_large(sample["test"].images[5], 9, (80, 90, 70, 60))
    (tmp_path / "five.jpg").write_bytes(jpeg(on_paper(ink, grain=5), 85))
    page.set_input_files("#file", tmp_path / "five.jpg")
    says(page, "Reads 5")
    assert page.inner_text("#about") == "five.jpg"
    twin = (tmp_path / "five.jpg").rename(tmp_path / "drawing.png")  # a name tells nothing
    page.set_input_files("#file", twin)
    says(page, "drawing.png", "#about")
    says(page, "Reads 5")
    assert page.is_visible("#picture")
    assert page.is_hidden("#paper")
    assert opinions(page) == ["5", "5", "5"]
    page.click("#clear")
    assert page.is_visible("#paper")


def test_a_picture_turned_by_its_camera_stands_upright(page: Any, sample: Splits) -> None:
    from PIL import Image

    ink = drawn_large(sample["test"].images[7], 9, (80, 90, 120, 60))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    lying = jpeg(np.rot90(on_paper(ink)), 90, exif=exif)
    page.set_input_files("#photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": lying})
    says(page, "Reads 7")
    size = page.evaluate(
        "(({width, height}) => [width, height])(document.querySelector('canvas#picture'))"
    )
    assert abs(size[0] / size[1] - ink.shape[1] / ink.shape[0]) < 0.02


_FILES = """([kind, name, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
  const event = kind === "paste"
    ? new ClipboardEvent(kind, {clipboardData: files, bubbles: true, cancelable: true})
    : new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_is_pasted_and_dropped(page: Any, sample: Splits, kind: str) -> None:
    picture = png(on_paper(drawn_large(sample["test"].images[2], 6, (50, 50, 50, 50))))
    page.evaluate(_FILES, [kind, "two.png", list(picture)])
    says(page, "Reads 2")


def test_several_digits_get_boxes(page: Any, sample: Splits) -> None:
    images = sample["test"].images
    row = np.hstack([drawn_large(images[i], 3, (15, 15, 15, 80))[:95] for i in (3, 7, 4)])
    page.evaluate(_FILES, ["drop", "row.png", list(png(on_paper(row)))])
    says(page, "Reads 374")
    found = page.locator("#found button")
    assert found.all_inner_texts() == ["3", "7", "4"]
    blue = """() => {
      const picture = document.querySelector("#picture");
      const {data} = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
      return data.filter((v, i) => i % 4 === 2 && v - data[i - 2] > 100).length;
    }"""
    assert page.evaluate(blue) > 500  # two boxes; the chosen one is red
    found.nth(1).click()
    says(page, "7", "#bars li.best")
    assert found.nth(1).get_attribute("aria-pressed") == "true"
    assert opinions(page)[0] == "7"


def test_several_digits_are_read_when_asked_to(page: Any) -> None:
    left = [[(0.5 * x, y) for x, y in stroke] for stroke in STROKES[1]]
    right = [[(0.45 + 0.5 * x, y) for x, y in stroke] for stroke in STROKES[7]]
    page.check("#several")
    page.fill("#pen", "5")
    draw(page, left + right)
    says(page, "Reads 17")


def test_a_random_digit_comes_with_its_label(page: Any) -> None:
    for _ in range(3):
        before = page.inner_text("#about")
        page.click("#random")
        page.wait_for_function(
            "(before) => document.querySelector('#about').textContent !== before", arg=before
        )
        meant = says(page, "Its writer meant", "#truth")
        says(page, "Reads|ot sure|No digit")
        page.wait_for_timeout(300)
        read, truth = page.inner_text("#digit"), re.findall(r"\d", page.inner_text("#truth"))[0]
        assert ("wrong" in page.inner_text("#truth")) == (read != truth), meant


def test_bad_files_get_one_sentence(page: Any) -> None:
    wrong = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.set_input_files("#file", wrong)
    said = says(page, "not a picture", "#problem")
    assert said == "cannot read notes.txt: it is not a picture. Save it as PNG or JPEG."
    assert page.is_disabled("#labels button >> nth=0")
    draw_after = page.locator("#clear")
    draw_after.click()
    draw(page, STROKES[7])
    says(page, "Reads 7")
    assert page.inner_text("#problem") == ""


def test_a_picture_that_is_too_large_is_sent_smaller(page: Any) -> None:
    noisy = np.random.default_rng(0).normal(215, 30, (3600, 3200))
    seven = np.zeros((3600, 3200), np.uint8)
    places = [(int(3200 * x), int(3600 * y)) for x, y in STROKES[7][0]]
    cv2.polylines(seven, [np.array(places)], False, 255, 160)
    picture = png(np.where(seven > 0, 40, np.clip(noisy, 0, 255)).astype(np.uint8))
    assert len(picture) > 10_000_000
    page.set_input_files("#file", {"name": "n.png", "mimeType": "image/png", "buffer": picture})
    says(page, "Reads 7")


def test_switching_models(page: Any) -> None:
    draw(page, STROKES[3])
    says(page, "Reads 3")
    for name in ("dense", "rnn"):
        with page.expect_request(lambda asked, n=name: f"model={n}" in asked.url):
            page.check(f"input[value={name}]")
        says(page, "Reads 3")
        assert page.is_checked(f"input[value={name}]")
        assert opinions(page)[0] == "3"


def test_a_correction_is_kept_and_taken_back(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as own, opened(browser, own.address) as page:
        assert page.is_hidden("#train")
        draw(page, STROKES[7])
        says(page, "Reads 7")
        page.click("#labels button >> nth=2")
        says(page, "Kept as 2", "#note")
        page.keyboard.press("2")
        says(page, "Kept as 2 already", "#note")
        page.keyboard.press("7")  # on second thoughts
        says(page, "Kept as 7", "#note")
        assert page.inner_text("#total") == "1 in data/mine.npz"
        kept = load(tmp_path / "data" / "mine.npz")["all"]
        assert kept.labels.tolist() == [7]
        seen = page.evaluate("""() => [...document.querySelector("#seen").getContext("2d")
            .getImageData(0, 0, 28, 28).data].filter((value, i) => i % 4 === 0)""")
        assert np.array_equal(kept.images[0].ravel(), seen)
        page.click("#take-back")
        says(page, "0 in data/mine.npz", "#total")
        assert page.is_disabled("#take-back")


def test_the_command_that_learns_is_shown_when_it_can(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as own, opened(browser, own.address) as page:
        for digit in (1, 7, 4):
            assert page.is_hidden("#train")
            draw(page, STROKES[digit])
            page.keyboard.press(str(digit))  # at once: what is kept is what was drawn by then
            says(page, f"Kept as {digit}", "#note")
            page.click("#clear")
        line = "digits train --from cnn --data data/mine.npz"
        assert page.inner_text("#command") == line
        page.check("input[value=rnn]")
        says(page, "--from rnn", "#command")
        page.click("#copy")
        says(page, "Copied|Selected", "#note")
        arguments = [*line.split()[1:], "--epochs", "1", "--mix", "100"]
        run = [sys.executable, "-m", "digits", *arguments]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "models" / "cnn.h5").is_file()


def _delayed(page: Any, path: str, seconds: float) -> None:
    def wait(route: Any) -> None:
        time.sleep(seconds)
        route.continue_()

    page.route(f"**{path}*", wait)


def test_what_is_kept_is_what_is_shown(browser: Any, tmp_path: Path, sample: Splits) -> None:
    """A label given before the answer has come waits for it."""
    with serving(tmp_path) as own, opened(browser, own.address) as page:
        draw(page, STROKES[1])
        says(page, "Reads 1")
        _delayed(page, "/api/predict", 0.8)
        page.keyboard.press("r")
        page.wait_for_function("() => document.querySelector('#about').textContent")
        assert page.is_disabled("#labels button >> nth=5")
        page.keyboard.press("5")
        says(page, "Kept as 5", "#note")
        kept = load(tmp_path / "data" / "mine.npz")["all"]
        index = int(page.inner_text("#about").split()[-1])
        assert np.array_equal(kept.images[0], sample["test"].images[index])


def test_a_held_key_keeps_one(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as own, opened(browser, own.address) as page:
        draw(page, STROKES[7])
        says(page, "Reads 7")
        for _ in range(5):
            page.keyboard.down("7")
        page.keyboard.up("7")
        says(page, "Kept as 7", "#note")
        page.wait_for_timeout(300)
        assert page.inner_text("#total") == "1 in data/mine.npz"
        page.locator("summary").click()
        page.uncheck("#keys")
        page.keyboard.press("3")
        page.wait_for_timeout(300)
        assert page.inner_text("#total") == "1 in data/mine.npz"


def test_undo_amid_a_stroke_ends_it(page: Any) -> None:
    draw(page, STROKES[1])
    box = page.locator("#paper").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.keyboard.press("Control+z")
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=3)
    page.mouse.up()
    says(page, "Reads 1")  # the other stroke, and nothing glued to it
    page.keyboard.press("Escape")
    says(page, "Nothing yet")


def test_one_can_draw_before_the_models_are_known(browser: Any, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/api/models", lambda route: route.abort())
    page.goto(server.address)
    page.wait_for_selector("body[data-ready]")
    draw(page, STROKES[7])
    says(page, "Reads 7")
    context.close()


def test_with_the_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as own, opened(browser, own.address) as page:

        def tab_to(selector: str) -> None:
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                    return
            raise AssertionError(f"no way to {selector}")

        tab_to("#paper")
        for key, times in (("ArrowUp", 8), ("Space", 1), ("ArrowDown", 16), ("Space", 1)):
            for _ in range(times):
                page.keyboard.press(key)
        says(page, "Reads 1")
        page.keyboard.press("1")
        says(page, "1 in", "#total")
        page.keyboard.press("Escape")
        says(page, "Nothing yet")
        page.keyboard.press("r")
        says(page, "Its writer meant", "#truth")
        says(page, "Reads|ot sure|No digit")
        tab_to("input[name=model]")
        page.keyboard.press("ArrowDown")
        assert page.is_checked("input[value=dense]")
        says(page, "Reads|ot sure|No digit")
        page.keyboard.press("5")
        says(page, "2 in", "#total")
        tab_to("#take-back")
        page.keyboard.press("Enter")
        says(page, "1 in", "#total")
        assert load(tmp_path / "data" / "mine.npz")["all"].labels.tolist() == [1]


def test_a_server_that_is_gone_is_told(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as own:
        context = browser.new_context()
        page = context.new_page()
        page.goto(own.address)
        page.wait_for_selector("body[data-ready]")
        own.process.terminate()
        own.process.wait(20)
        draw(page, STROKES[7])
        says(page, "The server does not answer", "#problem")
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_bars_the_way(
    browser: Any, server: Server, tmp_path: Path, scheme: str, width: int
) -> None:
    """axe-core finds nothing serious, and nothing is wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    with opened(browser, server.address, **options) as page:
        page.locator("summary").click()
        draw(page, STROKES[2])
        says(page, "Reads 2")
        opinions(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response
        assert len(found["passes"]) > 20
        assert not [one["id"] for one in found["violations"]]


def test_the_description_shows_without_a_network(browser: Any, server: Server) -> None:
    with opened(browser, server.address, "docs", "[data-path='/api/predict']") as page:
        assert page.locator(".opblock").count() == 8
