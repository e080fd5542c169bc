"""`digits export-png`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._io.text import printable
from .loader import Loader
from .options import PATH, data_options, limit_option, quiet_option, split_option
from .progress import progress_bar


@click.command("export-png", short_help="Write a data set as PNG files.")
@click.argument("folder", type=PATH, metavar="FOLDER")
@data_options(multiple=False)
@split_option("all")
@limit_option("Maximum number of pictures per part.")
@click.option(
    "--ink", type=click.Choice(["dark", "light"]), default="dark", show_default=True,
    help="Dark ink on white, or light ink on black.",
)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(["L", "RGBA"]), default="L", show_default=True,
    help="Gray, or ink on a transparent background.",
)  # fmt: skip
@click.option(
    "--name", default="{split}/{index:05d}_{label}.png", show_default=True, metavar="TEMPLATE",
    help="Path of each file in FOLDER.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Write into a folder that already contains files.")
@quiet_option
def command(folder: Path, data: str, loader: Loader, **options: Any) -> None:
    """Write the pictures of a data set to FOLDER as PNG files of 28×28 pixels.

    `digits ingest` reads them back bit for bit.

    \b
    Examples:
      digits export-png mnist-png
      digits export-png sevens --data sample --split test --limit 100
      digits export-png by-digit --data mine.npz --name "{label}/{split}_{index}.png"
    """
    from ..data.png import export_png

    splits = loader.load([data])[0]
    with progress_bar("writing", lambda: sum(map(len, splits.values()))) as advance:
        count = export_png(splits, folder, progress=advance, **options)
    click.echo(f"wrote {count:,} pictures of {printable(splits.name)} to {printable(folder)}")
