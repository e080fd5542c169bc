"""Progress bars on stderr, which only a person at a terminal sees."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click


def is_live() -> bool:
    """Whether stderr is a terminal and progress was not switched off."""
    quiet = click.get_current_context().meta.get("quiet", False)
    return bool(sys.stderr.isatty() and not quiet)


@contextlib.contextmanager
def progress_bar(
    label: str, count: Callable[[], int] | None = None, *, hidden: bool = False
) -> Iterator[Callable[[int], None]]:
    """A progress bar; yields a function to call with the number of items newly done.

    Args:
        label: What is being done.
        count: Gives the number of all items; called only if there is a bar.
        hidden: Whether there is none.
    """
    if hidden or not is_live():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=count() if count else None)
        yield lambda done: progress.advance(task, done)


@contextlib.contextmanager
def download_bar() -> Iterator[Callable[[int], Callable[[int], None]] | None]:
    """A bar for a download of MNIST, should one begin; yields the `progress` argument of `load`."""
    if not is_live():
        yield None
        return
    with contextlib.ExitStack() as stack:

        def begin(total: int) -> Callable[[int], None]:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            columns = (TextColumn("downloading MNIST"), BarColumn(), DownloadColumn())
            progress = stack.enter_context(
                Progress(*columns, console=Console(stderr=True), transient=True)
            )
            task = progress.add_task("", total=total)
            return lambda count: progress.advance(task, count)

        yield begin
