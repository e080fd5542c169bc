"""`digits app`: what it prints and refuses; the page itself is tested in tests/web."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Run
from web.server import serving

HANG = 60  # seconds; far more than anything here takes, so that a hang ends as a failure


@contextlib.contextmanager
def started(folder: Path, *args: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `digits app` with these arguments in `folder`, and the line that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digits", "app", "--no-browser", *map(str, args)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=HANG)


def test_the_url_is_printed_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with started(tmp_path) as (process, line):
        url = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", line)
        assert url
        with socket.create_connection(("127.0.0.1", int(url[1]))):  # does not delay the end
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=HANG)
        assert (process.returncode, output, errors.strip()) == (130, "", "Interrupted.")
    assert not list(tmp_path.iterdir())  # nothing was saved, so nothing was made


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--model", "none.h5"), "none.h5"),
        (("--collect", "mine.csv"), "Give a name that ends in .npz."),
        (("--collect", "file/mine.npz"), "file/mine.npz: cannot write"),
        (("--collect", "folder.npz"), "folder.npz' is a directory"),
        (("--collect", "/proc/mine.npz"), "/proc/mine.npz: cannot write"),
        (("--host", "192.0.2.1"), "Choose another --host or --port."),
        (("--host", " "), "--host needs an address."),
        (("--host", "no such name"), "Choose another --host or --port."),
        (("--host", "a..b"), "Choose another --host or --port."),
    ],
)
def test_errors_end_it_at_once(
    run: Run, tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.npz").mkdir()
    done = run("app", "--no-browser", *args)
    assert done.returncode in (1, 2)
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert message in error


def test_a_given_port_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("app", "--no-browser", "--port", other.getsockname()[1])
    assert done.returncode == 1
    assert "address already in use. Choose another --port." in done.stderr


def test_the_default_port_that_is_taken(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # some other program has taken it already
            stack.enter_context(socket.create_server(("127.0.0.1", 8028)))
        _, line = stack.enter_context(started(tmp_path))
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", line)
        assert ":8028/" not in line


@pytest.mark.parametrize(
    ("args", "has_token", "warns"),
    [
        (("--host", "0.0.0.0"), True, True),
        (("--host", "::"), True, True),
        (("--host", "::", "-q"), True, False),
        (("--host", "::1"), False, False),
    ],
)
def test_the_warning_about_other_machines(
    tmp_path: Path, args: tuple[str, ...], has_token: bool, warns: bool
) -> None:
    with started(tmp_path, *args) as (process, line):
        process.terminate()
        _, errors = process.communicate(timeout=HANG)
    if "cannot assign" in errors or "not supported" in errors:
        pytest.skip("needs IPv6")
    assert ("?token=" in line) == has_token
    assert ("Warning: other machines on the network" in errors) == warns


def test_models_and_the_data_set_are_chosen_at_the_start(
    tmp_path: Path, models: dict[str, Path]
) -> None:
    with serving(tmp_path, "-m", models["dense"], "-m", "rnn", "--collect", "a/b.npz") as server:
        assert [model["name"] for model in server.get("/api/models").json] == ["dense", "rnn"]
        assert server.get("/api/mine").json["file"] == os.path.join("a", "b.npz")  # noqa: PTH118


def test_it_loads_neither_tensorflow_nor_matplotlib(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.get("/api/models")
        assert server.process is not None
        maps = Path(f"/proc/{server.process.pid}/maps")
        if not maps.exists():
            pytest.skip("needs Linux: reads /proc")
        loaded = maps.read_text(encoding="utf-8")
    assert "libtensorflow" not in loaded
    assert "matplotlib" not in loaded
    assert "ai_edge_litert" in loaded
