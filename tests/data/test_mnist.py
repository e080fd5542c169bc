"""Where MNIST is found, downloads from servers with faults, and the sample."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from digits import DataError, Splits, load
from digits.data import mnist
from digits.data.formats.npz import save_npz
from digits.data.mnist import MIRRORS_VARIABLE, download_mnist, find_mnist

NOBODY = "http://127.0.0.1:9/mnist.npz"  # the port of `discard`


@pytest.fixture
def content(tmp_path: Path, sample: Splits) -> bytes:
    """The file that the server has."""
    save_npz(sample, tmp_path / "served.npz")
    return (tmp_path / "served.npz").read_bytes()


@pytest.fixture
def server(content: bytes) -> Iterator[str]:
    """/good serves the file; other paths do what their names say."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fault = self.path.split("/")[1]
            if fault in ("404", "500"):
                self.send_error(int(fault))
            elif fault == "redirects":
                self.send_response(302)
                self.send_header("Location", self.path)
                self.end_headers()
            elif fault == "silent":
                over.wait()
            else:
                self.send_response(200)
                with contextlib.suppress(OSError):  # the client has hung up
                    self._send(fault)

        def _send(self, fault: str) -> None:
            body = b"another file" if fault == "other" else content
            if fault != "endless":
                length = len(body) // 2 if fault == "short" else len(body)
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault in ("cut", "drip") else body)
            while fault == "endless" and not over.is_set():
                self.wfile.write(content)
            if fault == "drip":
                over.wait()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        over.set()
        listening.shutdown()


def test_a_download_takes_the_first_mirror_that_serves_the_whole_file(
    server: str, content: bytes, tmp_path: Path
) -> None:
    totals: list[int] = []
    steps: list[int] = []

    def progress(total: int) -> object:
        totals.append(total)
        return steps.append

    mirrors = [f"{server}/{fault}/mnist.npz" for fault in ("404", "500", "cut", "other", "good")]
    folder = tmp_path / "new" / "folder"
    path = download_mnist(
        folder, [NOBODY, *mirrors], progress, sha256=_sha256(content), size=len(content)
    )
    assert path == folder / "mnist.npz"
    assert path.read_bytes() == content
    assert list(folder.iterdir()) == [path]
    assert totals[-1] == len(content)
    assert sum(steps) >= len(content)


FAULTS = {
    "404": "404 Not Found",
    "500": "500 Internal Server Error",
    "cut": "the connection was cut off",
    "other": "not the expected file",
    "short": "not the expected file",
    "endless": "not the expected file",
    "redirects": "its redirects never end",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_download_leaves_nothing_and_gives_the_reason(
    fault: str, server: str, content: bytes, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        _download(tmp_path / "folder", f"{server}/{fault}/mnist.npz", content)
    host = server.removeprefix("http://")
    assert f"{host}: {FAULTS[fault]}" in caught.value.problem
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("fault", ["drip", "silent"])
def test_a_server_that_never_ends_is_left(
    fault: str, server: str, content: bytes, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="not done after 0 seconds"):
        _download(tmp_path / "folder", f"{server}/{fault}/mnist.npz", content, timeout=0.1)
    assert not (tmp_path / "folder").exists()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9: no response"):
        download_mnist(tmp_path, [NOBODY])


def test_a_download_that_cannot_be_kept(server: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="MNIST cannot write: "):
        _download(tmp_path / "file", f"{server}/good/mnist.npz", content)


def _download(folder: Path, url: str, content: bytes, timeout: float = 60) -> Path:
    return download_mnist(
        folder, [url], sha256=_sha256(content), size=len(content), timeout=timeout
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with no MNIST anywhere and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv(MIRRORS_VARIABLE, NOBODY)
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    return tmp_path


def test_auto_falls_back_with_a_warning(nowhere: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load("auto").name == "sample"
    assert "using 'sample' instead" in caplog.text
    with pytest.raises(DataError, match="MNIST was not found"):
        load("mnist")
    (nowhere / "data").mkdir()
    (nowhere / "data" / "mnist.npz").write_bytes(b"no archive")
    assert load("auto").name == "sample"
    assert "mnist.npz: the file is damaged" in caplog.text


def test_a_damaged_download_is_downloaded_again(
    nowhere: Path,
    server: str,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = nowhere / "keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:1000])
    with pytest.raises(DataError, match="could not be downloaded"):
        load("mnist")
    assert path.read_bytes() == content[:1000]
    monkeypatch.setenv(MIRRORS_VARIABLE, f"{server}/good/mnist.npz")
    monkeypatch.setattr(mnist, "MNIST_SHA256", _sha256(content))
    monkeypatch.setattr(mnist, "MNIST_BYTES", len(content))
    assert len(load("mnist")["test"]) == 1000
    assert "the file is damaged or not an .npz archive; it is downloaded again" in caplog.text
    (nowhere / "data").mkdir()
    (nowhere / "data" / "mnist.npz").write_bytes(content[:1000])
    with pytest.raises(DataError, match=r"data/mnist.npz: .*Delete it"):
        load("mnist")


def test_another_set_below_data_is_not_mnist(nowhere: Path, sample: Splits) -> None:
    folder = nowhere / "data" / "emnist"
    folder.mkdir(parents=True)
    (folder / "emnist-digits-train-images-idx3-ubyte").write_bytes(b"")
    assert find_mnist() is None


def test_mnist_is_found_in_order(
    nowhere: Path, sample: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [nowhere / name for name in ("given", "variable", "data", "keras/datasets")]
    monkeypatch.setenv("DIGITS_DATA", str(nowhere / "variable"))
    for count, folder in reversed(list(enumerate(folders, 1))):
        folder.mkdir(parents=True)
        part = sample["test"].limit(count)
        save_npz(Splits("", {"train": part, "test": part}), folder / "mnist.npz")
        found = load("auto", folders[0])
        assert (found.name, len(found["test"])) == ("mnist", count)


def test_a_mirror_that_is_not_a_url(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRRORS_VARIABLE, "bogus")
    with pytest.raises(DataError, match="bogus: not a URL"):
        load("mnist")


def test_the_sample(sample: Splits) -> None:
    assert {name: len(part) for name, part in sample.items()} == {"train": 4000, "test": 1000}
    assert (sample["train"].counts == 400).all()
    assert (sample["test"].counts == 100).all()
    assert set(sample["train"].labels[:10]) == set(range(10))
    assert not np.isin(sample["test"].digests, sample["train"].digests).any()


def test_all_of_mnist(mnist: Splits, sample: Splits) -> None:
    assert len(mnist["train"]) == 60_000
    assert len(mnist["test"]) == 10_000
    assert mnist["train"].counts.tolist()[:3] == [5923, 6742, 5958]
    assert set(sample["train"].digests) <= set(mnist["train"].digests)
