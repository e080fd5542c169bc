"""`digits ingest`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._io.text import printable
from .messages import fail
from .options import PATH, ink_option, new_file_options, quiet_option, seed_option, transpose_option
from .progress import progress_bar

if TYPE_CHECKING:
    from ..ingest.doubts import Doubt

log = logging.getLogger(__name__)

_MAX_WARNINGS = 20  # as many as fit on a screen


@click.command("ingest", short_help="Make a data set of your own picture files.")
@click.argument("sources", nargs=-1, required=True, type=PATH, metavar="FOLDER...")
@new_file_options("FILE.npz")
@click.option(
    "--pattern", metavar="PATTERN",
    help="Where the label appears in each path: a template such as {index}_{label}.png or "
    "{label}/*, or a regular expression with a group (?P<label>…).",
)  # fmt: skip
@click.option(
    "--labels", "labels_csv", type=PATH, metavar="FILE.csv",
    help="Read the labels from the columns filename,label of FILE.csv.",
)  # fmt: skip
@ink_option
@transpose_option
@click.option(
    "--shuffle/--no-shuffle", default=False, show_default=True,
    help="Shuffle the pictures instead of keeping file order.",
)  # fmt: skip
@seed_option("the order and the test split")
@click.option(
    "--test-fraction", metavar="FRACTION",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Fraction of each digit to hold out as a test split.",
)  # fmt: skip
@click.option(
    "--sheet", type=PATH, metavar="FILE.png",
    help="Draw a contact sheet of the labeled pictures, doubtful ones outlined in red. Beyond "
    "10,000 pictures, only the doubtful ones and a sample are drawn.",
)  # fmt: skip
@click.option(
    "--strict", is_flag=True,
    help="Do not write the data set if a file is left out or a label is doubtful.",
)  # fmt: skip
@quiet_option
def command(
    sources: tuple[Path, ...],
    output: Path,
    overwrite: bool,
    sheet: Path | None,
    strict: bool,
    **options: Any,
) -> int:
    """Make a data set of labeled picture files.

    FOLDER is a folder of pictures, a single file, or a quoted glob. Each picture is preprocessed as
    for `digits predict`. Labels are taken from folders named as digits (7, seven,
    class_7), from file names (7_1558.png, 0012_7.png, seven_12.png), or from a CSV file. Each page
    of a PDF or TIFF file is a picture.

    Files that cannot be read or have no label are reported and left out. Pictures that are
    recognized as no digit, or clearly as another digit than their label, are reported too, but
    taken in. So is what seems to be wrong with all of them together, such as labels in disorder.

    \b
    Examples:
      digits ingest scans -o data/mine.npz
      digits ingest scans -o data/mine.npz --sheet sheet.png --test-fraction 0.2
      digits ingest photos -o data/mine.npz --labels labels.csv --strict
    """
    from ..data.formats.npz import npz_output
    from ..ingest.contact_sheet import check_sheet_output, save_contact_sheet
    from ..ingest.pictures import ingest

    if sheet:
        check_sheet_output(sheet, overwrite)
    with npz_output(output, overwrite) as save:
        with progress_bar("reading") as advance:
            result = ingest(sources, progress=advance, **options)
        for error in result.rejected:
            fail(error)
        _warn(result.doubts)
        if sheet:
            save_contact_sheet(result, sheet, overwrite=overwrite)
        for problem, remedy in result.flaws:
            log.warning("%s: %s. %s", result.dataset.name, problem, remedy)
        left_out, doubtful = len(result.rejected), len(result.doubts)
        if strict and (left_out or doubtful):
            counts = f"left out {left_out:,}, doubtful {doubtful:,}"
            fail(f"{printable(output)}: not written: {counts}. Correct them, or omit --strict.")
            return 1
        save(result.splits)
    more = f"; left out {left_out:,}" if left_out else ""
    more += f"; doubtful {doubtful:,}" if doubtful else ""
    counts = ", ".join(f"{digit}: {n:,}" for digit, n in enumerate(result.dataset.counts))
    click.echo(
        f"wrote {printable(output)}: {result.splits.sizes}{more}\n"
        f"labels from {printable(result.labels_from)}: {counts}"
    )
    return 1 if left_out else 0


def _warn(doubts: tuple[Doubt, ...]) -> None:
    from ..reports.wording import looks_like

    for path, label, prediction in doubts[:_MAX_WARNINGS]:
        log.warning("%s: labeled %s, %s", path, label, looks_like(prediction))
    if len(doubts) > _MAX_WARNINGS:
        more = len(doubts) - _MAX_WARNINGS
        log.warning("%s more labels are doubtful; --sheet shows all", f"{more:,}")
