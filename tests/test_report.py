"""The report: one page that opens offline, its pictures and its numbers."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits.data.dataset import Dataset
from digits.data.sources import load_sample
from digits.errors import OutputError
from digits.evaluation import evaluate, misread
from digits.report import Chapter, write_report

EVIL = "<script>alert('1')</script> & \"$x$\""
HISTORY = [
    {"epoch": e, "loss": 1 / e, "accuracy": 0.8, "val_loss": None, "val_accuracy": None}
    for e in (1, 2, 3)
]


class MeanPictures:
    """A small true recogniser: how near a picture is to the mean picture of each digit."""

    def __init__(self, train: Dataset, name: str, path: Path | None = None) -> None:
        self.name, self.path = name, path
        self.means = np.stack(
            [train.images[train.labels == d].mean(axis=0).ravel() for d in range(10)]
        )

    def probabilities(self, images, /):
        flat = images.reshape(len(images), -1).astype(np.float32)
        distance = ((flat[:, None] - self.means) ** 2).mean(axis=2)
        odds = np.exp((distance.min(axis=1, keepdims=True) - distance) / 300)
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


class Page(HTMLParser):
    """The elements of a page, in order, with their attributes, and all of its text."""

    void = frozenset({"meta", "img"})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(path.read_text("utf-8"))
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture(scope="module")
def one(sample, tmp_path_factory):
    """(folder, evaluation, data) of a report on one model and one set."""
    folder = tmp_path_factory.mktemp("report") / "new"
    data = [sample["test"].limit(400)]
    model = MeanPictures(sample["train"], "mean", Path("models/mean.h5"))
    evaluation = evaluate(model, data)
    metadata = {
        "family": "mean",
        "settings": {"epochs": 3, "classes": [0, 1]},
        "note": EVIL,
        "unknown": None,
        "long": "x" * 5000,
        "test": {"loss": float("nan")},
        "history": HISTORY,
    }
    assert write_report(folder, [Chapter(evaluation, HISTORY, metadata)], data) == (
        folder / "report.html"
    )
    return folder, evaluation, data[0]


def test_the_folder_holds_page_numbers_and_pictures(one):
    folder, _, _ = one
    assert sorted(p.name for p in folder.iterdir()) == [
        "confusion.png", "curves.png", "grid.png", "misread.png", "report.html", "report.json",
    ]  # fmt: skip


def test_the_page_needs_nothing_from_anywhere(one):
    folder, _, _ = one
    page = Page(folder / "report.html")
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert all(a["href"].startswith("#") for a in page.all("a"))
    for image in page.all("img"):
        kind, content = image["src"].split(",")
        assert kind == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(content))).format == "PNG"
    beside = {p.read_bytes() for p in folder.glob("*.png")}
    assert {base64.b64decode(i["src"].split(",")[1]) for i in page.all("img")} == beside
    policy = next(m for m in page.all("meta") if "http-equiv" in m)
    assert policy["content"].startswith("default-src 'none'")


def test_the_page_can_be_read_by_everyone(one):
    page = Page(one[0] / "report.html")
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all(heading["scope"] in ("row", "col") for heading in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)
    assert "prefers-color-scheme: dark" in page.text


def test_the_page_tells_the_scores_and_what_the_model_is(one):
    folder, evaluation, data = one
    page, score = Page(folder / "report.html"), evaluation.scores[0]
    low, high = score.accuracy_ci95
    for text in (
        f"{100 * score.accuracy:.2f} %",
        f"{100 * low:.2f} % to {100 * high:.2f} %",
        f"{score.loss:.4f}",
        str(score.incorrect),
        f"{100 * score.per_digit[4].f1:.2f} %",
        "settings: epochs",
        "0, 1",
        "models/mean.h5",
    ):
        assert text in page.text
    assert "x" * 401 not in page.text
    gallery = next(image["alt"] for image in page.all("img") if "Misread" in image["alt"])
    worst = misread(data.labels, evaluation.probabilities[0])[0]
    answer = evaluation.probabilities[0][worst].argmax()
    assert gallery.startswith(f"Misread, worst first: {data.labels[worst]} → {answer} (")


def test_text_of_strangers_is_shown_not_run(one):
    page = Page(one[0] / "report.html")
    assert EVIL in page.text
    assert not page.all("script")


def test_the_numbers_are_the_evaluation_and_the_misread(one):
    folder, evaluation, data = one

    def refuse(constant):
        raise AssertionError(constant)

    numbers = json.loads((folder / "report.json").read_text(), parse_constant=refuse)
    (model,) = numbers["models"]
    entry = dict(model["data"][0])
    wrong, grid = entry.pop("misread"), entry.pop("grid")
    assert entry == evaluation.to_json()["data"][0]
    assert model["joint"] is None
    assert model["history"] == HISTORY
    assert model["metadata"]["settings"] == {"epochs": 3, "classes": [0, 1]}
    assert model["metadata"]["test"] == {"loss": None}
    assert len(wrong) == entry["incorrect"]
    assert all(w["label"] == data.labels[w["index"]] != w["answer"] for w in wrong)
    sure = [w["confidence"] for w in wrong]
    assert sure == sorted(sure, reverse=True)
    assert (len(grid), grid[0]["index"], grid[-1]["index"]) == (50, 0, 399)


def test_several_models_and_sets_stand_beside_each_other(sample, tmp_path):
    test = sample["test"]
    data = [test.limit(60), Dataset(test.images[60:70], test.labels[60:70], EVIL)]
    models = [MeanPictures(sample["train"].limit(n), "Mean") for n in (4000, 50 * 80)]
    chapters = [Chapter(evaluate(model, data)) for model in models]
    page = Page(write_report(tmp_path, chapters, data))
    names = sorted(p.name for p in tmp_path.glob("*.png"))
    assert len(names) == 2 * 2 * 3
    assert "confusion-1-mean-sample-test.png" in names
    assert page.text.count("all of these") == 2
    assert len(page.all("img")) == 12
    assert "does not tell how its training went" in page.text
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert [m["joint"]["n"] for m in numbers["models"]] == [70, 70]


def report_again(one, folder, history=()):
    _, evaluation, data = one
    return write_report(folder, [Chapter(evaluation, history)], [data])


def test_files_of_others_are_left_alone(one, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    report_again(one, tmp_path)
    (tmp_path / "report.html").write_text("old")
    report_again(one, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert "Made by digits" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("name", ["report.json", "report.html", "grid.png"])
def test_a_file_that_no_report_wrote_is_never_replaced(one, tmp_path, name):
    (tmp_path / name).write_text('{"made_by": "me", "files": ["grid.png", "report.json"]}')
    with pytest.raises(OutputError, match=f"holds a {name}"):
        report_again(one, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_later_report_knows_the_files_of_all_earlier_ones(one, tmp_path):
    report_again(one, tmp_path, HISTORY)
    report_again(one, tmp_path)
    report_again(one, tmp_path, HISTORY)
    assert (tmp_path / "curves.png").exists()
    (tmp_path / "curves.png").unlink()
    report_again(one, tmp_path)
    (tmp_path / "curves.png").write_text("mine now")
    with pytest.raises(OutputError, match=r"curves\.png"):
        report_again(one, tmp_path, HISTORY)


def test_a_place_that_cannot_be_a_folder_is_an_error(one, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        report_again(one, tmp_path / "file")


def test_names_that_utf8_cannot_say_do_not_stop_it(one, tmp_path):
    _, evaluation, data = one
    chapter = Chapter(evaluation, metadata={"source": "scan-\udcff.png"})
    assert "scan-?.png" in write_report(tmp_path, [chapter], [data]).read_text("utf-8")
