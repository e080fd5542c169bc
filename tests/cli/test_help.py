"""`--help` of every command, and `--version`."""

from __future__ import annotations

from importlib.metadata import version

import click
import pytest

from commands import Run
from digits.cli import main


def names(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    """The words that call each command below `group`."""
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = names(command, *above, name) if isinstance(command, click.Group) else []
        found += below or [(*above, name)]
    return found


def test_the_overview_lists_the_commands(run: Run) -> None:
    done = run("-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("--help").stdout
    for name in main.list_commands(click.Context(main)):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("words", names(main), ids=" ".join)
def test_every_command_explains_itself_with_an_example(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    usage, _, examples = done.stdout.partition("\n  Example")
    assert f" {' '.join(words)} [OPTIONS]" in usage.splitlines()[0]
    assert f"    digits {' '.join(words)}" in examples


def test_version(run: Run) -> None:
    assert run("--version").stdout.startswith(f"digits {version('digits')}")


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    done = run("nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonsense" in done.stderr
