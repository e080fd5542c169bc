"""`digits data`: info, show, plot, join."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import IO, Any

import click

from .common import (
    data_options,
    load_data,
    new_file,
    output_options,
    overwrite_option,
    quiet_option,
    result_stream,
    split_option,
    write_records,
)


@click.group("data", short_help="Look into data sets, draw them, join them.")
def command() -> None:
    """Look into data sets, draw them, join them.

    DATA is auto, mnist, sample, or a path: npz, csv, a folder of idx files or of pictures.
    """


@command.command("info")
@data_options()
@output_options("text", "json", "jsonl")
@quiet_option
def info(
    data: tuple[str, ...], data_dir: Path | None, fmt: str, output: Path | None, overwrite: bool
) -> None:
    """Tell sizes, counts of each digit, range, fingerprint and duplicates."""
    from ..data.inspect import describe

    records = [describe(splits) for splits in load_data(data, data_dir)]
    with result_stream(output, overwrite) as stream:
        if fmt == "text":
            for record in records:
                _write_info(record, stream)
        else:
            write_records(records, fmt, stream)


def _write_info(record: dict[str, Any], stream: IO[str]) -> None:
    stream.write(f"{record['name']}\n")
    for name, part in record["parts"].items():
        counts = "  ".join(f"{digit}: {n:,}" for digit, n in part["counts"].items())
        stream.write(
            f"  {name}\n"
            f"    pictures     {part['pictures']:,} of 28×28, values {part['lowest']} to "
            f"{part['highest']}, mean {part['mean']:.1f}\n"
            f"    digits       {counts}\n"
            f"    duplicates   {part['duplicates']:,} of a picture before\n"
            f"    fingerprint  {part['fingerprint']}\n"
        )
    if record["shared"] is not None:
        stream.write(f"  in train and in test: {record['shared']:,} pictures\n")


@command.command("show")
@data_options(multiple=False)
@split_option("all")
@click.option("--index", type=click.IntRange(0), multiple=True, metavar="N", help="Picture N.")
@click.option(
    "--label", type=click.IntRange(0, 9), multiple=True, metavar="D", help="Only digit D."
)
@click.option(
    "--count", type=click.IntRange(1), default=20, show_default=True, help="At most so many."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Draw into FILE.png.",
)
@overwrite_option
@quiet_option
def show(
    data: str,
    data_dir: Path | None,
    split: str,
    index: tuple[int, ...],
    label: tuple[int, ...],
    count: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Show pictures in the terminal, or with -o in a PNG file."""
    from ..data.inspect import choose

    dataset, indices = choose(load_data([data], data_dir)[0].part(split), index, label, count)
    if output is None:
        from ..terminal import render, takes_blocks

        captions = [f"{i}: {d}" for i, d in zip(indices, dataset.labels, strict=True)]
        width = shutil.get_terminal_size().columns
        click.echo(
            render(dataset.images, captions, width=width, ascii_only=not takes_blocks(sys.stdout))
        )
        return
    from .. import plots
    from ..files import refuse_existing

    refuse_existing(output, overwrite)
    titles = [f"{d} (no. {i})" for i, d in zip(indices, dataset.labels, strict=True)]
    plots.save(plots.grid(dataset.images, titles), output)
    click.echo(f"drew {len(dataset):,} pictures of {dataset.name} into {output}")


@command.command("plot")
@data_options(multiple=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    default="counts.png",
    show_default=True,
    help="Draw into FILE.png.",
)
@overwrite_option
@quiet_option
def plot(data: str, data_dir: Path | None, output: Path, overwrite: bool) -> None:
    """Draw how many pictures of each digit there are."""
    from .. import plots
    from ..files import refuse_existing

    refuse_existing(output, overwrite)
    splits = load_data([data], data_dir)[0]
    plots.save(plots.counts(splits), output)
    click.echo(f"drew the counts of {splits.name} into {output}")


@command.command("join")
@click.argument("sets", nargs=-1, required=True, metavar="DATA...")
@new_file("FILE.npz")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Look for MNIST here first; download it to here.",
)
@quiet_option
def join(sets: tuple[str, ...], output: Path, data_dir: Path | None, overwrite: bool) -> None:
    """Join data sets: train with train, test with test, sets without parts with such sets."""
    from ..data.dataset import joined_splits
    from ..data.readers import check_npz_output, save_npz

    check_npz_output(output, overwrite)
    splits = joined_splits(load_data(sets, data_dir), output.name)
    save_npz(splits, output)
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in splits.parts.items())
    click.echo(f"wrote {output}: {sizes}")
