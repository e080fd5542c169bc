"""Connections that are slow, silent, many, or do not read cannot keep others waiting."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from drawing import png
from web.server import Server, form, serving_here

BLANK = [("blank.png", png(np.zeros((28, 28), np.uint8)))]
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
)
HANG = 60  # seconds; far more than anything here takes, so that a hang ends as a failure


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    """A server that waits half a second for requests and for clients that do not read."""
    with serving_here(tmp_path_factory.mktemp("impatient"), timeout=0.5) as running:
        yield running


def connected(server: Server) -> socket.socket:
    return socket.create_connection(server.endpoint, timeout=HANG)


def answered(client: socket.socket) -> bool:
    """Send a request and receive the whole response."""
    client.sendall(GET)
    received = b""
    while not received.endswith(b'"ok"}'):
        piece = client.recv(10_000)
        if not piece:
            return False
        received += piece
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET[:-2]])
def test_an_unfinished_head_is_closed(impatient: Server, sent: bytes) -> None:
    with connected(impatient) as client:
        client.sendall(sent)
        assert client.recv(100) == b""


@pytest.mark.parametrize("sent", [b"\r\n", GET[:-2]])
def test_an_unfinished_head_after_a_response_is_closed(impatient: Server, sent: bytes) -> None:
    with connected(impatient) as client:
        assert answered(client)
        assert answered(client)
        client.sendall(sent)
        assert client.recv(100) == b""


def test_an_unfinished_body_is_refused(impatient: Server) -> None:
    with connected(impatient) as client:
        client.sendall(POST + b"--edge\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == 408
        assert b"did not arrive within 0.5 s" in response.read()
        assert client.recv(100) == b""


def test_a_client_that_does_not_read_is_disconnected(impatient: Server) -> None:
    with connected(impatient) as client:
        path = b"/static/swagger/swagger-ui-bundle.js"  # 1.5 MB
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while True:
                client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert impatient.get("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(impatient: Server) -> None:
    body, kind = form(BLANK)
    head = f"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    with connected(impatient) as client:
        client.sendall(2 * (f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body) + GET)
        stream = client.makefile("rb")
        for part in (b"no_ink", b"no_ink", b'"ok"'):
            length = 0
            while line := stream.readline().strip().lower():
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            assert part in stream.read(length)


def test_slow_and_idle_connections_keep_nobody_waiting(server: Server) -> None:
    clients = [connected(server) for _ in range(300)]
    for i, client in enumerate(clients):
        client.sendall((b"", GET[:8], POST[:-2], POST + b"--edge\r\n")[i % 4])
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: server.send("/api/predict", BLANK).status, range(40)))
    assert statuses == [200] * 40
    assert server.get("/healthz").status == 200
    for client in clients:
        client.close()


def test_waiting_writers_keep_no_reader_waiting(own_server: Server) -> None:
    digit = {"label": 1, "pixels": [[0] * 28] * 28}
    with ThreadPoolExecutor(12) as pool:
        with FileLock(own_server.folder / ".mine.npz.lock"):
            writers = [pool.submit(own_server.send_json, "/api/mine", digit) for _ in range(12)]
            for _ in range(20):
                assert own_server.send("/api/predict", BLANK).status == 200
            assert not any(writer.done() for writer in writers)
        assert [writer.result().status for writer in writers] == [201] * 12
    assert own_server.get("/api/mine").json["total"] == 12


def test_large_pictures_keep_no_small_one_waiting(server: Server) -> None:
    page = np.full((1500, 1500), 255, np.uint8)  # over 2 megapixels
    page[::500, ::500] = 0
    body, kind = form([("large.png", png(page))])
    arrived = threading.Semaphore(0)

    def large(_: int) -> int:
        client = http.client.HTTPConnection(*server.endpoint, timeout=HANG)
        client.request("POST", "/api/read", body, {"Content-Type": kind})
        arrived.release()
        status = client.getresponse().status
        client.close()
        return status

    with ThreadPoolExecutor(6) as pool:
        slow = [pool.submit(large, number) for number in range(6)]
        for _ in slow:
            arrived.acquire()
        assert [server.send("/api/predict", BLANK).status for _ in range(5)] == [200] * 5
        assert not all(response.done() for response in slow)
        assert {response.result() for response in slow} == {200}
