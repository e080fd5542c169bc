"""Fixtures that all tests share: real digits, small trained models, and the command."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commands import Run, in_new_process, in_process

if TYPE_CHECKING:
    from digits import Splits

# Whoever starts the tests in the background may have had Ctrl-C ignored; that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rounds",
        type=int,
        help="how often the tests in tests/durability kill, interrupt and repeat",
    )


@pytest.fixture(scope="session")
def sample() -> Splits:
    """The 5,000 real MNIST digits that are always there."""
    from digits import load

    return load("sample")


@pytest.fixture(scope="session")
def mnist() -> Splits:
    """All of MNIST, or a skip."""
    folder = Path(os.environ.get("DIGITS_DATA", ""), "mnist.npz")
    if not os.environ.get("DIGITS_DATA") or not folder.is_file():
        pytest.skip("needs all of MNIST: set DIGITS_DATA to a folder with mnist.npz")
    from digits import load

    return load("mnist")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of compiled and trusted models for these tests alone."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["DIGITS_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> dict[str, Path]:
    """A small trusted model of each family, about 95 % right (see `files/make_models.py`).

    Tests only read these files; one that changes a model copies it first.
    """
    from digits.models.trust import trust

    folder = tmp_path_factory.mktemp("models")
    made = Path(__file__).with_name("files") / "models"
    paths = {path.stem: Path(shutil.copy(path, folder)) for path in sorted(made.glob("*.h5"))}
    for path in paths.values():
        trust(path)
    return paths


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `digits` with these arguments in this process.

    In `tmp_path` unless told otherwise (`cwd`). MNIST is neither found nor downloaded there. A
    programming error in a command is raised here, with its traceback.
    """
    return in_process(tmp_path)


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """As `run`, but in a process of its own: for exit codes, signals, pipes and imports."""
    return in_new_process(tmp_path)
