"""The pictures of many files, each preprocessed as for recognition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

import numpy as np

from .._io.workers import map_chunks
from ..data.arrays import Images
from ..errors import PictureError
from ..imaging.decode import decode
from ..imaging.foreground import Ink
from ..imaging.pages import Page
from ..recognition.preprocess import preprocess


def read_images(
    pictures: Sequence[str | Page],
    ink: Ink = "auto",
    transpose: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Images, list[PictureError | None]]:
    """The (n, 28, 28) images, and for each picture why it cannot be used, or None.

    Args:
        pictures: Paths, and pages of files.
        ink: As of `ingest`, like the others.
        transpose: As of `ingest`.
        workers: As of `ingest`.
        progress: As of `ingest`.
    """
    read_chunk = partial(_read_chunk, ink=ink, transpose=transpose)
    images = np.empty((len(pictures), 28, 28), np.uint8)
    errors: list[PictureError | None] = []
    with closing(map_chunks(read_chunk, pictures, workers=workers)) as chunks:
        for chunk_images, chunk_errors in chunks:
            images[len(errors) : len(errors) + len(chunk_errors)] = chunk_images
            errors += chunk_errors
            if progress:
                progress(len(chunk_errors))
    return images, errors


def _read_chunk(
    pictures: Sequence[str | Page], ink: Ink, transpose: bool
) -> tuple[Images, list[PictureError | None]]:
    images = np.zeros((len(pictures), 28, 28), np.uint8)
    errors: list[PictureError | None] = [None] * len(pictures)
    for i, picture in enumerate(pictures):
        try:
            images[i] = _read_picture(picture, ink, transpose)
        except PictureError as error:
            errors[i] = error
    return images, errors


def _read_picture(source: str | Page, ink: Ink, transpose: bool) -> Images:
    picture = decode(source)
    preprocessed = preprocess(picture.transposed() if transpose else picture, ink)
    # A blank image that we exported reads back as any other.
    if not preprocessed.has_ink and not preprocessed.picture.note:
        remedy = "Remove it, or write the digit more clearly"
        raise PictureError("no digit found", remedy, picture.name)
    return preprocessed.image
