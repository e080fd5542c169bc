"""Many pictures in several processes, which both the recognizer and the reader do alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from .._io.files import read_error
from .._io.workers import map_chunks
from ..data.formats import csv
from ..errors import DataError, PictureError
from ..imaging.content import read_content
from ..imaging.decode import UNNAMED, Named, Picture, Source
from ..imaging.geometry import IMAGE_NOTE
from ..imaging.pages import Page, pages_of
from .results import Outcome

Result = TypeVar("Result", bound=Outcome[Any, Any])

Sources = list[Any] | tuple[Any, ...]
"""Several sources at once. No other sequences: a path and bytes are sequences, too."""


def map_pictures(
    function: Callable[..., Sequence[Result]],
    model: object,
    sources: Iterable[Source],
    workers: int | None,
    **settings: Any,
) -> Iterator[Result]:
    """Yield the outcomes of `function(model, chunk, **settings)` for chunk after chunk of sources.

    Args:
        function: A function of a module, so that another process can import it.
        model: Sent to each process once.
        sources: Read only as fast as they are processed, so there may be any number.
        workers: Number of processes; one per processor if None.
        settings: Further arguments of `function`.
    """
    if isinstance(sources, str | bytes | os.PathLike):
        raise TypeError("sources must be several pictures, not one: give a list")
    chunks = map_chunks(
        partial(function, **settings),
        (_portable(one) for source in sources for one in pictures_in(source)),
        shared=model,
        workers=workers,
    )
    with closing(chunks):
        for outcomes in chunks:
            yield from outcomes


def pictures_in(source: Source) -> Iterator[Source | PictureError]:
    """The pages of a PDF or TIFF file, the rows of a CSV file, or a source that is one picture."""
    if not isinstance(source, str | os.PathLike):
        yield source
        return
    if not (csv.has_suffix(os.fspath(source)) and csv.matches(Path(source))):
        yield from pages_of(source)
        return
    try:
        images = csv.read_images(Path(source))
    except (DataError, OSError) as error:
        problem = error if isinstance(error, DataError) else read_error(DataError, source, error)
        yield PictureError(problem.problem, problem.remedy, os.fspath(source))
        return
    for number, image in enumerate(images, 1):
        yield Picture(f"{os.fspath(source)}#{number}", image, note=IMAGE_NOTE)


def failure(error: PictureError) -> Outcome[Any, Any]:
    """The outcome of a source that could not be decoded."""
    return Outcome(error.path or UNNAMED, None, error)


def received(source: Source | PictureError) -> Source:
    """A source as a worker receives it; raises the error of one that could not be sent."""
    if isinstance(source, PictureError):
        raise source
    return source


def _portable(source: Source | PictureError) -> Source | PictureError:
    """`source` in a form that another process can receive: open files become their bytes."""
    if isinstance(source, PictureError | Page):
        return source
    if isinstance(source, Named):
        inner = _portable(source.source)
        return inner if isinstance(inner, PictureError) else Named(source.name, inner)
    if isinstance(source, str | os.PathLike | bytes | np.ndarray | Image.Image | Picture):
        return source
    name = getattr(source, "name", None)
    try:
        content = read_content(source)
    except PictureError as error:
        return PictureError(error.problem, error.remedy, name if isinstance(name, str) else None)
    return Named(name, content) if isinstance(name, str) else content
