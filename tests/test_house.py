"""The plan of the house: who may import whom, and what a light command must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import digits

SOURCE = Path(digits.__file__).parent
FLOORS = [
    {"errors"},
    {"files", "quiet", "parallel"},
    {"pictures"},
    {"data"},
    {"models"},
    {"judge"},
    {"recognizer", "evaluation"},
    {"reader"},
    {"training"},
    {"plots", "terminal", "sketch", "records"},
    {"report", "web"},
    {"cli"},
]
HEAVY = ("tensorflow", "keras", "matplotlib", "sklearn", "pandas", "scipy", "fastapi", "uvicorn")


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _floor(room: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def _imports(path: Path) -> set[str]:
    """The rooms that a module imports, with relative imports resolved."""
    package = path.relative_to(SOURCE.parent).with_suffix("").parts[:-1]
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + tuple((node.module or "").split("."))
            names = [base] if len(base) > 1 and base[1] else [(*base, a.name) for a in node.names]
            rooms |= {[part for part in name if part][1] for name in names}
    return rooms


def test_rooms_import_only_from_floors_below() -> None:
    modules = [p for p in SOURCE.rglob("*.py") if p.parent != SOURCE or _room(p)[:2] != "__"]
    assert len(modules) > 20
    wrong = [
        f"{path.relative_to(SOURCE)} imports {room}"
        for path in modules
        for room in _imports(path) - {_room(path)}
        if _floor(room) >= _floor(_room(path))
    ]
    assert not wrong


def _loaded(*args: object, cwd: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "digits", *map(str, args)],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines() if "|" in line}


def test_importing_the_package_is_light() -> None:
    code = f"import digits, sys; print([m for m in {(*HEAVY, 'numpy')!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert set(digits.__all__) <= set(dir(digits)) | set(digits._HOME)


def test_light_commands_stay_light(models: dict[str, Path], tmp_path: Path) -> None:
    model = models["dense"]
    allowed = {"plot": {"matplotlib"}, "show": {"matplotlib"}, "--report": {"matplotlib"}}
    for args in (
        ("--help",),
        ("--version",),
        ("train", "--help"),
        ("export-png", "pictures", "--data", "sample", "--limit", 2),
        ("predict", "pictures", "--model", model),
        ("ingest", "pictures", "-o", "a.npz"),
        ("eval", "--model", model, "--data", "sample", "--limit", 50),
        ("eval", "--model", model, "--data", "sample", "--limit", 50, "--report", "r"),
        ("models",),
        ("info", model),
        ("data", "info", "--data", "sample"),
        ("data", "show", "--data", "sample"),
        ("data", "plot", "--data", "sample"),
        ("data", "join", "sample", "sample", "-o", "b.npz"),
    ):
        loaded = {name.split(".")[0] for name in _loaded(*args, cwd=tmp_path)}
        may = set().union(*(allowed.get(str(arg), set()) for arg in args))
        assert loaded.isdisjoint(set(HEAVY) - may), args
        if args[0] in ("--help", "--version"):
            assert "numpy" not in loaded


def test_the_readme_knows_every_option() -> None:
    tool = SOURCE.parents[1] / "tools" / "readme.py"
    if not tool.is_file():
        pytest.skip("needs a checkout: tools/readme.py is not installed")
    done = subprocess.run(
        [sys.executable, tool, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_errors_are_two_sentences() -> None:
    """What, where. What to do. Neither half ends in a full stop of its own."""
    found = 0
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if re.fullmatch(r"(Data|Picture|Model|Output|Digits)Error", name):
                found += 1
                for argument in node.args:
                    text = argument.value if isinstance(argument, ast.Constant) else ""
                    assert not str(text).endswith("."), f"{path.name}: {text}"
    assert found > 20
