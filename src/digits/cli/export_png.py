"""`digits export-png`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import data_options, load_data, progress_bar, quiet_option, split_option


@click.command("export-png", short_help="Write a data set as PNG files.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@data_options(multiple=False)
@split_option("all")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The first N of each part only.")
@click.option(
    "--ink",
    type=click.Choice(["dark", "light"]),
    default="dark",
    show_default=True,
    help="Dark ink on white, or light ink on black.",
)
@click.option(
    "--mode",
    type=click.Choice(["L", "RGBA"]),
    default="L",
    show_default=True,
    help="Grey, or ink on a transparent ground.",
)
@click.option(
    "--name",
    default="{split}/{index:05d}_{label}.png",
    show_default=True,
    metavar="TEMPLATE",
    help="Name of each file.",
)
@click.option("--overwrite", is_flag=True, help="Write into a folder that already holds files.")
@quiet_option
def command(
    folder: Path, data: str, data_dir: Path | None, split: str, limit: int | None, **options: Any
) -> None:
    """Write a data set to FOLDER as PNG files; `digits ingest` reads them back bit for bit."""
    from ..data.export import export_png

    splits = load_data([data], data_dir)[0]
    with progress_bar("writing", sum(map(len, splits))) as advance:
        count = export_png(
            splits,
            folder,
            split=None if split == "all" else split,
            limit=limit,
            progress=advance,
            **options,
        )
    click.echo(f"wrote {count:,} pictures of {splits.name} into {folder}")
