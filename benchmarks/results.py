"""Keep what a benchmark measured, with its date, machine and versions, and write RESULTS.md.

Every benchmark prints its table as it goes; with `--save` it also keeps it as `results/NAME.json`,
from which RESULTS.md and the model card are made.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent
PACKAGES = ("digits", "tensorflow", "keras", "numpy", "ai-edge-litert", "opencv-python-headless")

INTRODUCTION = """\
# What was measured

Made by the commands named here with `--save`; do not edit by hand. Each table has its own date and
machine; figures of different tables may come from different hours of a shared machine, so compare
within a table. MNIST's test pictures were scored once for each training and chose nothing.
"""


class Table:
    """Rows of one benchmark, printed as Markdown at once and kept when asked to."""

    def __init__(self, name: str, title: str, columns: list[str], keep: bool) -> None:
        self.name, self.title, self.columns, self.keep = name, title, columns, keep
        self.rows: list[list[str]] = []
        print(_line(columns), _line(["---"] * len(columns)), sep="\n", flush=True)

    def row(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])
        print(_line(self.rows[-1]), flush=True)

    def done(self, note: str = "", versions: dict[str, str] | None = None) -> None:
        """The last row is in; note: what a reader of the table must know."""
        if not self.keep:
            return
        kept = {
            "title": self.title,
            "command": _command(),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine(),
            "versions": _versions() | (versions or {}),
            "note": note,
            "columns": self.columns,
            "rows": self.rows,
        }
        path = PLACE / "results" / f"{self.name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        write_report()


def save_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", action="store_true", help="keep the table for RESULTS.md")


def kept(name: str) -> dict[str, Any] | None:
    """What `NAME.json` holds, if it was ever measured."""
    path = PLACE / "results" / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def write_report() -> None:
    """RESULTS.md from all that was kept."""
    parts = [INTRODUCTION]
    for path in sorted((PLACE / "results").glob("*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        versions = ", ".join(f"{name} {number}" for name, number in one["versions"].items())
        parts += [
            f"## {one['title']}\n",
            f"`{one['command']}`, {one['date']}, on {one['machine']}; {versions}.\n",
            markdown(one),
        ]
    (PLACE / "RESULTS.md").write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def markdown(measured: dict[str, Any]) -> str:
    """The table of what `kept` returned, and its note."""
    columns = measured["columns"]
    lines = [_line(cells) for cells in (columns, ["---"] * len(columns), *measured["rows"])]
    note = f"\n{measured['note']}\n" if measured["note"] else ""
    return "\n".join(lines) + "\n" + note


def machine() -> str:
    """The processor and how many cores of it are ours."""
    name = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.is_file():
        found = re.search(r"model name\s*: (.*)", cpus.read_text(encoding="utf-8"))
        name = found[1] if found else name
    return f"{os.cpu_count()} cores of {name}, {platform.system()}"


def _versions() -> dict[str, str]:
    known = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known


def _command() -> str:
    """As typed in the project's folder, without the places of this machine."""
    words = [_word(word) for word in sys.argv[1:]]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


def _word(word: str) -> str:
    return "FOLDER" if Path(word).is_dir() else Path(word).name


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
