"""Risky or heavy work on a model file, in a process of its own.

A module that offers such work ends in `sys.exit(main(work))` under `if __name__ == "__main__"`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import ModelError

REMEDY = "Get the file again, or save the model again"

_ENVIRONMENT = {
    "HDF5_PLUGIN_PRELOAD": "::",  # no filter plugins
    "OPENBLAS_NUM_THREADS": "1",  # arrays are only copied
    "KERAS_BACKEND": "tensorflow",  # the only one that compiles to LiteRT
}


def run(module: str, source: Path, target: Path, timeout: float, problem: str) -> None:
    """Run `python -m module source target`.

    Args:
        module: A module whose `__main__` calls `main`.
        source: The file to work on.
        target: The file that the child writes.
        timeout: Seconds after which the child is killed.
        problem: The problem to report if the child crashed or was killed.

    Raises:
        ModelError: The child's own, or one with `problem`.
    """
    # -P: a file in the working folder that is named like a module must not be imported.
    command = [sys.executable, "-P", "-m", module, str(source), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{problem} (timeout)", REMEDY, source) from error
    if done.returncode == 1 and done.stdout.startswith(b"{"):
        raise ModelError(**json.loads(done.stdout), path=source)
    if done.returncode or not target.is_file():
        raise ModelError(f"{problem} (the process crashed)", REMEDY, source)


def main(work: Callable[[Path, Path], None]) -> int:
    """The child's side: call `work(source, target)`, report a ModelError to the parent.

    Returns:
        The exit status.
    """
    source, target = map(Path, sys.argv[1:3])
    try:
        with contextlib.redirect_stdout(sys.stderr):
            work(source, target)
    except ModelError as error:
        report = {"problem": error.problem, "remedy": error.remedy}
        print(json.dumps(report))  # noqa: T201  # to the parent
        return 1
    return 0
