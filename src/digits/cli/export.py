"""`digits export`."""

from __future__ import annotations

from pathlib import Path

import click

from .._io.text import printable
from .options import new_file_options, quiet_option

FORMATS = ("onnx", "litert", "saved-model", "keras")  # of models.export, which imports NumPy


@click.command("export", short_help="Export a model to another runtime.")
@click.argument("model", metavar="MODEL")
@click.option(
    "--to",
    type=click.Choice(FORMATS),
    required=True,
    help="Format: ONNX, LiteRT (.tflite), TensorFlow's SavedModel (a folder) or Keras' own .keras.",
)
@new_file_options("PATH")
@quiet_option
def command(model: str, to: str, output: Path, overwrite: bool) -> None:
    """Export MODEL, a model file or a family (dense, cnn, rnn), to another runtime.

    The exported model takes (n, 28, 28) float32 pixels from 0 to 255 and returns (n, 10)
    probabilities. It is run by its own runtime on 1,000 MNIST digits, and kept only if it answers
    as Keras does.

    \b
    Examples:
      digits export cnn --to litert -o cnn.tflite
      digits export models/mine.h5 --to onnx -o mine.onnx
    """
    from .._io.stderr import native_stderr_silenced
    from ..data.mnist import load_sample
    from ..models.export import export_model
    from ..models.find import find_model

    images = load_sample()["test"].images
    with native_stderr_silenced():
        difference = export_model(find_model(model), to, output, images, overwrite)
    click.echo(
        f"wrote {printable(output)}: probabilities as in Keras on 1,000 digits "
        f"(largest difference {difference:.1g})"
    )
