"""`digits models`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._io.text import printable
from .options import quiet_option, result_options
from .output import result_stream, write_records

_COLUMNS = ("path", "family", "preset", "test", "accuracy", "bytes", "created", "error")


@click.command("models", short_help="List available models.")
@result_options("text", "json", "jsonl", "csv")
@quiet_option
def command(fmt: str, output: Path | None, overwrite: bool) -> None:
    """List the models in ./models and those that come with the package.

    The accuracy is that of the last test when the model was trained.

    \b
    Examples:
      digits models
      digits models --format json
    """
    from ..models.find import list_models

    records = [_record(path) for path in list_models()]
    with result_stream(output, overwrite) as stream:
        if fmt != "text":
            write_records(records, fmt, stream, _COLUMNS)
            return
        width = max((len(record["path"]) for record in records), default=5)
        stream.write(f"{'model':{width}}  family    preset    accuracy  on              KB\n")
        for record in records:
            stream.write(f"{printable(record['path']):{width}}  {_text(record)}\n")


def _record(path: Path) -> dict[str, Any]:
    from ..errors import ModelError
    from ..models.file import read

    try:
        return read(path).summary().to_json()
    except ModelError as error:
        return {"path": str(path), "error": error.message}


def _text(record: dict[str, Any]) -> str:
    if "error" in record:
        return printable(record["error"])
    accuracy = "-" if record["accuracy"] is None else f"{record['accuracy']:.2%}"
    test = printable(record["test"] or "-")
    return (
        f"{record['family']:8}  {printable(record['preset']):8}  {accuracy:>8}  {test:12}  "
        f"{record['bytes'] / 1000:6,.0f}"
    )
