"""Work on many things with all processors: results in order, memory bounded."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
import types
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import wait
from typing import TypeVar

from .errors import DigitsError

Item = TypeVar("Item")
Result = TypeVar("Result")

_PATIENCE = 0.3  # seconds of work before other processes, which need as long to start, are worth it
_CHUNK_SECONDS = 0.05
_LARGEST_CHUNK = 256
_LOG = "digits"  # the logger of which workers pass on what they say
_GRACE = 0.5  # seconds for workers to end what they are at


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_chunks(
    function: Callable[[Sequence[Item]], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
) -> Generator[Result, None, None]:
    """Yield `function(chunk)` for chunk after chunk of `items`, in order.

    function: takes a list; of a module, neither nested nor of a script, so that another process
        can import it.
    items: read only as far as the work needs, so they may be many.
    workers: processes; one per processor when None. 1 works in this process alone, and so does
        everything that takes less time than starting others.
    How many items make a chunk follows from the time they take. An exception of `function` is
    raised here. When the caller stops early (Ctrl-C, an error, `close`), so do the workers.
    """
    workers = workers or processors()
    source = iter(items)
    size, done, worked = 1, 0, 0.0
    while workers == 1 or worked < _PATIENCE:
        chunk = list(islice(source, size))
        if not chunk:
            return
        before = time.perf_counter()
        result = function(chunk)
        worked += time.perf_counter() - before
        done += len(chunk)
        fitting = int(done * _CHUNK_SECONDS / worked) if worked else _LARGEST_CHUNK
        size = max(1, min(fitting, 2 * size, _LARGEST_CHUNK))
        yield result
    yield from _pooled(function, source, size, workers)


def _pooled(
    function: Callable[[Sequence[Item]], Result], source: Iterator[Item], size: int, workers: int
) -> Generator[Result, None, None]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow hangs
    level = logging.getLogger(_LOG).getEffectiveLevel()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(level,))
    pending: deque[Future[tuple[Result, list[logging.LogRecord]]]] = deque()
    ended = False
    try:
        while True:
            while len(pending) < 2 * workers + 1 and (chunk := list(islice(source, size))):
                with _starting_quietly():
                    pending.append(pool.submit(_heard, function, chunk))
            if not pending:
                break
            result, records = pending.popleft().result()
            for record in records:
                logging.getLogger(record.name).handle(record)
            yield result
        ended = True
    except BrokenProcessPool as error:
        raise DigitsError(
            "a worker process ended before its work was done",
            "Free some memory, or work with one process",
        ) from error
    finally:
        if ended:
            pool.shutdown()
        else:
            _stop(pool)


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers without waiting for long work (Python 3.14 has terminate_workers)."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + _GRACE
    for process in processes:
        wait([process.sentinel], max(0.0, deadline - time.monotonic()))
        process.terminate()


def _start_worker(level: int) -> None:
    # Ctrl-C reaches all processes of a terminal; the first one alone decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = logging.getLogger(_LOG)
    log.setLevel(level)
    log.propagate = False


def _heard(
    function: Callable[[Sequence[Item]], Result], chunk: Sequence[Item]
) -> tuple[Result, list[logging.LogRecord]]:
    """`function(chunk)` and what it logged, which nobody would hear from a worker itself."""
    records: list[logging.LogRecord] = []
    listener = _Listener(records)
    log = logging.getLogger(_LOG)
    log.addHandler(listener)
    try:
        return function(chunk), records
    finally:
        log.removeHandler(listener)


class _Listener(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        # What stands in a message, and an error, need not be able to travel.
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        self.records.append(record)


@contextmanager
def _starting_quietly() -> Iterator[None]:
    """Start processes that neither run the caller's script again nor answer Ctrl-C as they start.

    A spawned Python imports the main module, which would run an unguarded script a second time;
    our functions live elsewhere. It inherits blocked signals.
    """
    main = sys.modules["__main__"]
    blocks = hasattr(signal, "pthread_sigmask")
    sys.modules["__main__"] = types.ModuleType("__main__")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if blocks else set()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
