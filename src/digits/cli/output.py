"""Where results go, and in which format."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .._io.files import os_reason, refuse_existing, replacing
from ..errors import OutputError


@contextlib.contextmanager
def result_stream(output: Path | None, overwrite: bool) -> Iterator[IO[str]]:
    """The stream for results: stdout, or a file that is replaced only once it is complete."""
    if output is None:
        yield sys.stdout
        return
    refuse_existing(output, overwrite)
    with (
        replacing(output, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def write_records(
    records: Iterable[Mapping[str, Any]], fmt: str, stream: IO[str], columns: Sequence[str] = ()
) -> None:
    """Write `records` one by one, as a JSON list, as JSON lines, or as CSV with `columns`."""
    if fmt == "csv":
        import csv

        rows = csv.DictWriter(
            _UnixLines(stream), columns, extrasaction="ignore", lineterminator="\r\n"
        )
        rows.writeheader()
        rows.writerows(records)
        return
    if fmt == "jsonl":
        for record in records:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
        return
    between = "[\n"
    for record in records:
        stream.write(between + json.dumps(record))
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


class _UnixLines:
    """Takes the rows of a CSV writer, and ends each with a line feed alone.

    The writer quotes a carriage return, which a path may hold, only if its own line ends have one.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, row: str) -> None:
        self._stream.write(row.removesuffix("\r\n") + "\n")
        self._stream.flush()


def drop_stdout() -> None:
    """Let what is left in the buffer of stdout go nowhere."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        sys.stdout.flush()


def stdout_error(error: OSError) -> OutputError:
    """The error for a stdout that is closed, or whose disk is full."""
    reason = "it is closed" if error.errno == errno.EBADF else os_reason(error)
    remedy = "Redirect it to a file with space, or give -o FILE"
    return OutputError(f"cannot write: {reason}", remedy, "stdout")
