"""Load test of `digits app`: seconds to start, predictions a second, latency, memory.

    python benchmarks/app.py [--seconds 10] [--soak 0] [--save]

The server runs as a user starts it; the clients are in this process, on the same machine. Each
request has one small picture: a digit of `sample` as a 28×28 PNG, or enlarged to 280×280. Full
load: CONNECTIONS clients, each of which sends a request as soon as the last one is answered. Half
load: half as many requests a second, at most MAX_HALF_LOAD, at fixed times, whether or not earlier
ones are answered; latency counts from the time at which a request was due. --soak: seconds at
SOAK_LOAD requests a second, with the server's memory after a tenth of that time and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from results import Table, save_option

from digits import load

CONNECTIONS = 8
MAX_HALF_LOAD = 150  # requests a second
SOAK_LOAD = 100  # requests a second
WARM_UP = 3  # seconds in which the server loads all models


@dataclass
class LoadResult:
    """Latencies in seconds of the requests with status 200, and the number of the others."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def add(self, succeeded: bool, latency: float) -> None:
        """Count one request."""
        if succeeded:
            self.latencies.append(latency)
        else:
            self.failed += 1

    @property
    def rate(self) -> float:
        """Successful requests a second."""
        return len(self.latencies) / self.seconds

    def row(self) -> list[str]:
        """Requests a second, three latencies in ms, and failures."""
        ms = np.array(self.latencies) * 1000
        percentiles = [f"{np.percentile(ms, p):.1f}" for p in (50, 99)]
        return [f"{self.rate:.0f}", *percentiles, f"{ms.max():.1f}", str(self.failed)]


class Client:
    """One connection, which is kept alive."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lock = asyncio.Lock()
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bool:
        """Send a request and receive the whole response; return whether its status is 200."""
        async with self.lock:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            return head.startswith(b"HTTP/1.1 200")


def request_for(picture: np.ndarray) -> bytes:
    """A POST of one PNG to /api/predict."""
    _, png = cv2.imencode(".png", picture)
    edge = b"--edge\r\n"
    part = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = edge + part + png.tobytes() + b"\r\n--edge--\r\n"
    head = (
        "POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def full_load(port: int, requests: list[bytes], seconds: float) -> LoadResult:
    """As many requests as the server can answer."""
    result = LoadResult()
    start = time.perf_counter()

    async def client(number: int) -> None:
        connection = Client(port)
        while (before := time.perf_counter()) < start + seconds:
            succeeded = await connection.ask(requests[number % len(requests)])
            result.add(succeeded, time.perf_counter() - before)
            number += 1

    await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    result.seconds = time.perf_counter() - start
    return result


async def steady_load(port: int, requests: list[bytes], seconds: float, rate: int) -> LoadResult:
    """`rate` requests a second, each at its time."""
    result = LoadResult()
    clients = [Client(port) for _ in range(4 * CONNECTIONS)]
    start = time.perf_counter()

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        succeeded = await clients[number % len(clients)].ask(requests[number % len(requests)])
        result.add(succeeded, time.perf_counter() - due)

    for second in range(int(seconds)):  # one task per request, but not all at once
        await asyncio.gather(*(one(second * rate + i) for i in range(rate)))
    result.seconds = time.perf_counter() - start
    return result


@contextlib.contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The server's process, its port, and the seconds until it answered its first request."""
    before = time.perf_counter()
    command = [sys.executable, "-m", "digits", "app", "--no-browser", "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline().rpartition(":")[2].rstrip("/\n"))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            yield process, port, time.perf_counter() - before
        finally:
            process.terminate()
            process.wait()


def megabytes(process: subprocess.Popen[str]) -> float:
    """The memory that the process uses (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="duration of each load")
    parser.add_argument("--soak", type=int, default=0, help="duration of the soak in seconds")
    save_option(parser)
    args = parser.parse_args()
    digits = load("sample")["test"].images[:100]
    small = [request_for(255 - digit) for digit in digits]
    large = [request_for(255 - cv2.resize(digit, (280, 280))) for digit in digits]
    table = Table(
        "app",
        "digits app under load, one picture per request",
        ["load", "picture", "requests a second", "median ms", "99 % ms", "worst ms", "failed"],
        args.save,
    )
    starts = []
    for _ in range(5):
        with running() as (_, _, seconds):
            starts.append(seconds)
    with running() as (process, port, _):
        time.sleep(WARM_UP)
        for name, requests in (("28×28", small), ("280×280", large)):
            asyncio.run(full_load(port, requests, 2))
            full = asyncio.run(full_load(port, requests, args.seconds))
            table.row("full", name, *full.row())
            rate = min(MAX_HALF_LOAD, round(full.rate / 2))
            half = asyncio.run(steady_load(port, requests, args.seconds, rate))
            table.row(f"{rate} a second", name, *half.row())
        note = f"Ready after {np.median(starts):.2f} s (median of {len(starts)}). "
        if args.soak:
            early = asyncio.run(steady_load(port, small, max(1, args.soak // 10), SOAK_LOAD))
            before = megabytes(process)
            rest = asyncio.run(steady_load(port, small, args.soak - args.soak // 10, SOAK_LOAD))
            table.row(f"{SOAK_LOAD} a second, {args.soak} s", "28×28", *rest.row())
            note += f"Memory {before:.0f} MB after {early.seconds:.0f} s of the soak, "
            note += f"{megabytes(process):.0f} MB at its end. "
    print(note)
    table.done(note + f"{CONNECTIONS} clients.")


if __name__ == "__main__":
    main()
