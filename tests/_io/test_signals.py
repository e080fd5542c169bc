"""SIGINT and SIGTERM, in real processes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BUSY = """
import sys
from digits._io import signals

signals.install()
{setup}
try:
    {work}
finally:
    signals.end_if_received()
"""

WORK = {
    "Python": """
    print("ready", flush=True)
    while True: pass""",
    "swallowed": """
    while True:
        try:
            print("ready", flush=True)
            while True: pass
        except BaseException: pass""",
    "a finalizer": """
    class Slow:
        def __del__(self):
            print("ready", flush=True)
            while True: pass
    Slow()""",
}


def _ended(code: str, *signals: int) -> tuple[int, str, str]:
    """Run `code` until it is ready, and send signals to it; its status and output."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in signals:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("work", [WORK["Python"], WORK["swallowed"], WORK["a finalizer"]])
@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, (130, "Interrupted.\n")), (signal.SIGTERM, (143, "Terminated.\n"))],
)
def test_a_signal_ends_any_work_with_one_line(
    work: str, number: int, expected: tuple[int, str]
) -> None:
    status, _, errors = _ended(BUSY.format(setup="", work=work), number)
    assert (status, errors) == expected


def test_a_second_signal_ends_it_without_waiting() -> None:
    endless = "signals.TIMEOUT_SECONDS = 10**6"
    code = BUSY.format(setup=endless, work=WORK["swallowed"])
    assert _ended(code, signal.SIGINT, signal.SIGTERM)[::2] in (
        (130, "Interrupted.\n"),
        (143, "Terminated.\n"),  # the kernel delivers the lower number first, or not
    )


def test_advice_is_said_once() -> None:
    setup = "from digits._io.signals import advising"
    work = """
    with advising(lambda: "Try again."):
        print("ready", flush=True)
        while True: pass"""
    assert _ended(BUSY.format(setup=setup, work=work), signal.SIGINT)[::2] == (
        130,
        "Interrupted. Try again.\n",
    )


def test_advice_is_dropped_when_its_block_ends() -> None:
    setup = """
from digits._io.signals import advising
with advising(lambda: "Try again."):
    pass
"""
    code = BUSY.format(setup=setup, work=WORK["Python"])
    assert _ended(code, signal.SIGINT)[::2] == (130, "Interrupted.\n")


def test_what_was_ignored_stays_ignored() -> None:
    """As under nohup, or in the background of a script."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + BUSY.format(
        setup="import time",
        work="print('ready', flush=True); time.sleep(0.5); print('done', flush=True)",
    )
    assert _ended(code, signal.SIGINT) == (0, "done\n", "")
