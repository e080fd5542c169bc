"""`digits convert`."""

from __future__ import annotations

from pathlib import Path

import click

from .._io.text import printable
from .options import new_file_options, quiet_option


@click.command("convert", short_help="Convert another program's .h5 to a digits model file.")
@click.argument("model", metavar="OLD.h5")
@new_file_options("NEW.h5")
@quiet_option
def command(model: str, output: Path, overwrite: bool) -> None:
    """Convert OLD.h5, written by any version of Keras, to a digits model file; .keras files too.

    Sequential and plain functional models of common layers can be converted. They take 28×28 or
    32×32 pixels, flat or with one or three channels, and return ten probabilities or logits.
    Whether the pixels go to 1 or to 255 is tried on digits, and said.

    \b
    Examples:
      digits convert old.h5 -o models/mine.h5
      digits eval --model models/mine.h5
    """
    from ..models.trust import convert_file

    file = convert_file(model, output, overwrite)
    click.echo(f"wrote {printable(output)}, family {file.family}")
    click.echo(f"next: digits eval --model {printable(output)}")
