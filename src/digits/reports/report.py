"""A report on models: one HTML page that opens offline, with its figures and numbers beside it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._io.files import write_bytes, write_text
from .._io.folders import filling
from ..data.dataset import Dataset, Indices
from ..errors import OutputError
from ..evaluation.evaluate import Evaluation
from ..evaluation.metrics import Probabilities, misread
from .figures import examples, report_figures
from .page import html


def write_report(folder: str | os.PathLike[str], evaluations: Sequence[Evaluation]) -> Path:
    """Write `report.html`, `report.json` and the figures as PNG files.

    Args:
        folder: Where to write them; created if missing. Files of an earlier report in it are
            replaced, others never.
        evaluations: One per model.

    Returns:
        The path of the page.

    Raises:
        OutputError: A file of another origin has one of the names, which is checked before
            anything is written; or writing fails.
    """
    folder = Path(folder)
    figures = report_figures(evaluations)
    needed = ["report.json", "report.html", *(figure.file for figure in figures.values())]
    earlier = _earlier_files(folder)
    for name in needed:
        if name not in earlier and (folder / name).exists():
            raise OutputError(
                "the file exists already and is not part of an earlier report",
                "Choose another folder, or move the file away",
                folder / name,
            )
    generator = f"digits {version('digits')}"
    files = needed + [name for name in earlier if name not in needed and (folder / name).exists()]
    numbers = {"made_by": generator, "files": files, "models": [*map(_numbers, evaluations)]}
    text = json.dumps(_plain(numbers), indent=1, allow_nan=False)
    with filling(folder, overwrite=True) as stage:
        write_text(stage / "report.json", f"{text}\n")
        for figure in figures.values():
            write_bytes(stage / figure.file, figure.content)
        write_bytes(stage / "report.html", html(evaluations, figures, generator))
    return folder / "report.html"


def _numbers(evaluation: Evaluation) -> dict[str, Any]:
    numbers = evaluation.to_json()
    rows = zip(numbers["data"], evaluation.data, evaluation.probabilities, strict=True)
    for entry, data, probabilities in rows:
        entry["grid"] = _predictions(data, probabilities, examples(len(data)))
        entry["misread"] = _predictions(data, probabilities, misread(data.labels, probabilities))
    numbers["metadata"] = evaluation.metadata and evaluation.metadata.to_json()
    return numbers


def _predictions(
    data: Dataset, probabilities: Probabilities, indices: Indices
) -> list[dict[str, Any]]:
    return [
        {
            "index": int(i),
            "label": int(data.labels[i]),
            "predicted": int(probabilities[i].argmax()),
            "confidence": float(probabilities[i].max()),
        }
        for i in indices
    ]


def _earlier_files(folder: Path) -> list[str]:
    """The names that an earlier report lists as its own; none if there is no such report."""
    try:
        numbers = json.loads((folder / "report.json").read_bytes())
        ours = numbers["made_by"].startswith("digits ")
        return [str(name) for name in numbers["files"]] if ours else []
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _plain(value: Any) -> Any:
    """`value` as JSON has it: NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
