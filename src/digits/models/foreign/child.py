"""Risky or heavy work on model files in a process of its own, with one line back."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ...errors import ModelError

TODO = "Get the file again, or save the model again"

_SURROUNDINGS = {
    "HDF5_PLUGIN_PRELOAD": "::",  # no filter plugins
    "OPENBLAS_NUM_THREADS": "1",  # arrays are only copied
    "KERAS_BACKEND": "tensorflow",  # the one that can compile
}


def run(module: str, source: Path, target: Path, seconds: float, failed: str) -> None:
    """Run `python -m module source target` and wait at most `seconds`.

    Raises ModelError with what the child said, or with `failed` (as in "FILE is damaged") when it
    crashed or never ended.
    """
    # -P: a file in the working folder that is called like a module must not be imported.
    command = [sys.executable, "-P", "-m", module, str(source), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command,
            # No filter plugins of HDF5, no threads for arrays that are only copied, and the
            # one backend that can compile.
            env=os.environ
            | {
                "HDF5_PLUGIN_PRELOAD": "::",
                "OPENBLAS_NUM_THREADS": "1",
                "KERAS_BACKEND": "tensorflow",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{source} {failed} (it never ended)", TODO) from error
    if done.returncode == 1 and done.stdout.startswith(b"{"):
        problem = json.loads(done.stdout)
        raise ModelError(problem["what"], problem["todo"])
    if done.returncode or not target.is_file():
        raise ModelError(f"{source} {failed} (it crashed)", TODO)


def answer(work: Callable[[Path, Path], None]) -> int:
    """The child's side: do `work(source, target)`; print what is wrong and return 1 if need be."""
    source, target = map(Path, sys.argv[1:3])
    try:
        with contextlib.redirect_stdout(sys.stderr):
            work(source, target)
    except ModelError as error:
        print(json.dumps({"what": error.what, "todo": error.todo}))  # noqa: T201  # to the parent
        return 1
    return 0
