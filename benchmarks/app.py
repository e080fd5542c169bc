"""`digits app` under load: seconds to ready, predictions a second, delay at half of that, memory.

    python benchmarks/app.py [--seconds 10] [--soak 0] [--save]

The server runs as a user starts it; the clients are in this process, on the same machine, over
loopback. Each request is one small picture: a digit of `sample` as 28×28 PNG, or the same digit
drawn large, 280×280. Full load: CONNECTIONS clients, each asking again as soon as it is answered.
Half load: requests at fixed times, half as many as that but at most 150 a second, whether or not
earlier ones are answered; the delay counts from the time at which a request was due. --soak: so
many seconds of 100 a second, with the server's memory at a tenth of the time and at the end.
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
HALF = 150  # requests a second
SOAK = 100


@dataclass
class Outcome:
    """Delays in seconds of the requests that were answered with 200, and how many were not."""

    delays: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def row(self) -> list[str]:
        """Answers a second, and three delays in ms."""
        ms = np.array(self.delays) * 1000
        late = [f"{np.percentile(ms, p):.1f}" for p in (50, 99)]
        return [f"{len(ms) / self.seconds:.0f}", *late, f"{ms.max():.1f}", str(self.failed)]


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lock = asyncio.Lock()
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bool:
        """Send, wait for the whole answer, and tell whether it was 200."""
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


async def full_load(port: int, requests: list[bytes], seconds: float) -> Outcome:
    """As fast as it goes."""
    outcome = Outcome()
    start = time.perf_counter()

    async def client(number: int) -> None:
        line = Client(port)
        while (before := time.perf_counter()) < start + seconds:
            answered = await line.ask(requests[number % len(requests)])
            outcome.delays += [time.perf_counter() - before] if answered else []
            outcome.failed += not answered
            number += 1

    await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    outcome.seconds = time.perf_counter() - start
    return outcome


async def steady_load(port: int, requests: list[bytes], seconds: float, rate: int) -> Outcome:
    """`rate` requests a second, each due at its time."""
    outcome = Outcome()
    clients = [Client(port) for _ in range(4 * CONNECTIONS)]
    start = time.perf_counter()

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        answered = await clients[number % len(clients)].ask(requests[number % len(requests)])
        outcome.delays += [time.perf_counter() - due] if answered else []
        outcome.failed += not answered

    for second in range(int(seconds)):  # a task a request, but not all at once
        await asyncio.gather(*(one(second * rate + i) for i in range(rate)))
    outcome.seconds = time.perf_counter() - start
    return outcome


@contextlib.contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The process, its port, and the seconds until it answered a request; in an empty folder."""
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
    """The memory that the process holds (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--soak", type=int, default=0, help="seconds of the soak")
    save_option(parser)
    args = parser.parse_args()
    digits = load("sample")["test"].images[:100]
    small = [request_for(255 - digit) for digit in digits]
    large = [request_for(255 - cv2.resize(digit, (280, 280))) for digit in digits]
    table = Table(
        "app",
        "digits app under load, requests of one picture",
        ["load", "picture", "answers a second", "median ms", "99 % ms", "worst ms", "failed"],
        args.save,
    )
    starts = []
    for _ in range(5):
        with running() as (_, _, seconds):
            starts.append(seconds)
    with running() as (process, port, _):
        time.sleep(3)  # the models are loaded by then
        for name, requests in (("28×28", small), ("280×280", large)):
            asyncio.run(full_load(port, requests, 2))
            full = asyncio.run(full_load(port, requests, args.seconds))
            table.row("full", name, *full.row())
            rate = min(HALF, round(len(full.delays) / full.seconds / 2))
            outcome = asyncio.run(steady_load(port, requests, args.seconds, rate))
            table.row(f"{rate} a second", name, *outcome.row())
        words = f"Ready after {np.median(starts):.2f} s (median of {len(starts)}). "
        if args.soak:
            early = asyncio.run(steady_load(port, small, max(1, args.soak // 10), SOAK))
            before = megabytes(process)
            rest = asyncio.run(steady_load(port, small, args.soak - args.soak // 10, SOAK))
            table.row(f"{SOAK} a second, {args.soak} s", "28×28", *rest.row())
            words += f"Memory {before:.0f} MB after {early.seconds:.0f} s of the soak, "
            words += f"{megabytes(process):.0f} MB at its end. "
    print(words)
    table.done(words + f"{CONNECTIONS} clients.")


if __name__ == "__main__":
    main()
