"""Write the tables of presets and commands of README.md, from the presets and the commands.

    python tools/readme.py [--check]

With --check, change nothing; exit status 1 if README.md is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from digits.cli import main as digits
from digits.cli._train_table import duration
from digits.training.presets import PRESETS

README = Path(__file__).parents[1] / "README.md"


def recipes() -> str:
    """A table of the presets of all families."""
    lines = ["| model | preset | source | MNIST test | time to fit |\n|---|---|---|---|---|"]
    for family, presets in PRESETS.items():
        for name in sorted(presets, key=lambda name: presets[name].estimated_seconds(60_000)):
            recipe = presets[name]
            lines.append(
                f"| {family} | `{name}` | {recipe.source} | {_percent(recipe.test_accuracy)} | "
                f"{duration(recipe.estimated_seconds(60_000 + recipe.generated_digits))} |"
            )
    return "\n".join(lines) + "\n"


def _percent(accuracy: float | None) -> str:
    return "not measured" if accuracy is None else f"{accuracy:.1%}"


def reference() -> str:
    """One section for each command: its line of usage, what it does, and a table of its options."""
    return "\n".join(_sections(digits, click.Context(digits, info_name="digits")))


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _sections(command, inner)
            continue
        arguments = [str(p.metavar) for p in command.params if isinstance(p, click.Argument)]
        usage = " ".join([inner.command_path, "[OPTIONS]", *arguments])
        summary = " ".join((command.help or "").split("\n\n")[0].split())
        yield f"### `{inner.command_path}`\n\n`{usage}`\n\n{summary}\n"
        yield "| option | effect |\n|---|---|"
        yield from (_row(p) for p in command.params if isinstance(p, click.Option))
        yield ""


def _row(option: click.Option) -> str:
    """One line of the table; made here, since the output of `--help` depends on Click's version."""
    names = ", ".join(option.opts) + "".join(f" / {name}" for name in option.secondary_opts)
    value = option.metavar or ""
    if isinstance(option.type, click.Choice):
        value = "\\|".join(option.type.choices)
    text = " ".join((option.help or "").split())
    if option.show_default and not option.secondary_opts:
        text += f" [default: {option.default}]"
    return f"| `{names}{' ' if value else ''}{value}` | {text} |"


def main() -> None:
    """Rewrite README.md, or check it."""
    old = README.read_text(encoding="utf-8")
    new = old
    for name, text in (("recipes", recipes()), ("commands", reference())):
        start, end = f"<!-- {name}: make docs -->\n", f"<!-- end of {name} -->"
        before, rest = new.split(start)
        new = before + start + "\n" + text + "\n" + end + rest.split(end)[1]
    if "--check" in sys.argv:
        sys.exit("README.md is out of date: run `make docs`" if new != old else 0)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
