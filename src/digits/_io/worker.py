"""The worker process of `map_chunks`: calls one function with chunk after chunk.

It reads pickles from its standard input: the log level, the function and what to pass to it first,
then chunks, until the parent closes the pipe or is gone. To each chunk it replies with a pickle of
a `Reply`.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import DigitsError

LOG = "digits"  # the logger whose records are passed on to the parent
in_worker = False  # whether this process is a worker


@dataclass
class Reply:
    """What a chunk gave: a result or an error, and what was logged meanwhile."""

    result: Any = None
    error: Exception | None = None
    records: list[logging.LogRecord] = field(default_factory=list)


def main() -> None:
    """Serve the parent until it has no more work."""
    global in_worker  # noqa: PLW0603  # a process is a worker for good
    in_worker = True
    # What a library prints or reads must not get between the pickles.
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    end_with_parent(requests.fileno())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    try:
        level, function = pickle.load(requests)  # noqa: S301  # from the parent
        _configure_logging(level)
        while True:
            chunk = pickle.load(requests)  # noqa: S301
            _send(_reply_to(function, chunk), replies)
    except EOFError:
        return
    except BrokenPipeError:  # the parent is gone; closing `replies` would fail again
        os._exit(1)
    except Exception as error:  # what the parent sent cannot be imported here
        _send(Reply(error=error), replies)


def end_with_parent(pipe: int) -> None:
    """End this process at once when nobody can write to `pipe` any more, even within a long call.

    On Windows, whose pipes cannot be waited for like this, it ends when it reads the next request.
    """
    if not hasattr(select, "poll"):
        return
    hangup = select.poll()
    hangup.register(pipe, 0)  # waits for the hangup only

    def wait() -> None:
        hangup.poll()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _configure_logging(level: int) -> None:
    """Log for the parent alone. Process-wide, which is right: this process does nothing else."""
    log = logging.getLogger(LOG)
    log.setLevel(level)
    log.propagate = False


def _reply_to(function: Callable[[Any], Any], chunk: list[Any]) -> Reply:
    reply = Reply()
    listener = _Listener(reply.records)
    log = logging.getLogger(LOG)
    log.addHandler(listener)
    try:
        reply.result = function(chunk)
    except Exception as error:  # raised again in the parent
        if not isinstance(error, DigitsError):
            error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        reply.error = error
    finally:
        log.removeHandler(listener)
    return reply


def _send(reply: Reply, replies: Any) -> None:
    try:
        content = pickle.dumps(reply)
    except Exception as error:  # a result or an error that cannot be pickled
        problem = TypeError(f"a worker process cannot send its reply: {error!r}")
        problem.add_note(f"It was: {reply.error or type(reply.result)!r}")
        content = pickle.dumps(Reply(error=problem))
    replies.write(content)
    replies.flush()


class _Listener(logging.Handler):
    """Collects records in a form that can be pickled."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        self.records.append(record)
