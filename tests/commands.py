"""`digits` as the tests run it: in this process, or in a real one where that is the point."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from click.testing import CliRunner


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    """Run `digits` with these arguments (see the fixtures `run` and `run_process`)."""

    def __call__(
        self,
        *args: object,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        input: str | bytes | None = None,
        charset: str = "utf-8",
    ) -> Finished: ...


TIMEOUT = 300  # seconds; far more than any command here takes, so that a hang ends as a failure


def isolated_environment(home: Path) -> dict[str, str | None]:
    """Environment variables under which MNIST is neither found nor downloaded."""
    return {
        "DIGITS_DATA": None,
        "HOME": str(home),
        "KERAS_HOME": str(home / "keras"),
        "DIGITS_MNIST_MIRRORS": "http://127.0.0.1:9/mnist.npz",  # the discard port: nobody listens
    }


def process_environment(home: Path, **others: str) -> dict[str, str]:
    """All environment variables of a process that `isolated_environment` and `others` change."""
    variables = os.environ | isolated_environment(home)
    return {name: value for name, value in variables.items() if value is not None} | others


def in_process(home: Path) -> Run:
    """Run commands in this process, in the folder `home` unless told otherwise."""
    from digits.cli import main

    def run(
        *args: object,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        input: str | bytes | None = None,
        charset: str = "utf-8",
    ) -> Finished:
        words = tuple(map(str, args))
        variables = {**isolated_environment(home), **(env or {})}
        with contextlib.chdir(cwd or home):
            done = CliRunner(charset).invoke(
                main, words, input=input, env=variables, catch_exceptions=False
            )
        return Finished(words, done.exit_code, done.stdout, done.stderr)

    return run


def in_new_process(home: Path) -> Run:
    """Run commands as `python -m digits`, with warnings as errors."""

    def run(
        *args: object,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        input: str | bytes | None = None,
        charset: str = "utf-8",
    ) -> Finished:
        strict = ("-W", "error", "-W", "ignore:__array__ implementation:DeprecationWarning")
        words = tuple(map(str, args))
        done = subprocess.run(
            [sys.executable, *strict, "-m", "digits", *words],
            cwd=cwd or home,
            env=process_environment(home, PYTHONIOENCODING=charset, **(env or {})),
            input=input.encode() if isinstance(input, str) else input or b"",
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        out, err = (text.decode(charset, "replace") for text in (done.stdout, done.stderr))
        return Finished(words, done.returncode, out, err)

    return run
