"""Write the command reference of README.md from what `--help` knows.

    python tools/readme.py [--check]

With --check, only tell whether it is up to date: exit status 1 when it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from digits.cli import main as digits

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- commands: make docs -->\n", "<!-- end of commands -->"


def reference() -> str:
    """One section for each command: its line of usage, what it does, a table of its options."""
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
        what = " ".join((command.help or "").split("\n\n")[0].split())
        yield f"### `{inner.command_path}`\n\n`{usage}`\n\n{what}\n"
        yield "| option | what it does |\n|---|---|"
        yield from (_row(p) for p in command.params if isinstance(p, click.Option))
        yield ""


def _row(option: click.Option) -> str:
    """One line of the table; made here, since what `--help` prints varies with click's version."""
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
    before, rest = old.split(START)
    after = rest.split(END)[1]
    new = before + START + "\n" + reference() + "\n" + END + after
    if "--check" in sys.argv:
        sys.exit("README.md is stale: run `make docs`" if new != old else 0)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
