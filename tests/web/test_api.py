"""The HTTP interface: what it answers, and that it is what the command line answers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import Run
from digits import Splits, load
from drawing import drawn_large, on_paper, png
from web.server import Server, serving


@pytest.fixture
def pictures(tmp_path: Path, sample: Splits) -> list[Path]:
    """Three digits as somebody may have photographed them, and a blank page."""
    paths = []
    for i, grain in enumerate((0, 4, 9)):
        ink = drawn_large(sample["test"].images[i], 7, (60, 50, 40, 70))
        paths.append(tmp_path / f"photo {i}.png")
        paths[-1].write_bytes(png(on_paper(ink, grain=grain)))
    paths.append(tmp_path / "blank.png")
    paths[-1].write_bytes(png(np.full((50, 50), 255, np.uint8)))
    return paths


def _files(paths: list[Path]) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in paths]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", ()),
        ("?model=dense&ink=dark&top_k=3", ("-m", "dense", "--ink", "dark", "--top-k", "3")),
        ("?min_confidence=1", ("--min-confidence", "1")),
    ],
)
def test_predict_answers_as_the_command_does(
    server: Server, run: Run, pictures: list[Path], query: str, options: tuple[str, ...]
) -> None:
    names = [path.name for path in pictures]
    said = run("predict", *names, *options, "--format", "json", cwd=pictures[0].parent)
    reply = server.send(f"/api/predict{query}", _files(pictures))
    assert reply.status == 200
    assert reply.json == json.loads(said.stdout)
    assert reply.json[-1]["reason"] == "no ink found"


def test_read_answers_as_the_command_does(
    server: Server, run: Run, tmp_path: Path, sample: Splits
) -> None:
    digits = [drawn_large(sample["test"].images[i], 3, (15, 15, 15, 80)) for i in (3, 7, 4)]
    row = np.hstack([digit[:95] for digit in digits])
    path = tmp_path / "row.png"
    path.write_bytes(png(on_paper(row)))
    said = run("read", path.name, "--format", "json", cwd=tmp_path)
    reply = server.send("/api/read", _files([path]))
    assert reply.json == json.loads(said.stdout)
    assert reply.json[0]["text"] == "374"
    seen = server.send("/api/read?pixels=true", _files([path])).json[0]["digits"]
    assert [np.shape(digit["pixels"]) for digit in seen] == [(28, 28)] * 3


def test_pixels_are_what_the_model_saw(server: Server, sample: Splits) -> None:
    image = sample["test"].images[3]
    answer = server.send("/api/predict?pixels=true", [("three.png", png(image))]).json[0]
    assert answer["digit"] == 3
    assert np.array_equal(answer["pixels"], image)


def test_a_bad_picture_gets_the_sentence_of_the_command(
    server: Server, run: Run, tmp_path: Path, pictures: list[Path]
) -> None:
    bad = {"empty.png": b"", "text.png": b"no picture", "cut.png": pictures[0].read_bytes()[:200]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        said = run("predict", name, cwd=tmp_path)
        reply = server.send("/api/predict", [(name, content)])
        assert reply.status == 422
        assert f"Error: {reply.json['detail']}\n" == said.stderr
        assert server.send("/api/read", [(name, content)]).json["detail"] == reply.json["detail"]
    several = _files([pictures[0], tmp_path / "text.png", pictures[1]])
    reply = server.send("/api/predict", several)
    assert reply.status == 422
    results = reply.json["results"]
    assert [result.get("digit") for result in results] == [0, None, 1]
    assert results[1]["error"] == reply.json["detail"]


def test_a_large_picture_is_refused_as_on_the_command_line(server: Server) -> None:
    bomb = png(np.zeros((8000, 8000), np.uint8))
    reply = server.send("/api/predict", [("bomb.png", bomb)])
    assert reply.status == 422
    assert "more than 50 megapixels" in reply.json["detail"]


def test_names_are_no_paths(server: Server) -> None:
    for sent in ("../../etc/passwd", "C:\\\\Users\\\\me\\\\a.png", "\x1b[2Ja.png"):
        reply = server.send("/api/predict", [(sent, b"x")])
        (result,) = reply.json["results"]
        assert not re.search(r"[/\\]|\x1b", result["path"])


@pytest.mark.parametrize(
    ("path", "files", "status", "sentence"),
    [
        ("/api/predict?model=none", [("a.png", b"x")], 404, "Choose one of: cnn, dense, rnn."),
        ("/api/predict?ink=red", [("a.png", b"x")], 422, "ink: "),
        ("/api/read?min_confidence=2", [("a.png", b"x")], 422, "min_confidence: "),
        ("/api/predict", [], 422, "files: "),
        ("/nothing", [], 404, "Not Found"),
    ],
)
def test_a_wrong_request_is_told_what_to_do(
    server: Server, path: str, files: list[tuple[str, bytes]], status: int, sentence: str
) -> None:
    reply = server.send(path, files)
    assert reply.status == status
    assert sentence in reply.json["detail"]


def test_your_own_models_stand_beside_the_shipped_ones(
    tmp_path: Path, models: dict[str, Path]
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "cnn.h5")
    (tmp_path / "models" / "broken.h5").write_bytes(b"not HDF5")
    with serving(tmp_path) as own:
        known = {model["name"]: model for model in own.get("/api/models").json}
        assert next(iter(known)) == "cnn"
        assert set(known) == {"cnn", "cnn (shipped)", "dense", "rnn", "broken"}
        assert known["cnn"]["family"] == "dense"
        assert known["cnn (shipped)"]["accuracy"] > 0.99
        assert "HDF5" in known["broken"]["error"] or "Keras" in known["broken"]["error"]
        reply = own.send("/api/predict?model=broken", [("a.png", png(np.eye(28, dtype=np.uint8)))])
        assert (reply.status, reply.json["detail"]) == (409, known["broken"]["error"])
        everything = own.get("/api/models").body + reply.body + own.get("/api/mine").body
        assert str(tmp_path).encode() not in everything


def test_keeping_needs_no_model_that_works(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "cnn.h5").write_bytes(b"not HDF5")
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    with serving(tmp_path) as own:
        assert own.send_json("/api/mine", digit).json["total"] == 1
        assert own.get("/api/mine").status == 200
        for _ in range(2):
            line = own.send_json("/api/mine?model=dense", digit).json["train"]
        assert line.startswith("digits train --from dense")
        assert own.send_json("/api/mine?model=none", digit).status == 404


def test_a_model_that_goes_away_is_still_there(tmp_path: Path, models: dict[str, Path]) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "own.h5")
    with serving(tmp_path) as own:
        before = own.get("/api/models").json
        (tmp_path / "models" / "own.h5").unlink()
        assert own.get("/api/models").json == before


def test_no_place_of_the_machine_is_told(tmp_path: Path, models: dict[str, Path]) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mnist.npz").write_bytes(b"damaged")
    collect = ("--collect", tmp_path / "elsewhere" / "mine.npz")
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    environment = {"DIGITS_DATA": str(tmp_path / "elsewhere")}
    with serving(tmp_path / "here", "-m", models["rnn"], *collect, env=environment) as own:
        answers = [own.get("/api/models"), own.get("/api/random")]
        answers += [own.send_json("/api/mine", digit) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 201, 201, 201]
        (tmp_path / "elsewhere" / "mine.npz").write_bytes(b"damaged")
        answers.append(own.send_json("/api/mine", digit))
        assert answers[-1].status == 409
        for answer in answers:
            assert b"elsewhere" not in answer.body
            assert str(models["rnn"].parent).encode() not in answer.body


def test_a_random_digit_is_one_of_the_test_pictures(server: Server, sample: Splits) -> None:
    seen = set()
    for _ in range(5):
        digit = server.get("/api/random").json
        assert digit["set"] == "sample test"  # without MNIST on the machine
        index = digit["index"]
        assert digit["label"] == sample["test"].labels[index]
        assert np.array_equal(digit["pixels"], sample["test"].images[index])
        seen.add(index)
    assert len(seen) > 1


def test_corrections_are_kept_and_taken_back(tmp_path: Path, sample: Splits) -> None:
    images = sample["test"].images
    with serving(tmp_path, "--collect", "my digits.npz") as own:
        assert own.get("/api/mine").json["total"] == 0
        for i in (4, 7, 14):
            reply = own.send_json("/api/mine", {"label": i % 10, "pixels": images[i].tolist()})
            assert reply.status == 201
            assert reply.json["label"] == i % 10
            assert bool(reply.json["train"]) == (i == 14)  # fewer are too few to learn from
        assert reply.json["counts"] == [0, 0, 0, 0, 2, 0, 0, 1, 0, 0]
        assert reply.json["train"] == "digits train --from cnn --data 'my digits.npz'"
        undone = own.ask("DELETE", "/api/mine/last").json
        assert (undone["label"], undone["total"], undone["undoable"]) == (4, 2, 2)
        kept = load(tmp_path / "my digits.npz")["all"]
        assert np.array_equal(kept.images, images[[4, 7]])
        for _ in range(2):
            own.ask("DELETE", "/api/mine/last")
        assert own.ask("DELETE", "/api/mine/last").json["label"] is None
        (tmp_path / "my digits.npz").write_bytes(b"other things")
        reply = own.send_json("/api/mine", {"label": 1, "pixels": images[1].tolist()})
        assert reply.status == 409
        assert "my digits.npz" in reply.json["detail"]
        assert str(tmp_path) not in reply.json["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": 10},
        {"label": "7"},
        {"label": None},
        {"pixels": [[0] * 28] * 27},
        {"pixels": [[256] * 28] * 28},
        {"pixels": [[0.5] * 28] * 28},
        {"more": 1},
    ],
)
def test_only_digits_are_kept(server: Server, wrong: dict[str, object]) -> None:
    content = {"label": 7, "pixels": [[0] * 28] * 28} | wrong
    reply = server.send_json("/api/mine", content)
    assert reply.status == 422
    assert not (server.folder / "data").exists()


def test_the_description_is_there_without_a_network(server: Server) -> None:
    page = server.get("/docs")
    assert page.status == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert addresses
    assert all(address.startswith("/") for address in addresses)
    assert all(server.get(address).status == 200 for address in addresses)
    description = server.get("/openapi.json").json
    assert set(description["paths"]) == {
        "/healthz", "/api/models", "/api/predict", "/api/read", "/api/random", "/api/mine",
        "/api/mine/last",
    }  # fmt: skip
