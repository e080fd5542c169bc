"""The page, as people use it: in a real browser, with a real server."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from digits import Splits
from drawing import drawn_large, jpeg, on_paper, png
from web.browser import (
    STROKES,
    draw,
    held_back,
    opened,
    wait_for_all,
    wait_for_result,
    wait_for_text,
)
from web.server import Server, serving

UPLOAD = """([kind, name, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
  const event = kind === "paste"
    ? new ClipboardEvent(kind, {clipboardData: files, bubbles: true, cancelable: true})
    : new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""


def digit(page: Any) -> str:
    """Wait for the result and return its digit."""
    wait_for_result(page)
    return str(page.inner_text("#digit"))


def widths(page: Any) -> list[float]:
    script = "[...document.querySelectorAll('#bars i')].map((bar) => parseFloat(bar.style.width))"
    return list(page.evaluate(script))


def test_each_drawn_digit_is_recognized(page: Any) -> None:
    for label, strokes in STROKES.items():
        page.click("#clear")
        draw(page, strokes)
        assert digit(page) == str(label)
        assert re.fullmatch(r"Confidence: >?\d\d\.\d%", page.inner_text("#sentence"))
        assert [text[:3] for text in wait_for_all(page)] == [f"{label} ("] * 3
        assert np.argmax(widths(page)) == label
        assert abs(sum(widths(page)) - 100) < 0.1  # with that of "no digit"
        assert page.inner_text("#live").startswith(f"{label} Confidence: ")


def test_the_result_follows_the_pen(page: Any) -> None:
    box = page.locator("#drawing").bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    page.evaluate("""() => {
        window.results = 0;
        const seven = document.querySelector("#bars li:nth-child(8) i");
        new MutationObserver(() => { results += 1; }).observe(seven, {attributeFilter: ["style"]});
    }""")
    there = [(0.28 + 0.44 * i / 50, 0.17) for i in range(50)]
    there += [(0.72 - 0.27 * i / 50, 0.17 + 0.69 * i / 50) for i in range(51)]
    page.mouse.move(x + 0.28 * side, y + 0.17 * side)
    page.mouse.down()
    for pass_ in range(100):  # without a pause, over the same 7, until results have come
        for across, down in there[:: -1 if pass_ % 2 else 1]:
            page.mouse.move(x + across * side, y + down * side)
        if page.evaluate("results") > 5:
            break
    assert page.evaluate("results") > 5
    assert digit(page) == "7"  # the button is still down
    page.mouse.up()


def test_undo_and_clear(page: Any) -> None:
    draw(page, STROKES[4])
    assert digit(page) == "4"
    page.click("#undo")
    assert digit(page) != "4"
    page.keyboard.press("Control+z")
    assert wait_for_result(page) == "Nothing yet."
    assert page.is_disabled("#undo")
    assert page.is_disabled("#labels button >> nth=0")
    draw(page, STROKES[1])
    assert digit(page) == "1"
    page.click("#clear")
    assert wait_for_result(page) == "Nothing yet."
    assert wait_for_all(page) == ["", "", ""]


def test_undo_during_a_stroke_ends_it(page: Any) -> None:
    draw(page, STROKES[1])
    box = page.locator("#drawing").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.keyboard.press("Control+z")
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=3)
    page.mouse.up()
    assert digit(page) == "1"  # the first stroke, with nothing attached to it
    page.keyboard.press("Escape")
    assert wait_for_result(page) == "Nothing yet."


def test_the_width_of_the_pen(page: Any) -> None:
    inked = """() => {
      const drawing = document.querySelector("#drawing");
      const {data} = drawing.getContext("2d").getImageData(0, 0, drawing.width, drawing.height);
      return data.filter((value, i) => i % 4 === 0 && value < 128).length / data.length * 4;
    }"""
    draw(page, STROKES[1])
    default = page.evaluate(inked)
    page.click("#clear")
    page.fill("#pen", "14")
    draw(page, STROKES[1])
    assert page.evaluate(inked) > 1.5 * default
    assert digit(page) == "1"


def test_a_finger_draws_on_a_phone(browser: Any, server: Server) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3,
             "has_touch": True, "is_mobile": True}  # fmt: skip
    with opened(browser, server.address, **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        box = page.locator("#drawing").bounding_box()
        assert page.evaluate("document.querySelector('#drawing').width") >= 3 * (box["width"] - 3)
        touch = page.context.new_cdp_session(page)
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            for x, y in STROKES[7][0]
        ]
        for kind, touched in (
            ("touchStart", points[:1]), ("touchMove", points[1:2]), ("touchMove", points[2:]),
            ("touchEnd", []),
        ):  # fmt: skip
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
        assert digit(page) == "7"
        assert page.inner_text("#digit-on-phone") == "7"
        assert page.evaluate("scrollY") == 0


