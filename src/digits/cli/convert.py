"""`digits convert`."""

from __future__ import annotations

from pathlib import Path

import click

from .options import new_file_options, quiet_option


@click.command("convert", short_help="Make a model file of ours out of another .h5.")
@click.argument("model", metavar="OLD.h5")
@new_file_options("NEW.h5")
@quiet_option
def command(model: str, output: Path, overwrite: bool) -> None:
    """Make a model file of ours out of OLD.h5, which any version of Keras wrote.

    Sequential and plain functional models of common layers are understood: pictures of 784, 28×28,
    28×28×1 or 1×28×28 values from 0 to 1 in, ten probabilities or logits out.
    """
    from ..models.trust import convert_file

    file = convert_file(model, output, overwrite)
    click.echo(f"wrote {output}: {file.family}, predicts at once")
    click.echo(f"next: digits eval --model {output}")
