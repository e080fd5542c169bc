"""`digits app`: what the command says and refuses; the page itself is tested in tests/web."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Run
from web.server import Server, serving


def test_the_address_is_printed_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "digits", "app", "--no-browser"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline()
    assert address.startswith("http://127.0.0.1:")
    place = address.strip().removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((place[0], int(place[1]))):  # one that stays open holds nothing
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=20)
    assert (process.returncode, rest, said.strip()) == (130, "", "Interrupted.")
    assert not list(tmp_path.iterdir())  # what was not asked for was not made


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--model", "none.h5"), "none.h5"),
        (("--collect", "mine.csv"), "Give a name that ends in .npz."),
        (("--host", "192.0.2.1"), "Choose another --host or --port."),
        (("--host", " "), "--host needs an address."),
        (("--host", "no such name"), "Choose another --host or --port."),
    ],
)
def test_what_cannot_be_is_said_at_once(run: Run, args: tuple[str, ...], sentence: str) -> None:
    done = run("app", "--no-browser", *args)
    assert done.returncode in (1, 2)
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert sentence in error
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_or_passed_over(run: Run, server: Server, tmp_path: Path) -> None:
    done = run("app", "--no-browser", "--port", server.place[1])
    assert done.returncode == 1
    assert "address already in use. Choose another --port." in done.stderr
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # by somebody else already
            stack.enter_context(socket.create_server(("127.0.0.1", 8028)))
        process = subprocess.Popen(
            [sys.executable, "-m", "digits", "app", "--no-browser"],
            cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        address = process.stdout.readline()
        process.terminate()
        process.communicate(timeout=20)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", address)
        assert ":8028/" not in address


def test_others_are_warned_of(tmp_path: Path) -> None:
    for host, more, warned in (("0.0.0.0", (), True), ("::", (), True), ("::", ("-q",), False),
                               ("::1", (), False)):  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "digits", "app", "--no-browser", "--host", host, *more],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        address = process.stdout.readline()
        process.terminate()
        _, said = process.communicate(timeout=20)
        if "cannot assign" in said or "not supported" in said:
            pytest.skip("needs IPv6")
        assert ("?token=" in address) == (host != "::1")
        assert ("Warning: others on the network" in said) == warned


def test_models_are_chosen_at_the_start(tmp_path: Path, models: dict[str, Path]) -> None:
    with serving(tmp_path, "-m", models["dense"], "-m", "rnn", "--collect", "a/b.npz") as own:
        assert [model["name"] for model in own.get("/api/models").json] == ["dense", "rnn"]
        assert own.get("/api/mine").json["file"] == os.path.join("a", "b.npz")  # noqa: PTH118


def test_it_starts_without_what_trains_and_draws(tmp_path: Path) -> None:
    with serving(tmp_path) as own:
        own.get("/api/models")
        maps = Path(f"/proc/{own.process.pid}/maps")
        if not maps.exists():
            pytest.skip("needs Linux: reads /proc")
        loaded = maps.read_text(encoding="utf-8")
    assert "libtensorflow" not in loaded
    assert "matplotlib" not in loaded
    assert "ai_edge_litert" in loaded
