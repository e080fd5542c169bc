"""SIGINT and SIGTERM: the program ends soon, with one line, whatever it is doing.

Python runs a signal's handler between two of its instructions. A library that computes in C for
seconds lets the handler wait, and one that catches everything swallows its exception. So a thread
watches too: it ends the program when the main thread has not ended in time, and at once at a second
signal. That is safe at any moment, as files are written whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

TIMEOUT_SECONDS = 2.0
"""Time for the main thread to clean up."""

_NAMES = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}

_received: int | None = None  # the signal that is ending the program
_advice: Callable[[], str] = str  # what else to say then
_said = threading.Lock()  # so that it is said once


class Terminated(KeyboardInterrupt):
    """SIGTERM: unwinds like a Ctrl-C."""


def install() -> None:
    """Handle both signals in this process, from its main thread."""
    handled = [s for s in _NAMES if signal.getsignal(s) is not signal.SIG_IGN]  # as under nohup
    if sys.platform != "win32":
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=_watch, args=(reading,), name="signals", daemon=True).start()
    for number in handled:
        signal.signal(number, _interrupt)
    shown = sys.unraisablehook

    def hook(problem: sys.UnraisableHookArgs) -> None:  # of a finalizer that was interrupted
        if not issubclass(problem.exc_type, KeyboardInterrupt):
            shown(problem)

    sys.unraisablehook = hook


@contextlib.contextmanager
def advising(advice: Callable[[], str]) -> Iterator[None]:
    """While the block runs, what `advice` returns is told to whoever interrupts the program."""
    global _advice  # noqa: PLW0603  # signals belong to the whole process
    _advice = advice
    try:
        yield
    except KeyboardInterrupt:
        raise  # `say` needs the advice
    except BaseException:
        _advice = str
        raise
    _advice = str


def status(interrupt: BaseException) -> int:
    """The exit status of a program that `interrupt` ended: 130 or 143."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def say(interrupt: BaseException) -> None:
    """Print one line on stderr, once: what happened, and the advice."""
    _say(signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def end_if_received() -> None:
    """End the process if a signal is why it ends, without waiting for libraries to finish."""
    if _received is not None:
        _end(_received)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    global _received  # noqa: PLW0603
    _received = number
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _watch(reading: int) -> None:
    global _received  # noqa: PLW0603
    while (number := os.read(reading, 1)[0]) not in _NAMES:
        pass
    select.select([reading], [], [], TIMEOUT_SECONDS)
    _received = number
    _end(number)


def _end(number: int) -> NoReturn:
    _say(number)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(128 + number)


def _say(number: int) -> None:
    global _advice  # noqa: PLW0603
    if _received is not None and not _said.acquire(blocking=False):
        return
    line = " ".join(filter(None, [f"{_NAMES[signal.Signals(number)]}.", _advice()]))
    _advice = str
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            line = f"\r\x1b[?25h{line}"  # a progress bar hides the cursor
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
