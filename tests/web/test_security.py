"""Access control, the size of requests, and security headers."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digits.web.security import MAX_BODY_BYTES
from drawing import png
from web.server import Server, form, serving

BLANK = [("blank.png", png(np.zeros((28, 28), np.uint8)))]


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/models", "/docs", "/none", "/api/predict"])
def test_every_response_has_security_headers(server: Server, path: str) -> None:
    headers = server.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]
    assert "server" not in headers


def test_other_host_names_are_refused(server: Server) -> None:
    port = server.endpoint[1]
    for host in ("127.0.0.1", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert server.get("/healthz", Host=host).status == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1", "",
                 "localhost@evil.example", "[", "localhost, evil.example"):  # fmt: skip
        assert server.get("/healthz", Host=host).status in (400, 421), host


def test_two_host_headers_are_refused(server: Server) -> None:
    with socket.create_connection(server.endpoint) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert re.match(rb"HTTP/1.1 4(00|21) ", client.recv(1000))


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
def test_other_pages_may_not_send_data(server: Server, headers: dict[str, str]) -> None:
    assert server.send("/api/predict", BLANK, **headers).status == 403
    assert server.ask("DELETE", "/api/mine/last", headers=headers).status == 403


def test_the_page_itself_may_send_data(server: Server) -> None:
    own = {"Origin": server.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert server.send("/api/predict", BLANK, **own).status == 200
    reply = server.ask("OPTIONS", "/api/predict", headers=own)
    assert (reply.status, reply.headers["allow"]) == (204, "OPTIONS, POST")
    assert not [name for name in reply.headers if name.startswith("access-control")]


def _chunks(size: int) -> Iterator[bytes]:
    head, _ = form([("a.png", b"")])
    yield head[: head.index(b"\r\n\r\n") + 4]
    for _ in range(0, size, 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1_000_000, 3 * MAX_BODY_BYTES])
def test_the_size_of_a_body_is_limited(server: Server, size: int) -> None:
    sent = server.send("/api/predict", [("a.png", bytes(size))])
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    for path in ("/api/predict", "/api/mine"):
        chunked = server.ask("POST", path, _chunks(size), kind)
        assert chunked.status == sent.status == 413
        assert chunked.json == sent.json
        assert "over 10 MB" in sent.json["detail"]


def test_a_body_just_below_the_limit_is_accepted(server: Server) -> None:
    reply = server.send("/api/predict", [("a.png", bytes(MAX_BODY_BYTES - 1000))])
    assert reply.status == 422
    assert "is not a picture" in reply.json["detail"]


def test_malformed_requests_are_refused(server: Server) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"A" * 100_000 + b"\r\n\r\n"):
        with socket.create_connection(server.endpoint, timeout=30) as client:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            assert not client.recv(1000).startswith(b"HTTP/1.1 2")
    wrong = {"Content-Length": "ten", "Content-Type": "application/json"}
    assert server.ask("POST", "/api/mine", b"", wrong).status == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "text/plain", ""):
        assert server.ask("POST", "/api/predict", b"x" * 50, {"Content-Type": kind}).status < 500


def test_other_machines_need_the_token(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0", "-q") as shared:
        token = shared.address.partition("?token=")[2]
        assert len(token) > 20
        own = Server(f"http://127.0.0.1:{shared.endpoint[1]}/", tmp_path)
        assert own.get("/healthz").status == 200
        for path in ("/", "/api/models", "/docs", "/static/app.js", "/api/models?token=wrong"):
            assert own.get(path).status == 401, path
        assert own.send("/api/predict", BLANK, Authorization="Bearer wrong").status == 401
        assert own.send("/api/predict", BLANK, Authorization=f"Bearer {token}").status == 200
        assert own.get("/healthz", Host="evil.example").status == 421
        login = own.get(f"/?token={token}")
        assert (login.status, login.headers["location"]) == (303, "/")
        assert own.get(f"/api/models?token={token}").status == 401  # for the page only
        cookie = login.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert own.get("/", Cookie=cookie.partition(";")[0]).status == 200
        assert own.get("/", Cookie=cookie.partition(";")[0] + "x").status == 401
        others = 'a={"x":1}; flag; ' + cookie.partition(";")[0]  # of other programs
        assert own.get("/", Cookie=others).status == 200