def test_a_chosen_file(page: Any, sample: Splits) -> None:
    ink = drawn_large(sample["test"].images[5], 9, (80, 90, 70, 60))
    photo = jpeg(on_paper(ink, grain=5), 85)
    for name in ("five.jpg", "drawing.png"):  # a name means nothing
        page.set_input_files("#file", {"name": name, "mimeType": "image/jpeg", "buffer": photo})
        wait_for_text(page, name, "#about")
        assert digit(page) == "5"
        assert page.is_visible("#picture")
        assert page.is_hidden("#drawing")
    assert [text[0] for text in wait_for_all(page)] == ["5", "5", "5"]
    page.click("#clear")
    assert page.is_visible("#drawing")


def test_a_chosen_pdf(page: Any, sample: Splits) -> None:
    """Which this browser cannot draw; its button lets it be chosen, and the answer comes."""
    from PIL import Image

    ink = drawn_large(sample["test"].images[5], 9, (80, 90, 70, 60))
    scan = io.BytesIO()
    Image.fromarray(255 - ink).save(scan, "PDF")
    assert ".pdf" in (page.get_attribute("#file", "accept") or "").split(",")
    file = {"name": "five.pdf", "mimeType": "application/pdf", "buffer": scan.getvalue()}
    page.set_input_files("#file", file)
    wait_for_text(page, "five.pdf", "#about")
    assert digit(page) == "5"
    assert [text[0] for text in wait_for_all(page)] == ["5", "5", "5"]


def test_a_photo_is_turned_as_its_camera_says(page: Any, sample: Splits) -> None:
    from PIL import Image

    ink = drawn_large(sample["test"].images[7], 9, (80, 90, 120, 60))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    lying = jpeg(np.rot90(on_paper(ink)), 90, exif=exif)
    page.set_input_files("#photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": lying})
    assert digit(page) == "7"
    width, height = page.evaluate(
        "(({width, height}) => [width, height])(document.querySelector('#picture'))"
    )
    assert abs(width / height - ink.shape[1] / ink.shape[0]) < 0.02


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped(page: Any, sample: Splits, kind: str) -> None:
    picture = png(on_paper(drawn_large(sample["test"].images[2], 6, (50, 50, 50, 50))))
    page.evaluate(UPLOAD, [kind, "two.png", list(picture)])
    assert digit(page) == "2"


