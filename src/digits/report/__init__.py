"""A report on models as one page that opens offline, with its pictures and numbers beside it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset, Indices
from ..errors import OutputError
from ..evaluation import Probabilities, misread
from ..files import write_bytes
from .chapter import Chapter
from .page import html
from .pictures import drawn, shown_in_grid

__all__ = ["Chapter", "write_report"]


def write_report(
    folder: str | os.PathLike[str], chapters: Sequence[Chapter], datasets: Sequence[Dataset]
) -> Path:
    """Write `report.html`, `report.json` and the pictures as PNG files; gives the page's path.

    chapters: one for each model. datasets: those that all of them were scored on, in order.
    The folder is made when it is missing. Files of an earlier report in it are replaced, others
    never: raises OutputError, before anything is written, when one has a name that is needed.
    """
    folder = Path(folder)
    pictures = drawn(chapters, datasets)
    needed = ["report.json", "report.html", *(p.file for p in pictures.values())]
    earlier = _earlier_files(folder)
    for name in needed:
        if name not in earlier and (folder / name).exists():
            raise OutputError(
                f"{folder} holds a {name} that is not of an earlier report",
                "Choose another folder, or move that file away",
            )
    maker = f"digits {version('digits')}"
    files = needed + [name for name in earlier if name not in needed and (folder / name).exists()]
    numbers = {"made_by": maker, "files": files, "models": _numbers(chapters, datasets)}
    text = json.dumps(_plain(numbers), indent=1, allow_nan=False)
    page = html(chapters, pictures, maker)
    # The numbers first: they name the files that a later report may replace.
    write_bytes(folder / "report.json", f"{text}\n".encode())
    for picture in pictures.values():
        write_bytes(folder / picture.file, picture.content)
    write_bytes(folder / "report.html", page)
    return folder / "report.html"


def _numbers(chapters: Sequence[Chapter], datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    models = []
    for chapter in chapters:
        numbers = chapter.evaluation.to_json()
        for entry, data, given in zip(
            numbers["data"], datasets, chapter.evaluation.probabilities, strict=True
        ):
            entry["grid"] = _answers(data, given, shown_in_grid(len(data)))
            entry["misread"] = _answers(data, given, misread(data.labels, given))
        numbers["history"] = list(chapter.history)
        numbers["metadata"] = {k: v for k, v in chapter.metadata.items() if k != "history"}
        models.append(numbers)
    return models


def _answers(data: Dataset, given: Probabilities, indices: Indices) -> list[dict[str, Any]]:
    return [
        {
            "index": int(i),
            "label": int(data.labels[i]),
            "answer": int(given[i].argmax()),
            "confidence": float(given[i].max()),
        }
        for i in indices
    ]


def _earlier_files(folder: Path) -> list[str]:
    """The names that an earlier report lists as its own; none when there is no such report."""
    try:
        numbers = json.loads((folder / "report.json").read_bytes())
        ours = numbers["made_by"].startswith("digits ")
        return [str(name) for name in numbers["files"]] if ours else []
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _plain(value: Any) -> Any:
    """`value` as JSON knows it: NaN and infinity become None, unknown things their text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
