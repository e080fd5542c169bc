"""The report: one page that opens offline, its figures and its numbers."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits import Dataset, ModelMetadata, evaluate
from digits.errors import OutputError
from digits.evaluation.metrics import misread
from digits.models.metadata import DatasetInfo, Epoch
from digits.reports.report import write_report

EVIL = "<script>alert('1')</script> & \"$x$\""
HISTORY = tuple(
    Epoch(e, 1 / e, 0.8, None, None, learning_rate=0.1, seconds=1, best=True) for e in (1, 2, 3)
)


def metadata(**fields):
    return ModelMetadata(family="dense", preset="best", versions={}, created="today", **fields)


class NearestMean:
    """A small true model: how near an image is to the mean image of each digit."""

    def __init__(self, train: Dataset, name: str, path: Path | None = None, metadata=None) -> None:
        self.name, self.path, self.metadata = name, path, metadata
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
def one(sample, tmp_path_factory):
    """(folder, evaluation, data) of a report on one model and one set."""
    folder = tmp_path_factory.mktemp("report") / "new"
    data = sample["test"].limit(400)
    known = metadata(
        settings={"epochs": 3, "classes": [0, 1], "note": EVIL, "long": "x" * 5000},
        data=(DatasetInfo("mnist train", 60_000, "abc"),),
        history=HISTORY,
        temperature=float("nan"),
    )
    model = NearestMean(sample["train"], "mean", Path("models/mean.h5"), known)
    evaluation = evaluate(model, data)
    assert write_report(folder, [evaluation]) == folder / "report.html"
    return folder, evaluation, data


@pytest.fixture(scope="module")
def small(sample):
    """Evaluations that are quick to draw, on five images: without a training history, and with."""
    data = sample["train"].limit(5)
    return [
        evaluate(NearestMean(sample["train"], "mean", metadata=known), data)
        for known in (None, metadata(history=HISTORY[:1]))
    ]


def test_the_folder_holds_page_numbers_and_figures(one):
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


def test_the_page_shows_the_scores_and_the_metadata(one):
    folder, evaluation, data = one
    page, score = Page(folder / "report.html"), evaluation.scores[0]
    low, high = score.accuracy_ci95
    for text in (
        f"{score.accuracy:.2%}",
        f"{low:.2%} to {high:.2%}",
        f"{score.loss:.4f}",
        str(score.incorrect),
        f"{score.per_digit[4].f1:.2%}",
        "settings: epochs",
        "0, 1",
        "data: pictures",
        "models/mean.h5",
    ):
        assert text in page.text
    assert "x" * 401 not in page.text
    gallery = next(image["alt"] for image in page.all("img") if "Misread" in image["alt"])
    worst = misread(data.labels, evaluation.probabilities[0])[0]
    answer = evaluation.probabilities[0][worst].argmax()
    assert gallery.startswith(f"Misread, most confident first: {data.labels[worst]} → {answer} (")


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
    assert model["metadata"]["history"] == [asdict(epoch) for epoch in HISTORY]
    assert model["metadata"]["settings"]["classes"] == [0, 1]
    assert model["metadata"]["temperature"] is None
    assert len(wrong) == entry["incorrect"]
    assert all(w["label"] == data.labels[w["index"]] != w["predicted"] for w in wrong)
    confidence = [w["confidence"] for w in wrong]
    assert confidence == sorted(confidence, reverse=True)
    assert (len(grid), grid[0]["index"], grid[-1]["index"]) == (50, 0, 399)


def test_several_models_and_sets_are_in_one_report(sample, tmp_path):
    test = sample["test"]
    data = [test.limit(6), Dataset(test.images[60:64], test.labels[60:64], EVIL)]
    models = [NearestMean(sample["train"], "Mean") for _ in range(2)]
    page = Page(write_report(tmp_path, [evaluate(model, data) for model in models]))
    names = sorted(p.name for p in tmp_path.glob("*.png"))
    assert len(names) == 2 * 2 * 3
    assert "confusion-1-mean-sample-test.png" in names
    assert page.text.count("all of these") == 2
    assert len(page.all("img")) == 12
    assert "no training history" in page.text
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert [m["joint"]["n"] for m in numbers["models"]] == [10, 10]


def test_an_earlier_report_is_replaced_and_other_files_stay(small, tmp_path):
    plain, trained = small
    (tmp_path / "notes.txt").write_text("mine")
    write_report(tmp_path, [trained])
    (tmp_path / "report.html").write_text("old")
    write_report(tmp_path, [plain])
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert "Made by digits" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "curves.png").exists()  # of the first report, which a third may replace
    assert "curves.png" in json.loads((tmp_path / "report.json").read_text())["files"]


@pytest.mark.parametrize("name", ["report.json", "report.html", "grid.png"])
def test_a_file_that_no_report_wrote_is_never_replaced(small, tmp_path, name):
    (tmp_path / name).write_text('{"made_by": "me", "files": ["grid.png", "report.json"]}')
    with pytest.raises(OutputError, match="not part of an earlier report") as caught:
        write_report(tmp_path, small[:1])
    assert caught.value.path == str(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_that_took_the_place_of_one_of_a_report_is_never_replaced(small, tmp_path):
    plain, trained = small
    write_report(tmp_path, [trained])
    (tmp_path / "curves.png").unlink()
    write_report(tmp_path, [plain])
    (tmp_path / "curves.png").write_text("mine now")
    with pytest.raises(OutputError, match=r"curves\.png"):
        write_report(tmp_path, [trained])


def test_a_path_that_cannot_be_a_folder_is_an_error(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_report(tmp_path / "file", small[:1])


def test_names_that_are_not_utf8_do_not_stop_it(sample, tmp_path):
    known = metadata(converted_from="scan-\udcff.h5")
    model = NearestMean(sample["train"], "mean", metadata=known)
    page = write_report(tmp_path, [evaluate(model, sample["train"].limit(1))])
    assert "scan-?.h5" in page.read_text("utf-8")