def test_several_digits_get_boxes(page: Any, sample: Splits) -> None:
    images = sample["test"].images
    row = np.hstack([drawn_large(images[i], 3, (15, 15, 15, 80))[:95] for i in (3, 7, 4)])
    page.evaluate(UPLOAD, ["drop", "row.png", list(png(on_paper(row)))])
    assert wait_for_result(page).startswith("374. Selected digit: 3 (")
    found = page.locator("#found button")
    assert found.all_inner_texts() == ["3", "7", "4"]
    blue = """() => {
      const picture = document.querySelector("#picture");
      const {data} = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
      return data.filter((v, i) => i % 4 === 2 && v - data[i - 2] > 100).length;
    }"""
    assert page.evaluate(blue) > 500  # two boxes; the selected one is red
    found.nth(1).click()
    assert wait_for_result(page).startswith("374. Selected digit: 7 (")
    assert page.inner_text("#bars li.best").startswith("7")
    assert found.nth(1).get_attribute("aria-pressed") == "true"
    assert [text[0] for text in wait_for_all(page)] == ["7", "7", "7"]
    page.check("input[value=dense]")  # whose own reading, not only of the selected digit, is shown
    assert wait_for_result(page).startswith("374. Selected digit: 7 (")
    assert found.all_inner_texts() == ["3", "7", "4"]


def test_several_digits_are_read_on_demand(page: Any) -> None:
    left = [[(0.5 * x, y) for x, y in stroke] for stroke in STROKES[1]]
    right = [[(0.45 + 0.5 * x, y) for x, y in stroke] for stroke in STROKES[7]]
    page.check("#several")
    page.fill("#pen", "5")
    draw(page, left + right)
    assert wait_for_result(page).startswith("17. Selected digit: 1 (")


