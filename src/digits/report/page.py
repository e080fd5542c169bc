"""The page of a report: what its template is given."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .chapter import Chapter
from .pictures import Key, Picture

_LONGEST_FACT = 400  # characters; metadata of other people's models may be anything


def html(chapters: Sequence[Chapter], pictures: Mapping[Key, Picture], maker: str) -> bytes:
    """The page in UTF-8: no scripts, nothing loaded from anywhere, all names escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "embedded": _embedded}
    page = environment.get_template("report.html.j2").render(
        models=[
            {
                "name": chapter.evaluation.model,
                "evaluation": chapter.evaluation,
                "facts": list(_facts({"file": chapter.evaluation.path} | dict(chapter.metadata))),
            }
            for chapter in chapters
        ],
        title=_title([chapter.evaluation.model for chapter in chapters]),
        pictures=pictures,
        maker=maker,
    )
    # Names of files may hold what UTF-8 cannot say.
    return page.encode("utf-8", "replace")


def _title(models: Sequence[str]) -> str:
    *first, last = models
    several = f"How well {', '.join(first)} and {last} read digits"
    return several if first else f"How well {last} reads digits"


def _percent(share: float | None, digits: int = 2) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def _embedded(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.content).decode()


def _facts(metadata: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested metadata as (name, text) lines; what is unknown (None) and the epochs are left out."""
    for key, value in metadata.items():
        name = (f"{above}: {key}" if above else str(key)).replace("_", " ")
        if isinstance(value, Mapping):
            yield from _facts(value, name)
        elif value is not None and key != "history":
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            yield name, text if len(text) <= _LONGEST_FACT else text[:_LONGEST_FACT] + "…"
