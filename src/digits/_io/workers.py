"""Map a function over many items in several processes: results in order, memory bounded."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import IO, Any, TypeVar, cast

from ..errors import DigitsError
from . import worker

Item = TypeVar("Item")
Result = TypeVar("Result")

MIN_WORK_SECONDS = 0.3
"""Shorter work stays in this process: starting others takes as long (0.1 s, and their imports)."""

CHUNK_SECONDS = 0.05
"""Work in a chunk: far more than sending it takes (0.2 ms), short enough for a progress bar."""

MAX_CHUNK = 256
"""Items in a chunk, so that few decoded pictures are in memory at a time."""

STOP_TIMEOUT_SECONDS = 0.5
"""Time for workers to finish their chunk (and file) when the caller stops early."""


def processors() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_threads() -> int:
    """Number of threads for one library call: 1 in a worker process, else one per processor."""
    return 1 if worker.in_worker else processors()


def map_chunks(
    function: Callable[..., Result],
    items: Iterable[Item],
    *,
    shared: Any = None,
    workers: int | None = None,
) -> Generator[Result, None, None]:
    """Yield the results of `function` for chunk after chunk of `items`, in order.

    Workers are plain Python processes that import `function` and never the caller's script, so a
    script needs no `if __name__ == "__main__"`. They start after `MIN_WORK_SECONDS` of work in this
    process, and end with the generator (Ctrl-C, an error, `close`).

    Args:
        function: Called as `function(chunk)`, or `function(shared, chunk)` if there is `shared`,
            with a list of items. Importable: of a module, neither nested nor of a script.
        items: Read only as far as needed, so there may be any number.
        shared: A picklable object that each worker receives once.
        workers: Number of processes; one per processor if None; with 1, this process does all.

    Yields:
        The result of each chunk. The number of items in a chunk follows from the time they take.

    Raises:
        DigitsError: A worker process died.
        Exception: Whatever `function` raises.
    """
    work = function if shared is None else partial(function, shared)
    workers = workers or processors()
    source = iter(items)
    size, done, seconds = 1, 0, 0.0
    while workers == 1 or seconds < MIN_WORK_SECONDS:
        chunk = list(islice(source, size))
        if not chunk:
            return
        start = time.perf_counter()
        result = work(chunk)
        seconds += time.perf_counter() - start
        done += len(chunk)
        fitting = int(done * CHUNK_SECONDS / seconds) if seconds else MAX_CHUNK
        size = max(1, min(fitting, 2 * size, MAX_CHUNK))
        yield result
    yield from _map_in_workers(work, source, size, workers)


Idle = tuple[subprocess.Popen[bytes], bytes]  # a worker, and what to send it before its next chunk


def _map_in_workers(
    work: Callable[[list[Item]], Result], source: Iterator[Item], size: int, workers: int
) -> Generator[Result, None, None]:
    level = logging.getLogger(worker.LOG).getEffectiveLevel()
    setup = pickle.dumps((level, work))
    processes: list[subprocess.Popen[bytes]] = []
    idle: SimpleQueue[Idle] = SimpleQueue()

    def reply_to(chunk: bytes) -> worker.Reply:
        process, first = idle.get()  # never waits: there are as many threads as workers
        try:
            return _call(process, first + chunk)
        finally:
            idle.put((process, b""))

    pool = ThreadPoolExecutor(workers, "digits-worker")
    pending: deque[Future[worker.Reply]] = deque()
    try:
        for _ in range(workers):
            processes.append(_start())
            idle.put((processes[-1], setup))
        while True:
            while len(pending) < 2 * workers + 1 and (chunk := list(islice(source, size))):
                pending.append(pool.submit(reply_to, pickle.dumps(chunk)))
            if not pending:
                return
            reply = pending[0].result()
            pending.popleft()
            for record in reply.records:
                logging.getLogger(record.name).handle(record)
            if reply.error:
                raise reply.error
            yield reply.result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        wait([call for call in pending if not call.cancelled()], STOP_TIMEOUT_SECONDS)
        for process in processes:
            process.kill()
        pool.shutdown()
        for process in processes:
            with suppress(BrokenPipeError), process:  # closes the pipes and waits
                pass


def _start() -> subprocess.Popen[bytes]:
    """Start a worker process. Not by `multiprocessing`, whose workers import the main script."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {worker.__name__} import main; main()"
    options = [f"-W{option}" for option in sys.warnoptions]
    # A process group of its own: Ctrl-C in a terminal reaches the parent only, which decides.
    group: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # noqa: S603  # our own interpreter and code
        [sys.executable, *options, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **group,
    )


def _call(process: subprocess.Popen[bytes], request: bytes) -> worker.Reply:
    """Send pickles to a worker and wait for its reply."""
    stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    try:
        with suppress(BrokenPipeError):  # a worker that ended may have replied why
            stdin.write(request)
            stdin.flush()
        reply: worker.Reply = pickle.load(stdout)  # noqa: S301  # from our own process
    except (EOFError, pickle.UnpicklingError) as error:
        raise DigitsError(
            "a worker process ended before its work was done",
            "Free some memory, or work with one process",
        ) from error
    return reply