@pytest.mark.parametrize(
    ("letters", "sentence"),
    [("K", "No digit."), ("", "No ink found.")],
)
def test_a_picture_without_a_digit(page: Any, letters: str, sentence: str) -> None:
    ink = np.zeros((160, 160), np.uint8)
    cv2.putText(ink, letters, (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 9, cv2.LINE_AA)
    page.evaluate(UPLOAD, ["drop", "letter.png", list(png(on_paper(ink)))])
    assert wait_for_result(page) == sentence
    assert page.inner_text("#digit") == "?"
    assert page.locator("#bars .best").count() == 0
    assert wait_for_all(page)[0] == sentence.rstrip(".").lower()


def test_a_random_digit_comes_with_its_label(page: Any) -> None:
    for _ in range(3):
        before = page.inner_text("#about")
        page.click("#random")
        page.wait_for_function(
            "(before) => document.querySelector('#about').textContent !== before", arg=before
        )
        read, truth = digit(page), page.inner_text("#truth")
        label = re.findall(r"True label: (\d)", truth)[0]
        assert ("wrong" in truth) == (read != label)


def test_a_file_that_is_no_picture(page: Any) -> None:
    wrong = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.set_input_files("#file", wrong)
    error = wait_for_text(page, "notes.txt", "#problem")
    assert error == "notes.txt: the file is not a picture. Save it as PNG or JPEG."
    assert wait_for_result(page) == "Nothing yet."
    assert page.is_disabled("#labels button >> nth=0")
    draw(page, STROKES[7])
    assert digit(page) == "7"
    assert page.inner_text("#problem") == ""


def test_pages_of_a_file(page: Any, tmp_path: Path, sample: Splits) -> None:
    """No browser shows a PDF as a picture: the server draws its pages."""
    one, two = (
        Image.fromarray(on_paper(drawn_large(sample["test"].images[i], 8, (60, 60, 60, 60))))
        for i in (0, 1)
    )
    path = tmp_path / "scan.pdf"
    one.save(path, save_all=True, append_images=[two])
    page.set_input_files("#file", path)
    labels = [str(label) for label in sample["test"].labels[:2]]
    wait_for_text(page, "Page 1 of 2", "#page")
    assert digit(page) == labels[0]
    assert page.is_disabled("#previous")
    assert page.eval_on_selector("#picture", "(canvas) => canvas.width") > 300
    page.click("#next")
    wait_for_text(page, "Page 2 of 2", "#page")
    assert digit(page) == labels[1]
    assert page.is_disabled("#next")
    page.click("#clear")
    assert page.is_hidden("#pages")


def test_a_picture_that_is_too_large_is_reduced(page: Any, tmp_path: Path) -> None:
    side = 2200
    seven = np.zeros((side, side), np.uint8)
    cv2.polylines(seven, [(side * np.array(STROKES[7][0])).astype(int)], False, 255, 110)
    noise = np.random.default_rng(0).integers(160, 256, (side, side, 3), np.uint8)
    path = tmp_path / "noise.png"
    path.write_bytes(png(np.where(seven[..., None] > 0, np.uint8(40), noise)))
    assert path.stat().st_size > 10_000_000
    page.set_input_files("#file", path)
    assert digit(page) == "7"


def test_switching_models_shows_something_all_the_time(page: Any) -> None:
    draw(page, STROKES[3])
    assert [text[0] for text in wait_for_all(page)] == ["3", "3", "3"]
    page.evaluate("""() => {
        window.shown = new Set();
        const nodes = document.querySelectorAll("#digit, #models .prediction");
        new MutationObserver(() => nodes.forEach((node) => shown.add(node.textContent[0])))
            .observe(document.querySelector("#result"), {subtree: true, childList: true});
    }""")
    confidences = [text[3:-1] for text in wait_for_all(page)]
    for name, confidence in zip(("dense", "rnn", "cnn"), confidences[1:] + confidences[:1],
                                strict=True):  # fmt: skip
        page.check(f"input[value={name}]")
        assert wait_for_result(page) == f"Confidence: {confidence}"
        assert page.is_checked(f"input[value={name}]")
        assert [text[0] for text in wait_for_all(page)] == ["3", "3", "3"]
    assert set(page.evaluate("[...shown]")) <= {"3"}


def test_the_last_result_stays_until_the_next_one_is_there(page: Any) -> None:
    with held_back(page, "**/api/predict?*model=dense*"):
        draw(page, STROKES[3])
        assert digit(page) == "3"
        page.check("input[value=dense]")
        assert page.get_attribute("#result", "aria-busy") == "true"
        assert page.inner_text("#digit") == "3"
    assert digit(page) == "3"
    assert [text[0] for text in wait_for_all(page)] == ["3", "3", "3"]


def test_a_new_picture_is_being_read(page: Any, sample: Splits) -> None:
    draw(page, STROKES[3])
    assert digit(page) == "3"
    with held_back(page, "**/api/predict?*"):
        page.evaluate(UPLOAD, ["drop", "two.png", list(png(sample["test"].images[2]))])
        wait_for_text(page, "Reading…")
        assert page.get_attribute("#result", "aria-busy") == "true"
        assert page.inner_text("#digit") == "?"
    assert digit(page) == "2"


def test_drawing_before_the_models_are_known(browser: Any, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with held_back(page, "**/api/models"):
        page.goto(server.address)
        page.wait_for_selector("#bars li")
        draw(page, STROKES[7])
        assert digit(page) == "7"
        assert wait_for_all(page) == []
    page.wait_for_selector("body[data-ready]")
    assert [text[0] for text in wait_for_all(page)] == ["7", "7", "7"]
    assert not errors
    context.close()


def test_a_server_that_has_stopped(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    with serving(tmp_path) as server:
        page.goto(server.address)
        page.wait_for_selector("body[data-ready]")
    draw(page, STROKES[7])
    wait_for_text(page, "The server does not respond", "#problem")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_accessibility(browser: Any, server: Server, scheme: str, width: int) -> None:
    """axe-core finds no violation, and nothing is wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme,
               "reduced_motion": "reduce"}  # fmt: skip
    with opened(browser, server.address, **options) as page:
        page.locator("summary").click()
        draw(page, STROKES[2])
        wait_for_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response
        assert len(found["passes"]) > 20
        assert not [one["id"] for one in found["violations"]]


def test_the_description_shows_without_a_network(browser: Any, server: Server) -> None:
    with opened(browser, server.address, "docs", "[data-path='/api/predict']") as page:
        assert page.locator(".opblock").count() == 9
