"""Work in a child process: its result, its error, or that it died."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.errors import ModelError
from digits.models import child
from models import child_work


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(child_work.__file__).parents[1]))


def _run(work: str, folder: Path, timeout: float = 60) -> Path:
    source, target = folder / "source", folder / "target"
    source.write_text(work)
    child.run("models.child_work", source, target, timeout, "the work failed")
    return target


def test_its_result(tmp_path: Path) -> None:
    assert _run("good", tmp_path).read_text() == "done"


def test_its_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        _run("refused", tmp_path)
    assert str(caught.value) == f"{tmp_path / 'source'}: it is refused. Try another."


@pytest.mark.parametrize("work", ["exception", "crash", "nothing"])
def test_that_it_died(work: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"source: the work failed \(the process crashed\)"):
        _run(work, tmp_path)


def test_that_it_never_ends(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"source: the work failed \(timeout\)"):
        _run("hang", tmp_path, timeout=0.2)
