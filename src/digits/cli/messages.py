"""Errors, warnings and notes on stderr."""

from __future__ import annotations

import contextlib
import logging
import sys

import click

from .._io.text import printable

_LOGGER = logging.getLogger("digits")


def fail(message: object) -> None:
    """Print an error on one line."""
    _show(f"Error: {printable(message)}")


def note(message: str) -> None:
    """Print something on stderr that is good to know, if a person watches."""
    _LOGGER.info(message)


def _show(line: str) -> None:
    with contextlib.suppress(OSError):  # a full stderr must not cost the result
        click.echo(line, err=True)


class Messages(logging.Handler):
    """Shows what the library logs: warnings unless quiet, notes only on a terminal.

    Use as a context.
    """

    def __init__(self, quiet: bool) -> None:
        live = sys.stderr.isatty()
        super().__init__(logging.ERROR if quiet else logging.INFO if live else logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        kind = "Warning" if record.levelno >= logging.WARNING else "Note"
        _show(f"{kind}: {printable(record.getMessage())}.")

    def __enter__(self) -> None:
        _LOGGER.addHandler(self)
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate = False

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)
        _LOGGER.setLevel(logging.NOTSET)
        _LOGGER.propagate = True
