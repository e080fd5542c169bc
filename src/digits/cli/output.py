"""Where results go, and in which format."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
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
        for record in chain([dict(zip(columns, columns, strict=True))], records):
            stream.write(_csv_row(record, columns))
            stream.flush()
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


def _csv_row(record: Mapping[str, Any], columns: Sequence[str]) -> str:
    import csv

    row = io.StringIO(newline="")
    # The module quotes what is in its line ends alone, and a path may hold either.
    writer = csv.DictWriter(row, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writerow(record)
    return row.getvalue().removesuffix("\r\n") + "\n"


def flush_stdout() -> None:
    """Write out what stdout still holds, before Python does so where nobody can handle a failure.

    Raises:
        OSError: It cannot be written.
    """
    try:
        sys.stdout.flush()
    except OSError:
        drop_stdout()
        raise


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
