"""A running server, in a process of its own or in a thread, and plain HTTP to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands import process_environment

File = tuple[str, bytes]


@dataclass(frozen=True)
class Reply:
    """A response: status, headers with names in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running server; its process, if it has one of its own, runs in `folder`."""

    address: str
    folder: Path
    process: subprocess.Popen[str] | None = None

    @property
    def endpoint(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        return parts.hostname or "", parts.port or 0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection(*self.endpoint, timeout=90)) as client:
            client.request(method, path, body, headers or {}, encode_chunked=True)
            response = client.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, received, response.read())

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def send(self, path: str, files: Sequence[File], field: str = "files", **headers: str) -> Reply:
        """POST these files as this field of a form."""
        body, kind = form(files, field)
        return self.ask("POST", path, body, {"Content-Type": kind, **headers})

    def send_json(self, path: str, content: object) -> Reply:
        kind = {"Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(content).encode(), kind)


def form(files: Sequence[File], field: str = "files") -> tuple[bytes, str]:
    """Files as multipart/form-data, and its content type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


@contextlib.contextmanager
def serving(folder: Path, *args: object, env: dict[str, str] | None = None) -> Iterator[Server]:
    """`digits app` with these arguments in a process in `folder`; stderr holds only its end."""
    options = ["app", "--no-browser", "--port", "0", *map(str, args)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "digits", *options],
        cwd=folder, env=process_environment(folder, **(env or {})), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield Server(address, folder, process)
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert errors.strip() == "Terminated.", errors


@contextlib.contextmanager
def serving_here(folder: Path, *models: str, timeout: float = 20) -> Iterator[Server]:
    """The same server in a thread, with the data set `folder`/mine.npz; it starts at once.

    Args:
        folder: Where saved digits go.
        models: Models to offer; all by default.
        timeout: Seconds for requests to arrive and for clients to read.
    """
    from digits.ingest.collection import Collection
    from digits.web.model_registry import ModelRegistry
    from digits.web.server import WebServer

    with contextlib.chdir(folder):  # where there are no other models
        registry = ModelRegistry(models)
    collection = Collection(folder / "mine.npz")
    with WebServer(registry, collection, port=0, timeout=timeout) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield Server(server.address, folder)
        finally:
            server.stop()
            thread.join(30)
        assert not thread.is_alive()
