"""What all tests share: real digits, a small trained model, and the command as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digits import Splits, load
from web.server import Server, serving

# Whoever starts the tests in the background may have had Ctrl-C ignored; that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def sample() -> Splits:
    """The 5,000 real MNIST digits that are always there."""
    return load("sample")


@pytest.fixture(scope="session")
def mnist() -> Splits:
    """All of MNIST, or a skip."""
    folder = Path(os.environ.get("DIGITS_DATA", ""), "mnist.npz")
    if not os.environ.get("DIGITS_DATA") or not folder.is_file():
        pytest.skip("needs all of MNIST: set DIGITS_DATA to a folder with mnist.npz")
    return load("mnist")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of compiled models for the tests alone."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["DIGITS_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, sample: Splits) -> dict[str, Path]:
    """A quickly trained model file of each family."""
    from digits import train
    from digits.quiet import native_stderr_silenced

    folder = tmp_path_factory.mktemp("models")
    paths = {}
    presets = {"dense": "classic", "cnn": "notebook", "rnn": "classic"}
    with native_stderr_silenced():
        for family, preset in presets.items():
            paths[family] = folder / f"{family}.h5"
            train(family, sample, preset=preset, epochs=2, limit=2000).save(paths[family])
    return paths


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    """`digits app` for all tests that leave it as they found it."""
    with serving(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `digits` with these arguments in a process of its own, in an empty folder.

    There is no MNIST to be found and no network to fetch it from.
    """

    def call(
        *args: object, cwd: Path = tmp_path, env: dict[str, str] | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        surroundings = {k: v for k, v in os.environ.items() if k != "DIGITS_DATA"}
        surroundings |= {
            "HOME": str(tmp_path),
            "KERAS_HOME": str(tmp_path / "keras"),
            "DIGITS_MNIST_MIRRORS": "http://127.0.0.1:9/mnist.npz",
            "PYTHONIOENCODING": "utf-8",
        }
        strict = ("-W", "error", "-W", "ignore:__array__ implementation:DeprecationWarning")
        command = [sys.executable, *strict, "-m", "digits", *map(str, args)]
        options = {"stdin": subprocess.DEVNULL, "timeout": 300} | options
        if "input" in options:
            del options["stdin"]
        return subprocess.run(
            command,
            cwd=cwd,
            env=surroundings | (env or {}),
            capture_output=True,
            text=not isinstance(options.get("input"), bytes),
            check=False,
            **options,
        )

    return call
