"""The real server in a process of its own, and plain HTTP to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

File = tuple[str, bytes]


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running `digits app`, in `folder`."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def place(self) -> tuple[str, int]:
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
        with contextlib.closing(http.client.HTTPConnection(*self.place, timeout=90)) as line:
            line.request(method, path, body, headers or {}, encode_chunked=True)
            answer = line.getresponse()
            return Reply(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def send(self, path: str, files: Sequence[File], **headers: str) -> Reply:
        """POST these files as a form."""
        body, kind = form(files)
        return self.ask("POST", path, body, {"Content-Type": kind, **headers})

    def send_json(self, path: str, content: object) -> Reply:
        kind = {"Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(content).encode(), kind)


def form(files: Sequence[File]) -> tuple[bytes, str]:
    """Files as multipart/form-data, and its content type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


@contextlib.contextmanager
def serving(folder: Path, *args: object, env: dict[str, str] | None = None) -> Iterator[Server]:
    """`digits app` with these arguments, in `folder`; it must end without a word on stderr."""
    surroundings = {k: v for k, v in os.environ.items() if k != "DIGITS_DATA"}
    surroundings |= {"HOME": str(folder), "KERAS_HOME": str(folder / "keras")} | (env or {})
    options = ["app", "--no-browser", "--port", "0", *map(str, args)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "digits", *options],
        cwd=folder, env=surroundings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield Server(process, address, folder)
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert not said, said
