"""The command `digits`: parse, one library call, print. One module per command."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Iterator
from typing import Any

import click

from .._io import signals
from .._io.files import os_reason
from ..errors import DigitsError
from .messages import fail
from .output import drop_stdout, stdout_error

# Where each command lives. A module is imported when its command is used (or listed).
_COMMANDS = {
    "train": "train",
    "eval": "eval",
    "predict": "predict",
    "read": "read",
    "app": "app",
    "models": "models",
    "info": "info",
    "convert": "convert",
    "export": "export",
    "data": "data",
    "export-png": "export_png",
    "ingest": "ingest",
}


class _Digits(click.Group):
    """Imports commands when they are used, and turns every error into one line and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{_COMMANDS[cmd_name]}", __name__)
        command: click.Command = module.command
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _aborting():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _aborting():
            return super().invoke(ctx)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        kwargs.setdefault("prog_name", "digits")
        sys.exit(_status(lambda: super(_Digits, self).main(*args, **kwargs)))


@contextlib.contextmanager
def _aborting() -> Iterator[None]:
    """Raise Abort for an interrupt, as Click does, but without its empty line on stderr."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise click.Abort from interrupt


def _status(run: Any) -> int:
    """The exit status of a command: 0 done, 1 failed, 2 wrong usage, 130 or 143 a signal."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file name may hold anything
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = int(run() or 0)
        sys.stdout.flush()  # Python does so where nobody can handle a failure
        return status
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # stderr is full
            error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        interrupt = error.__cause__ or error  # Click raises Abort from it
        signals.say(interrupt)
        return signals.status(interrupt)
    except BrokenPipeError:  # whoever read our output has had enough
        drop_stdout()
    except DigitsError as error:
        fail(str(error))
    except OSError as error:
        if error.filename is None:  # only the standard streams have no name
            drop_stdout()
            fail(stdout_error(error))
        else:
            fail(f"cannot use {error.filename}: {os_reason(error)}. Check the path and the disk.")
    except MemoryError:
        fail("not enough memory. Use --limit, or a smaller data set.")
    return 1


@click.group(
    cls=_Digits,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(None, "--version", package_name="digits", message="digits %(version)s")
def main() -> None:
    """Train, evaluate and use handwritten-digit recognizers."""
