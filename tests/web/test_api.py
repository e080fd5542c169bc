"""The HTTP API; its results are those of the command line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import Run
from digits import Splits, load
from digits.imaging.decode import decode
from drawing import drawn_large, on_paper, png
from web.server import Server, serving


@pytest.fixture
def pictures(tmp_path: Path, sample: Splits) -> list[Path]:
    """Three digits, as if photographed, and a blank page."""
    paths = []
    for i, grain in enumerate((0, 4, 9)):
        ink = drawn_large(sample["test"].images[i], 7, (60, 50, 40, 70))
        paths.append(tmp_path / f"photo {i}.png")
        paths[-1].write_bytes(png(on_paper(ink, grain=grain)))
    paths.append(tmp_path / "blank.png")
    paths[-1].write_bytes(png(np.full((50, 50), 255, np.uint8)))
    return paths


def files_of(paths: list[Path]) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in paths]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", ()),
        ("?model=dense&ink=dark&top_k=3", ("-m", "dense", "--ink", "dark", "--top-k", "3")),
        ("?min_confidence=1", ("--min-confidence", "1")),
    ],
)
def test_predict_gives_what_the_command_gives(
    server: Server, run: Run, pictures: list[Path], query: str, options: tuple[str, ...]
) -> None:
    names = [path.name for path in pictures]
    done = run("predict", *names, *options, "--format", "json", cwd=pictures[0].parent)
    reply = server.send(f"/api/predict{query}", files_of(pictures))
    assert reply.status == 200
    assert reply.json == json.loads(done.stdout)
    assert reply.json[-1]["reason"] == "no_ink"


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_each_page_of_a_file_is_a_picture(
    server: Server, run: Run, pictures: list[Path], tmp_path: Path, suffix: str
) -> None:
    first, *others = (Image.open(path) for path in pictures[:3])
    path = tmp_path / f"scan.{suffix}"
    first.save(path, save_all=True, append_images=others)
    for command in ("predict", "read"):
        done = run(command, path.name, "--format", "json", cwd=tmp_path)
        reply = server.send(f"/api/{command}", files_of([path]))
        assert [one["path"] for one in reply.json] == [f"{path.name}#{n}" for n in (1, 2, 3)]
        assert reply.json == json.loads(done.stdout)


def test_a_page_is_drawn(server: Server, pictures: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    first, second = (Image.open(path) for path in pictures[:2])
    first.save(path, save_all=True, append_images=[second])
    reply = server.send("/api/page?number=2", files_of([path]), field="file")
    assert (reply.status, reply.headers["digits-pages"]) == (200, "2")
    assert np.array_equal(decode(reply.body).gray, decode(pictures[1]).gray)
    reply = server.send("/api/page?number=3", files_of([path]), field="file")
    assert (reply.status, reply.json["detail"]) == (422, "number: scan.tif has 2 pages.")
    reply = server.send("/api/page", [("a.txt", b"text")], field="file")
    assert (reply.status, reply.json["detail"]) == (
        422, "a.txt: the file is not a picture. Save it as PNG or JPEG.",
    )  # fmt: skip


def test_every_address_answers_head_and_options(server: Server) -> None:
    paths = server.get("/openapi.json").json["paths"]
    known = {path: {method.upper() for method in methods} for path, methods in paths.items()}
    known |= {path: {"GET"} for path in ("/", "/docs", "/openapi.json", "/static/app.js")}
    for path, methods in known.items():
        reply = server.ask("OPTIONS", path)
        allowed = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        assert (reply.status, set(reply.headers["allow"].split(", "))) == (204, allowed), path
        head = server.ask("HEAD", path)
        if "GET" in methods and path != "/api/random":
            got = server.get(path)
            assert (head.status, head.body) == (200, b""), path
            assert head.headers["content-length"] == str(len(got.body)), path
        elif "GET" not in methods:
            assert head.status == 405, path
    assert server.ask("OPTIONS", "/none").status == server.ask("HEAD", "/none").status == 404


def test_read_gives_what_the_command_gives(
    server: Server, run: Run, tmp_path: Path, sample: Splits
) -> None:
    digits = [drawn_large(sample["test"].images[i], 3, (15, 15, 15, 80)) for i in (3, 7, 4)]
    row = np.hstack([digit[:95] for digit in digits])
    path = tmp_path / "row.png"
    path.write_bytes(png(on_paper(row)))
    done = run("read", path.name, "--format", "json", cwd=tmp_path)
    reply = server.send("/api/read", files_of([path]))
    assert reply.json == json.loads(done.stdout)
    assert reply.json[0]["text"] == "374"
    seen = server.send("/api/read?pixels=true", files_of([path])).json[0]["digits"]
    assert [np.shape(digit["pixels"]) for digit in seen] == [(28, 28)] * 3


def test_pixels_are_the_input_of_the_model(server: Server, sample: Splits) -> None:
    image = sample["test"].images[3]
    result = server.send("/api/predict?pixels=true", [("three.png", png(image))]).json[0]
    assert result["digit"] == 3
    assert np.array_equal(result["pixels"], image)


def test_a_bad_picture_gets_the_error_of_the_command(
    server: Server, run: Run, tmp_path: Path, pictures: list[Path]
) -> None:
    bad = {"empty.png": b"", "text.png": b"no picture", "cut.png": pictures[0].read_bytes()[:200]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        done = run("predict", name, "--format", "json")
        reply = server.send("/api/predict", [(name, content)])
        assert reply.status == 422
        assert f"Error: {reply.json['detail']}\n" == done.stderr
        assert reply.json["results"] == json.loads(done.stdout)
        assert server.send("/api/read", [(name, content)]).json == reply.json
    several = files_of([pictures[0], tmp_path / "text.png", pictures[1]])
    reply = server.send("/api/predict", several)
    assert reply.status == 422
    results = reply.json["results"]
    assert [result.get("digit") for result in results] == [0, None, 1]
    assert reply.json["detail"] == f"text.png: {results[1]['error']}"


def test_a_large_picture_is_refused_as_on_the_command_line(server: Server) -> None:
    bomb = png(np.zeros((8000, 8000), np.uint8))
    reply = server.send("/api/predict", [("bomb.png", bomb)])
    assert reply.status == 422
    assert "more than 50 megapixels" in reply.json["detail"]


def test_file_names_are_made_harmless(server: Server) -> None:
    for sent in ("../../etc/passwd", "C:\\\\Users\\\\me\\\\a.png", "\x1b[2Ja.png"):
        reply = server.send("/api/predict", [(sent, b"x")])
        (result,) = reply.json["results"]
        assert not re.search(r"[/\\]|\x1b", result["path"])


@pytest.mark.parametrize(
    ("path", "files", "status", "message"),
    [
        ("/api/predict?model=none", [("a.png", b"x")], 404, "Choose one of: cnn, dense, rnn."),
        ("/api/predict?ink=red", [("a.png", b"x")], 422, "ink: "),
        ("/api/read?min_confidence=2", [("a.png", b"x")], 422, "min_confidence: "),
        ("/api/predict", [], 422, "files: "),
        ("/nothing", [], 404, "Not Found"),
    ],
)
def test_errors_of_requests(
    server: Server, path: str, files: list[tuple[str, bytes]], status: int, message: str
) -> None:
    reply = server.send(path, files)
    assert reply.status == status
    assert message in reply.json["detail"]


def test_your_own_models_are_listed_with_the_shipped_ones(
    tmp_path: Path, models: dict[str, Path]
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "cnn.h5")
    (tmp_path / "models" / "broken.h5").write_bytes(models["dense"].read_bytes()[:-1])
    with serving(tmp_path) as own:
        known = {model["name"]: model for model in own.get("/api/models").json}
        assert next(iter(known)) == "cnn"
        assert set(known) == {"cnn", "cnn (shipped)", "dense", "rnn", "broken"}
        assert known["cnn"]["family"] == "dense"
        assert known["cnn (shipped)"]["accuracy"] > 0.99
        assert "damaged" in known["broken"]["error"]
        reply = own.send("/api/predict?model=broken", [("a.png", png(np.eye(28, dtype=np.uint8)))])
        path = str(Path("models", "broken.h5"))
        assert (reply.status, reply.json["detail"]) == (409, f"{path}: {known['broken']['error']}")
        everything = own.get("/api/models").body + reply.body + own.get("/api/mine").body
        assert str(tmp_path).encode() not in everything


def test_digits_are_saved_without_a_usable_model(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "cnn.h5").write_bytes(b"")
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    with serving(tmp_path) as own:
        assert own.send_json("/api/mine", digit).json["total"] == 1
        assert own.get("/api/mine").status == 200
        for _ in range(2):
            line = own.send_json("/api/mine?model=dense", digit).json["train"]
        assert line.startswith("digits train --from dense")
        assert own.send_json("/api/mine?model=none", digit).status == 404


def test_a_model_whose_file_is_deleted_stays_loaded(
    tmp_path: Path, models: dict[str, Path]
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models["dense"], tmp_path / "models" / "own.h5")
    with serving(tmp_path) as own:
        before = own.get("/api/models").json
        (tmp_path / "models" / "own.h5").unlink()
        assert own.get("/api/models").json == before


def test_no_folder_outside_is_revealed(tmp_path: Path, models: dict[str, Path]) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mnist.npz").write_bytes(b"damaged")
    collect = ("--collect", tmp_path / "elsewhere" / "mine.npz")
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    environment = {"DIGITS_DATA": str(tmp_path / "elsewhere")}
    with serving(tmp_path / "here", "-m", models["rnn"], *collect, env=environment) as own:
        replies = [own.get("/api/models"), own.get("/api/random")]
        replies += [own.send_json("/api/mine", digit) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 201, 201, 201]
        (tmp_path / "elsewhere" / "mine.npz").write_bytes(b"damaged")
        replies.append(own.send_json("/api/mine", digit))
        assert replies[-1].status == 409
        for reply in replies:
            assert b"elsewhere" not in reply.body
            assert str(models["rnn"].parent).encode() not in reply.body


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


def test_digits_are_saved_and_removed(tmp_path: Path, sample: Splits) -> None:
    images = sample["test"].images
    with serving(tmp_path, "--collect", "my digits.npz") as own:
        assert own.get("/api/mine").json["total"] == 0
        for i in (4, 7, 14):
            reply = own.send_json("/api/mine", {"label": i % 10, "pixels": images[i].tolist()})
            assert reply.status == 201
            assert reply.json["label"] == i % 10
            assert bool(reply.json["train"]) == (i == 14)  # fewer are too few to train on
        assert reply.json["counts"] == [0, 0, 0, 0, 2, 0, 0, 1, 0, 0]
        assert reply.json["train"] == "digits train --from cnn --data 'my digits.npz'"
        after = own.ask("DELETE", "/api/mine/last").json
        assert (after["label"], after["total"], after["undoable"]) == (4, 2, 2)
        saved = load(tmp_path / "my digits.npz")["all"]
        assert np.array_equal(saved.images, images[[4, 7]])
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
def test_only_digits_are_saved(server: Server, wrong: dict[str, object]) -> None:
    content = {"label": 7, "pixels": [[0] * 28] * 28} | wrong
    reply = server.send_json("/api/mine", content)
    assert reply.status == 422
    assert not (server.folder / "data").exists()


def test_the_description_is_there_without_a_network(server: Server) -> None:
    page = server.get("/docs")
    assert page.status == 200
    paths = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert paths
    assert all(path.startswith("/") for path in paths)
    assert all(server.get(path).status == 200 for path in paths)
    description = server.get("/openapi.json").json
    assert set(description["paths"]) == {
        "/healthz", "/api/models", "/api/predict", "/api/read", "/api/random", "/api/mine",
        "/api/mine/last", "/api/page",
    }  # fmt: skip
