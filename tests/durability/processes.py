"""Real `digits` processes that are ended at chosen moments."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from commands import TIMEOUT, process_environment

POLL = 0.0005  # seconds; the writing of a file of a megabyte takes a few milliseconds


class Command:
    """A running `digits` command, in a process group of its own.

    Its output is kept until it ends, and until every process that it started has ended.

    Attributes:
        process: The process.
    """

    def __init__(
        self, folder: Path, *args: object, terminal: bool = False, env: dict[str, str] | None = None
    ) -> None:
        # A terminal for stderr alone shows progress, and keeps the results apart.
        reading, writing = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digits", *map(str, args)],
            cwd=folder,
            env=process_environment(folder, **(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=writing,
            start_new_session=True,
        )
        os.close(writing)
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, args=(reading,))
        self._reader.start()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):  # a terminal that nobody has open any more
            while content := os.read(descriptor, 1 << 16):
                self._said += content
        os.close(descriptor)

    @property
    def said(self) -> str:
        """What came on stderr so far, without control sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._said.decode(errors="replace"))

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_until(self, happened: Callable[..., object], *args: object) -> bool:
        """Wait until `happened(*args)`; False if the command has ended before."""
        deadline = time.monotonic() + TIMEOUT  # a hang ends as a failure
        while not happened(*args):
            if not self.running:
                return bool(happened(*args))
            assert time.monotonic() < deadline, self.said[-2000:]
            time.sleep(POLL)
        return True

    def let_run(self, seconds: float) -> bool:
        """Let it run for up to so many seconds, by chance; False if it has ended before."""
        end = time.monotonic() + random.uniform(0, seconds)
        return self.wait_until(lambda: time.monotonic() >= end) and self.running

    def handles_signals(self) -> bool:
        """Whether it handles SIGTERM by now, some hundredths of a second after it was started.

        Before that, Python itself starts: SIGTERM ends it at once, and it shows where SIGINT came.
        """
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)
            return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def send(self, number: int) -> None:
        """Send a signal to the process group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> int:
        """Kill the process alone, as the system does when memory is short; see `wait`."""
        self.process.kill()
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended, and every process that it started; its exit status."""
        status = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)  # ends when nobody has its stderr open any more
        assert not self._reader.is_alive(), "a process that it started is still running"
        return status


@contextlib.contextmanager
def started(folder: Path, *args: object, **options: object) -> Iterator[Command]:
    """A running command, which is killed at the end if it is still running."""
    command = Command(folder, *args, **options)  # type: ignore[arg-type]
    try:
        yield command
    finally:
        if command.running:
            command.send(signal.SIGKILL)
            command.process.wait(TIMEOUT)


def temporary_files(folder: Path, suffix: str = "") -> list[Path]:
    """The temporary files and folders of `digits` in `folder`."""
    return list(folder.glob(f".digits-????????{suffix}"))


def files_below(folder: Path) -> int:
    """The number of files in `folder` and below, also while they come and go."""
    return sum(len(names) for _, _, names in os.walk(folder))


def all_temporary(folder: Path) -> list[Path]:
    """As `temporary_files`, in all folders below too."""
    return list(folder.rglob(".digits-*"))


def version(path: Path) -> tuple[int, int] | None:
    """Changes whenever a file is replaced; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
