"""Risky or heavy work on a file, in a process of its own with bounded time and memory.

Libraries in C crash, hang, or ask for all memory when bytes are damaged or made to do harm. A
module that offers such work ends in `sys.exit(main(work))` under `if __name__ == "__main__"`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import DigitsError
from .worker import end_with_parent

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # arrays are only copied

_OUT_OF_TIME = getattr(signal, "SIGXCPU", 0)  # what ends a process at its limit of time


def run(
    module: str,
    source: Path,
    target: Path,
    *arguments: object,
    timeout: float,
    failure: DigitsError,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run `python -m module source target arguments`.

    Args:
        module: A module whose `__main__` calls `main`.
        source: The file to work on.
        target: The file that the child writes.
        arguments: Further ones of the work, as text.
        timeout: Seconds after which the child is killed.
        failure: The error if the child crashed or was killed. Its class and path are also those of
            an error that the child reports.
        environment: Variables for the child, besides those of this process.

    Raises:
        DigitsError: `failure`, or one of its class with what the child reports.
    """
    # -P: a file in the working folder that is named like a module must not be imported.
    command = [sys.executable, "-P", "-m", module, *map(str, (source, target, *arguments))]
    kind, path = type(failure), failure.path
    stdin, our_end = os.pipe()  # the child ends when it is closed: with this process
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command,
            env={**os.environ, **_ENVIRONMENT, **(environment or {})},
            stdin=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise kind(f"{failure.problem} (timeout)", failure.remedy, path) from error
    finally:
        os.close(stdin)
        os.close(our_end)
    if done.returncode == 1 and done.stdout.startswith(b"{"):
        raise kind(**json.loads(done.stdout), path=path)
    if done.returncode or not target.is_file():
        reason = "timeout" if done.returncode == -_OUT_OF_TIME else "the process crashed"
        raise kind(f"{failure.problem} ({reason})", failure.remedy, path)


def main(work: Callable[..., None]) -> int:
    """The child's side: call `work(source, target, *arguments)`, report a DigitsError.

    Returns:
        The exit status.
    """
    end_with_parent(0)
    source, target = map(Path, sys.argv[1:3])
    try:
        with contextlib.redirect_stdout(sys.stderr):
            work(source, target, *sys.argv[3:])
    except DigitsError as error:
        report = {"problem": error.problem, "remedy": error.remedy}
        print(json.dumps(report))  # noqa: T201  # to the parent
        return 1
    return 0


def limit_process(seconds: int, memory: int | None) -> None:
    """Lower the limits of this process for good, where the system has such limits.

    Args:
        seconds: Of processor time, after which the system kills it.
        memory: Bytes of address space, of which libraries take half a gigabyte; None for all.
    """
    try:
        import resource
    except ImportError:  # Windows has only the timeout of the parent
        return
    limits = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    if memory is not None:
        limits[resource.RLIMIT_AS] = memory
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit memory
            resource.setrlimit(limit, (soft, hard))
