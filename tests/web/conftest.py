"""Servers and the browser for the tests of the page and of its HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web.browser import chromium, opened
from web.server import Server, serving, serving_here


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    """`digits app` for all tests that leave it as they found it."""
    with serving(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path, cache: Path) -> Iterator[Server]:
    """A server for one test, which may save digits."""
    with serving_here(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """The page of `server`, where nothing may be saved."""
    with opened(browser, server.address) as ready:
        yield ready


@pytest.fixture
def own_page(browser: Any, own_server: Server) -> Iterator[Any]:
    """The page of `own_server`."""
    with opened(browser, own_server.address) as ready:
        yield ready
