"""`digits models`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import output_options, printable, quiet_option, result_stream, write_records

_COLUMNS = ("path", "family", "preset", "test", "accuracy", "bytes", "created", "error")


@click.command("models", short_help="List your models and the shipped ones.")
@output_options("text", "json", "jsonl", "csv")
@quiet_option
def command(fmt: str, output: Path | None, overwrite: bool) -> None:
    """List the models in ./models and those that come with the package."""
    from ..models.find import list_models

    records = [_record(path) for path in list_models()]
    with result_stream(output, overwrite) as stream:
        if fmt != "text":
            write_records(records, fmt, stream, _COLUMNS)
            return
        width = max((len(r["path"]) for r in records), default=4)
        stream.write(f"{'model':{width}}  family  preset    accuracy  on              KB\n")
        for r in records:
            if "error" in r:
                stream.write(f"{r['path']:{width}}  {r['error']}\n")
                continue
            accuracy = "-" if r["accuracy"] is None else f"{r['accuracy']:.2%}"
            stream.write(
                f"{r['path']:{width}}  {r['family']:6}  {printable(r['preset']):8}  {accuracy:>8}  "
                f"{printable(r['test'] or '-'):12}  {r['bytes'] / 1000:6,.0f}\n"
            )


def _record(path: Path) -> dict[str, Any]:
    from ..errors import ModelError
    from ..models.file import read
    from ..records import model_record

    try:
        return model_record(read(path))
    except ModelError as error:
        return {"path": str(path), "error": str(error)}
