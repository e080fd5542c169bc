"""`digits info`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from .._io.text import printable
from .options import quiet_option, result_options
from .output import result_stream

if TYPE_CHECKING:
    from ..models.file import ModelFile
    from ..models.metadata import ModelMetadata


@click.command("info", short_help="Show the metadata of a model file.")
@click.argument("model", metavar="MODEL")
@result_options("text", "json")
@quiet_option
def command(model: str, fmt: str, output: Path | None, overwrite: bool) -> None:
    """Show how MODEL was made and what it scored. MODEL is a model file, or dense, cnn or rnn.

    \b
    Examples:
      digits info cnn
      digits info models/mine.h5 --format json
    """
    from ..models.find import find_model
    from ..models.trust import load_trusted

    file = load_trusted(find_model(model))
    with result_stream(output, overwrite) as stream:
        if fmt == "json":
            record = {"path": str(file.path), **file.metadata.to_json()}
            stream.write(json.dumps(record, indent=2) + "\n")
        else:
            _write_text(file, stream)


def _write_text(file: ModelFile, stream: IO[str]) -> None:
    metadata = file.metadata
    lines = {"model": str(file.path), "family": f"{metadata.family}, preset {metadata.preset}"}
    if metadata.settings is None:
        lines["converted from"] = str(metadata.converted_from)
        for number, (values, share) in enumerate((metadata.inputs or {}).items()):
            name = "takes pixels" if number == 0 else "not"
            lines[f"{name} {values}"] = f"reads {share:.0%} of the embedded digits"
    else:
        lines |= _training(metadata, metadata.settings)
    for test in metadata.test:
        lines[f"on {test.name}"] = (
            f"accuracy {test.accuracy:.2%}, loss {test.loss:.4f}, {test.n:,} pictures"
        )
    lines |= {
        "created": metadata.created,
        "versions": _plain(metadata.versions),
        "compiled": f"{len(file.compiled):,} bytes, LiteRT",
    }
    width = max(map(len, lines))
    for name, value in lines.items():
        stream.write(f"{printable(name):{width}}  {printable(value)}\n")


def _training(metadata: ModelMetadata, settings: Mapping[str, Any]) -> dict[str, str]:
    """How the model was trained."""
    shown = ("family", "preset", "architecture", "source", "reached")
    rest = {name: value for name, value in settings.items() if name not in shown}
    seconds = f"{metadata.seconds:.1f} s, seed {metadata.seed}"
    return {
        "architecture": _plain(settings["architecture"]),
        "training": _plain(rest),
        "recipe": settings["source"],
        "trained on": ", ".join(f"{data.name} ({data.pictures:,})" for data in metadata.data),
        "started from": metadata.started_from.path if metadata.started_from else "random weights",
        "epochs": f"{len(metadata.history)} in {seconds}",
    }


def _plain(value: Any) -> str:
    """Nested settings on one line, without those that are off."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items() if inner)
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
