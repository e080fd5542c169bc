"""The HTML page of a report."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..evaluation.evaluate import Evaluation
from .figures import Key, ReportFigure

_MAX_FACT = 400  # characters; the metadata of other people's models may be anything


def html(
    evaluations: Sequence[Evaluation], figures: Mapping[Key, ReportFigure], generator: str
) -> bytes:
    """The page in UTF-8: without scripts or external resources, and with all names escaped.

    Args:
        evaluations: One per model.
        figures: As `report_figures` returns them.
        generator: Name and version of the program.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits", "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "data_uri": _data_uri}
    page = environment.get_template("report.html.j2").render(
        models=[(evaluation, list(_all_facts(evaluation))) for evaluation in evaluations],
        figures=figures,
        generator=generator,
    )
    # File names may contain bytes that are not UTF-8.
    return page.encode("utf-8", "replace")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _data_uri(figure: ReportFigure) -> str:
    return "data:image/png;base64," + base64.b64encode(figure.content).decode()


def _all_facts(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    if evaluation.path:
        yield "file", str(evaluation.path)
    if evaluation.metadata:
        yield from _facts(evaluation.metadata.to_json())


def _facts(metadata: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, str]]:
    """Nested metadata as (name, text) without the history and what is None."""
    for key, value in metadata.items():
        name = (f"{parent}: {key}" if parent else str(key)).replace("_", " ")
        if isinstance(value, Mapping):
            yield from _facts(value, name)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            if name != "history":
                for item in value:
                    yield from _facts(item, name)
        elif value not in (None, (), []):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            yield name, text if len(text) <= _MAX_FACT else text[:_MAX_FACT] + "…"
