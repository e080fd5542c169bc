"""`digits ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import fail, ink_option, new_file, progress_bar, quiet_option, seed_option


@click.command("ingest", short_help="Make a data set of your own picture files.")
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER..."
)
@new_file("FILE.npz")
@click.option(
    "--pattern",
    metavar="PATTERN",
    help="Where the label stands in the file names: a template such as {index}_{label}.png, "
    "or a regular expression with a group (?P<label>…).",
)
@click.option(
    "--labels",
    "labels_csv",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Take the labels from the columns filename,label of FILE.csv.",
)
@ink_option
@click.option(
    "--shuffle/--no-shuffle",
    default=False,
    show_default=True,
    help="Mix the order of the pictures.",
)
@seed_option("the order and the test part")
@click.option(
    "--test-fraction",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Put this share of each digit into a test part.",
)
@click.option("--strict", is_flag=True, help="Write nothing when a file has to be left out.")
@quiet_option
def command(sources: tuple[Path, ...], output: Path, overwrite: bool, **options: Any) -> int:
    """Make a data set of the pictures in each FOLDER (or single files).

    Labels come from folders named 0 to 9, from file names (7_1558.png or 0012_7.png), or from a
    csv. Each picture becomes 28×28 as for `digits predict`. Files that cannot be read or have no
    label are listed and left out.
    """
    from ..data.ingest import ingest
    from ..data.readers import check_npz_output, save_npz

    check_npz_output(output, overwrite)
    with progress_bar("reading") as advance:
        result = ingest(list(sources), progress=advance, **options)
    for path, reason in result.rejected:
        fail(f"{path} was left out: {reason}")
    save_npz(result.splits, output)
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in result.splits.parts.items())
    left = f"; {len(result.rejected):,} files left out" if result.rejected else ""
    click.echo(f"wrote {output}: {sizes}{left}")
    return 1 if result.rejected else 0
