"""`digits info`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from .common import output_options, printable, quiet_option, result_stream

if TYPE_CHECKING:
    from ..models.file import ModelFile


@click.command("info", short_help="Tell everything that a model file knows about itself.")
@click.argument("model", metavar="MODEL")
@output_options("text", "json")
@quiet_option
def command(model: str, fmt: str, output: Path | None, overwrite: bool) -> None:
    """Tell everything that MODEL, a model file or a family, knows about itself."""
    from ..models.find import find_model
    from ..models.ready import ready

    file = ready(find_model(model))
    with result_stream(output, overwrite) as stream:
        if fmt == "json":
            stream.write(json.dumps({"path": str(file.path), **file.metadata}, indent=2) + "\n")
        else:
            _write_text(file, stream)


def _write_text(file: ModelFile, stream: IO[str]) -> None:
    known = file.metadata
    lines = {
        "model": str(file.path),
        "family": f"{known['family']}, preset {known['preset']}",
    }
    if known["settings"] is None:
        lines["converted from"] = f"{known['converted_from']}, which another program wrote"
    else:
        lines |= _training(known)
    for test in known["test"]:
        lines[f"on {test['name']}"] = (
            f"accuracy {test['accuracy']:.2%}, loss {test['loss']:.4f}, {test['n']:,} pictures"
        )
    lines |= {
        "made": known["created"],
        "versions": _plain(known["versions"]),
        "program": f"{len(file.program):,} bytes, LiteRT",
    }
    width = max(map(len, lines))
    for name, value in lines.items():
        stream.write(f"{printable(name):{width}}  {printable(value)}\n")


def _training(known: Mapping[str, Any]) -> dict[str, str]:
    """How it was trained, unless another program did."""
    settings = known["settings"]
    own = ("family", "preset", "architecture", "source", "reached")
    rest = {n: value for n, value in settings.items() if n not in own and value not in (None, {})}
    return {
        "architecture": _plain(settings["architecture"]),
        "training": _plain(rest),
        "recipe": settings["source"],
        "learned from": ", ".join(f"{d['name']} ({d['pictures']:,})" for d in known["data"]),
        "started from": known.get("started_from", {}).get("path", "nothing"),
        "epochs": f"{len(known['history'])} in {known['seconds']:.1f} s, seed {known['seed']}"
        + (", interrupted" if known["interrupted"] else ""),
    }


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items() if inner)
    if isinstance(value, list):
        return "-".join(map(str, value))
    return str(value)
