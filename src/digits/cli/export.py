"""`digits export`."""

from __future__ import annotations

from pathlib import Path

import click

from .options import new_file_options, quiet_option


@click.command("export", short_help="Write a model for another runtime.")
@click.argument("model", metavar="MODEL")
@click.option(
    "--to",
    type=click.Choice(["onnx", "litert", "saved-model", "keras"]),
    required=True,
    help="Format: ONNX, LiteRT (.tflite), TensorFlow's SavedModel (a folder) or Keras' own .keras.",
)
@new_file_options("PATH")
@quiet_option
def command(model: str, to: str, output: Path, overwrite: bool) -> None:
    """Write MODEL, a model file or a family, for another runtime.

    All take (n, 28, 28) float32 pixels 0 to 255 and give (n, 10) probabilities. What was written is
    run by its own runtime on 1,000 real digits, and refused when it answers differently.
    """
    from .._io.stderr import native_stderr_silenced
    from ..data.mnist import load_sample
    from ..models.export import export_model
    from ..models.find import find_model

    pictures = load_sample()["test"].images
    with native_stderr_silenced():
        difference = export_model(find_model(model), to, output, pictures, overwrite)
    click.echo(
        f"wrote {output}: answers as in Keras on 1,000 digits (largest difference {difference:.1g})"
    )
