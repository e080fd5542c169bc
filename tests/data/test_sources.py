"""Names, the places where MNIST is looked for, and downloads from servers with faults."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digits.data.dataset import Splits
from digits.data.readers import save_npz
from digits.data.sources import MIRRORS_VARIABLE, download_mnist, load
from digits.errors import DataError


class _Faulty(BaseHTTPRequestHandler):
    """/good serves the file; the other paths do what their names say."""

    content = b""

    def do_GET(self) -> None:
        fault = self.path.split("/")[1]
        if fault in ("404", "500"):
            self.send_error(int(fault))
            return
        body = b"another file" if fault == "other" else self.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(tmp_path: Path, sample: Splits) -> Iterator[str]:
    save_npz(sample, tmp_path / "served.npz")
    _Faulty.content = (tmp_path / "served.npz").read_bytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Faulty) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_download_takes_the_first_mirror_that_gives_the_file_whole(
    server: str, tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(_Faulty.content).hexdigest()
    steps: list[int] = []

    def progress(total: int) -> object:
        return steps.append

    mirrors = [f"{server}/{fault}/mnist.npz" for fault in ("404", "500", "cut", "other", "good")]
    mirrors.insert(0, "http://127.0.0.1:9/mnist.npz")  # nobody listens there
    folder = tmp_path / "new" / "place"
    path = download_mnist(folder, mirrors, progress, sha256)
    assert path == folder / "mnist.npz"
    assert path.read_bytes() == _Faulty.content
    assert list(folder.iterdir()) == [path]
    assert sum(steps) >= len(_Faulty.content)


def test_a_failed_download_leaves_nothing_and_says_why(server: str, tmp_path: Path) -> None:
    mirrors = [f"{server}/{fault}/mnist.npz" for fault in ("404", "cut", "other")]
    with pytest.raises(DataError, match=r"no answer; .*not MNIST's"):
        download_mnist(tmp_path / "place", mirrors)
    assert list((tmp_path / "place").iterdir()) == []


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with no MNIST anywhere and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv(MIRRORS_VARIABLE, "http://127.0.0.1:9/mnist.npz")
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    return tmp_path


def test_auto_falls_back_and_says_so(nowhere: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert load("auto").name == "sample"
    assert "using 'sample' instead" in caplog.text
    with pytest.raises(DataError, match="MNIST was not found"):
        load("mnist")
    with pytest.raises(DataError, match="does not exist"):
        load("nonsense")


def test_mnist_is_looked_for_in_order(
    nowhere: Path, sample: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [nowhere / name for name in ("given", "variable", "data", "keras/datasets")]
    monkeypatch.setenv("DIGITS_DATA", str(nowhere / "variable"))
    for count, place in reversed(list(enumerate(places, 1))):
        place.mkdir(parents=True)
        part = sample["test"].limit(count)
        save_npz(Splits("", {"train": part, "test": part}), place / "mnist.npz")
        found = load("auto", places[0])
        assert (found.name, len(found["test"])) == ("mnist", count)


def test_a_mirror_that_is_no_address(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRRORS_VARIABLE, "bogus")
    with pytest.raises(DataError, match="bogus: "):
        load("mnist")


def test_all_of_mnist_is_what_it_should_be(mnist: Splits, sample: Splits) -> None:
    assert len(mnist["train"]) == 60_000
    assert len(mnist["test"]) == 10_000
    assert mnist["train"].counts.tolist()[:3] == [5923, 6742, 5958]
    assert set(sample["train"].digests) <= set(mnist["train"].digests)
