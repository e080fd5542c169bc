"""`digits data`: info, show, plot, join."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import IO, Any

import click

from .._io.text import printable
from .loader import Loader
from .options import (
    data_options,
    loading_options,
    new_file_options,
    output_option,
    overwrite_option,
    quiet_option,
    result_options,
    split_option,
)
from .output import result_stream, write_records


@click.group("data", short_help="Inspect, show, plot and join data sets.")
def command() -> None:
    """Inspect, show, plot and join data sets."""


@command.command("info")
@data_options()
@result_options("text", "json", "jsonl")
@quiet_option
def info(
    data: tuple[str, ...], loader: Loader, fmt: str, output: Path | None, overwrite: bool
) -> None:
    """Show sizes, counts of each digit, value range, duplicates and fingerprint.

    \b
    Examples:
      digits data info --data sample
      digits data info --data mine.npz --data scans --format json
    """
    from ..data.inspect import describe

    records = [describe(splits) for splits in loader.load(data)]
    with result_stream(output, overwrite) as stream:
        if fmt == "text":
            for record in records:
                _write_info(record, stream)
        else:
            write_records(records, fmt, stream)


def _write_info(record: dict[str, Any], stream: IO[str]) -> None:
    stream.write(f"{printable(record['name'])}\n")
    for name, part in record["parts"].items():
        counts = "  ".join(f"{digit}: {n:,}" for digit, n in part["counts"].items())
        stream.write(
            f"  {name}\n"
            f"    pictures     {part['pictures']:,} of 28×28, values {part['lowest']} to "
            f"{part['highest']}, mean {part['mean']:.1f}\n"
            f"    digits       {counts}\n"
            f"    duplicates   {part['duplicates']:,}\n"
            f"    fingerprint  {part['fingerprint']}\n"
        )
    if record["shared"] is not None:
        stream.write(f"  in train and in test: {record['shared']:,} pictures\n")


@command.command("show")
@data_options(multiple=False)
@split_option("all")
@click.option(
    "--index", type=click.IntRange(0), multiple=True, metavar="N",
    help="Show picture N, from 0. Repeatable.",
)  # fmt: skip
@click.option(
    "--label", type=click.IntRange(0, 9), multiple=True, metavar="D",
    help="Show only pictures of the digit D. Repeatable.",
)  # fmt: skip
@click.option(
    "--count", type=click.IntRange(1), default=20, show_default=True, metavar="N",
    help="Maximum number of pictures.",
)  # fmt: skip
@output_option("FILE.png", "Draw them in FILE.png instead of the terminal.")
@overwrite_option
@quiet_option
def show(
    data: str,
    loader: Loader,
    split: str,
    index: tuple[int, ...],
    label: tuple[int, ...],
    count: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Show pictures with their labels in the terminal, or in a PNG file.

    \b
    Examples:
      digits data show --data sample --label 7
      digits data show --data mine.npz --count 100 -o mine.png
    """
    from ..data.inspect import choose

    dataset, indices = choose(loader.load([data])[0].part(split), index, label, count)
    if output is None:
        from ..reports.terminal import render, supports_blocks

        captions = [f"{i}: {d}" for i, d in zip(indices, dataset.labels, strict=True)]
        width = shutil.get_terminal_size().columns
        ascii_only = not supports_blocks(sys.stdout)
        click.echo(render(dataset.images, captions, width=width, ascii_only=ascii_only))
        return
    from .._io.files import refuse_existing
    from ..reports import plots

    refuse_existing(output, overwrite)
    titles = [f"{d} (no. {i})" for i, d in zip(indices, dataset.labels, strict=True)]
    plots.save(plots.grid(dataset.images, titles), output, overwrite=overwrite)
    click.echo(
        f"drew {len(dataset):,} pictures of {printable(dataset.name)} in {printable(output)}"
    )


@command.command("plot")
@data_options(multiple=False)
@output_option("FILE.png", "Draw the plot in FILE.png.", default=Path("counts.png"))
@overwrite_option
@quiet_option
def plot(data: str, loader: Loader, output: Path, overwrite: bool) -> None:
    """Plot the number of pictures of each digit.

    \b
    Examples:
      digits data plot --data mine.npz -o counts.png
    """
    from .._io.files import refuse_existing
    from ..reports import plots

    refuse_existing(output, overwrite)
    splits = loader.load([data])[0]
    plots.save(plots.counts(splits), output, overwrite=overwrite)
    click.echo(f"drew the counts of {printable(splits.name)} in {printable(output)}")


@command.command("join")
@click.argument("sets", nargs=-1, required=True, metavar="DATA...")
@new_file_options("FILE.npz")
@loading_options
@quiet_option
def join(sets: tuple[str, ...], output: Path, loader: Loader, overwrite: bool) -> None:
    """Join data sets part by part: train with train, test with test, unsplit with unsplit.

    DATA is a name or path, as for --data of the other commands.

    \b
    Examples:
      digits data join sample mine.npz -o both.npz
    """
    from ..data.dataset import joined_splits
    from ..data.formats.npz import npz_output

    with npz_output(output, overwrite) as save:
        splits = joined_splits(loader.load(sets), output.name)
        save(splits)
    click.echo(f"wrote {printable(output)}: {splits.sizes}")
