"""Who may ask, how much, how slowly; and what every answer tells the browser."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from digits.web.guard import MOST_BYTES
from drawing import png
from web.server import Server, form, serving

BLANK = [("blank.png", png(np.zeros((28, 28), np.uint8)))]


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/models", "/docs", "/none", "/api/predict"])
def test_every_answer_is_strict_with_the_browser(server: Server, path: str) -> None:
    headers = server.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]
    assert "server" not in headers


def test_other_names_are_refused(server: Server) -> None:
    port = server.place[1]
    for host in ("127.0.0.1", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert server.get("/healthz", Host=host).status == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1", "",
                 "localhost@evil.example", "[", "localhost, evil.example"):  # fmt: skip
        assert server.get("/healthz", Host=host).status in (400, 421), host


def test_two_names_are_none(server: Server) -> None:
    with socket.create_connection(server.place) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert re.match(rb"HTTP/1.1 4(00|21) ", line.recv(1000))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_pages_may_not_write(server: Server, headers: dict[str, str]) -> None:
    assert server.send("/api/predict", BLANK, **headers).status == 403
    assert server.ask("DELETE", "/api/mine/last", headers=headers).status == 403


def test_the_page_itself_may(server: Server) -> None:
    own = {"Origin": server.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert server.send("/api/predict", BLANK, **own).status == 200
    assert server.ask("OPTIONS", "/api/predict", headers=own).status == 405


def _chunks(size: int) -> Iterator[bytes]:
    head, _ = form([("a.png", b"")])
    yield head[: head.index(b"\r\n\r\n") + 4]
    for _ in range(0, size, 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("size", [MOST_BYTES + 1_000_000, 3 * MOST_BYTES])
def test_bodies_are_bounded_even_when_chunked(server: Server, size: int) -> None:
    sent = server.send("/api/predict", [("a.png", bytes(size))])
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    for path in ("/api/predict", "/api/mine"):
        chunked = server.ask("POST", path, _chunks(size), kind)
        assert chunked.status == sent.status == 413
        assert chunked.json == sent.json
        assert "more than 10 MB" in sent.json["detail"]


def test_a_body_just_below_the_bound_is_read(server: Server) -> None:
    reply = server.send("/api/predict", [("a.png", bytes(MOST_BYTES - 1000))])
    assert reply.status == 422
    assert "it is not a picture" in reply.json["detail"]


def test_slow_and_idle_connections_block_nobody(server: Server) -> None:
    head = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n"
    lines = [socket.create_connection(server.place) for _ in range(300)]
    for i, line in enumerate(lines):
        line.sendall((b"", b"GET / HT", head, head + kind)[i % 4])
    before = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda _: server.send("/api/predict", BLANK).status, range(40)))
    assert statuses == {200}
    assert time.monotonic() - before < 20
    for line in lines:
        line.close()
    assert server.get("/healthz").status == 200


@pytest.mark.heavy
def test_silent_connections_are_closed(server: Server) -> None:
    kind = b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
    slow = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n" + kind
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    begun = {b"": b"", b"GET / HT": b"", slow: b"408"}
    later = (ask[:-2], b"\r\n", b"GET /healthz HTTP/1.1\r\n")  # after an answer
    lines = [socket.create_connection(server.place, timeout=40) for _ in (*begun, *later)]
    for line in lines[len(begun) :]:
        line.sendall(ask)
        while not line.recv(10_000).endswith(b'"ok"}'):
            pass
    for line, words in zip(lines, (*begun, *later), strict=True):
        line.sendall(words)
    assert [line.recv(12)[9:] for line in lines] == [*begun.values(), b"", b"", b""]
    for line in lines:
        line.close()


@pytest.mark.heavy
def test_a_client_that_does_not_listen_is_dropped(server: Server) -> None:
    with socket.create_connection(server.place, timeout=40) as line:
        ask = b"GET /static/swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        line.sendall(60 * ask)
        time.sleep(21)
        received = 0
        try:
            while piece := line.recv(1_000_000):
                received += len(piece)
        except ConnectionResetError:
            pass
    assert received < 60_000_000  # of 90; systems buffer some


def test_waiting_writers_hold_up_no_reader(tmp_path: Path) -> None:
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    with serving(tmp_path, "--collect", "mine.npz") as own:
        own.send("/api/predict", BLANK)
        with ThreadPoolExecutor(12) as pool:
            with FileLock(tmp_path / ".mine.npz.lock"):
                writers = [pool.submit(own.send_json, "/api/mine", digit) for _ in range(12)]
                time.sleep(1)
                before = time.monotonic()
                assert own.send("/api/predict", BLANK).status == 200
                assert time.monotonic() - before < 5  # not the writers' ten seconds
            assert [writer.result().status for writer in writers] == [201] * 12
        assert own.get("/api/mine").json["total"] == 12


def test_large_pictures_let_small_ones_pass(server: Server) -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[::250, ::250] = 0
    large = [("large.png", png(page))]
    with ThreadPoolExecutor(5) as pool:
        slow = [pool.submit(server.send, "/api/read", large) for _ in range(4)]
        time.sleep(0.2)
        assert [server.send("/api/predict", BLANK).status for _ in range(5)] == [200] * 5
        assert not all(answer.done() for answer in slow)
        assert {answer.result().status for answer in slow} == {200}


def test_garbage_is_no_request(server: Server) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"A" * 100_000 + b"\r\n\r\n"):
        with socket.create_connection(server.place, timeout=30) as line:
            line.sendall(garbage)
            line.shutdown(socket.SHUT_WR)
            assert not line.recv(1000).startswith(b"HTTP/1.1 2")
    wrong = {"Content-Length": "ten", "Content-Type": "application/json"}
    assert server.ask("POST", "/api/mine", b"", wrong).status == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "text/plain", ""):
        assert server.ask("POST", "/api/predict", b"x" * 50, {"Content-Type": kind}).status < 500


def test_others_need_the_token(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0", "-q") as shared:
        token = shared.address.partition("?token=")[2]
        assert len(token) > 20
        own = Server(shared.process, f"http://127.0.0.1:{shared.place[1]}/", tmp_path)
        assert own.get("/healthz").status == 200
        for path in ("/", "/api/models", "/docs", "/static/app.js", "/api/models?token=wrong"):
            assert own.get(path).status == 401, path
        assert own.send("/api/predict", BLANK, Authorization="Bearer wrong").status == 401
        assert own.send("/api/predict", BLANK, Authorization=f"Bearer {token}").status == 200
        assert own.get("/healthz", Host="evil.example").status == 421
        entered = own.get(f"/?token={token}")
        assert (entered.status, entered.headers["location"]) == (303, "/")
        assert own.get(f"/api/models?token={token}").status == 401  # at the entry alone
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert own.get("/", Cookie=cookie.partition(";")[0]).status == 200
        assert own.get("/", Cookie=cookie.partition(";")[0] + "x").status == 401
        beside = 'a={"x":1}; flag; ' + cookie.partition(";")[0]  # of another program
        assert own.get("/", Cookie=beside).status == 200
