"""Folders of picture files to a data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, PictureError
from ..parallel import map_chunks
from ..pictures import Ink, read_digit
from .dataset import Dataset, Images, Splits
from .file_labels import labels_from_csv, labels_from_names, labels_from_pattern
from .picture_files import PictureFile, find_pictures

Rejected = list[tuple[Path, str]]

_MEND = (
    "Mend or remove such files; labels come from folders named 0 to 9, from names such as "
    "7_0001.png or 0001_7.png, from a pattern or from a csv"
)


@dataclass(frozen=True)
class IngestResult:
    """What `ingest` made.

    splits: `train` and `test` (or one of them), or `all`.
    rejected: (file, reason) for each file that was left out.
    """

    splits: Splits
    rejected: Rejected


def ingest(
    sources: Sequence[str | os.PathLike[str]],
    *,
    pattern: str | None = None,
    labels_csv: str | os.PathLike[str] | None = None,
    ink: Ink = "auto",
    shuffle: bool = False,
    seed: int = 0,
    test_fraction: float | None = None,
    strict: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> IngestResult:
    """Make a data set of picture files, each read as `read_digit` does.

    sources: folders (with what is below them) and single files.
    pattern, labels_csv: where the labels are (see `labels_from_pattern`, `labels_from_csv`); when
        neither is given, in folders named 0 to 9 or in the file names (see `labels_from_names`).
    ink: darker or lighter than its ground; `auto` finds out for each picture.
    shuffle, seed: mix the order of each part; otherwise it is the natural order of the files.
    test_fraction: hold out this share of each digit as the part `test`. A source folder that has
        folders `train` and `test` keeps these parts.
    strict: a file that cannot be read or has no label is an error, rather than left out.
    workers: processes; one per processor when None.
    progress: called with the number of files newly done.
    Raises DataError when nothing can be read, labels are unclear or options contradict each other.
    """
    if pattern and labels_csv:
        raise DataError("labels are to come from a pattern and from a csv", "Give one of them")
    if test_fraction is not None and not 0 < test_fraction < 1:
        raise DataError(f"the test fraction is {test_fraction}", "Give one between 0 and 1")
    paths = [Path(source) for source in sources]
    name = _name(paths)
    files, rejected = find_pictures(paths)
    if not files:
        _refuse(name, rejected, 0)
        raise DataError(f"{name} holds no pictures", "Give a folder of PNG or JPEG files")
    files, strays = _parted(files, paths, test_fraction)
    rejected += strays
    files, labels, unlabelled = _labelled(files, paths, pattern, labels_csv)
    rejected += unlabelled
    if strict or not files:
        _refuse(name, rejected, len(files))
    images, reasons = _read([file.path for file in files], ink, workers, progress)
    unread = [(Path(f.path), why) for f, why in zip(files, reasons, strict=True) if why]
    rejected += unread
    if strict or len(unread) == len(files):
        _refuse(name, rejected, len(files) - len(unread))
    read = np.array([not why for why in reasons])
    parts = np.array([file.part for file in files])
    splits = _splits(
        name, images, labels, {p: read & (parts == p) for p in ("train", "test", "all")}
    )
    return IngestResult(_mixed(splits, shuffle, seed, test_fraction), rejected)


def _name(paths: Sequence[Path]) -> str:
    """What to call the set: its folders, a single file standing for the folder it is in."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    names = list(dict.fromkeys(folder.resolve().name or str(folder) for folder in folders))
    return " + ".join(names) if len(names) <= 3 else f"{names[0]} + {len(names) - 1} more"


def _parted(
    files: Sequence[PictureFile], paths: Sequence[Path], test_fraction: float | None
) -> tuple[list[PictureFile], Rejected]:
    """Those of `files` that are in a part of the set to be, and the rest with the reason."""
    parted = {file.source for file in files if file.part != "all"}
    if not parted:
        return list(files), []
    if test_fraction is not None:
        raise DataError(
            f"{paths[min(parted)]} has folders train and test already", "Leave out the fraction"
        )
    whole = next((file for file in files if file.source not in parted), None)
    if whole:
        raise DataError(
            f"{paths[min(parted)]} has folders train and test, but {whole.path} is in neither",
            "Ingest them one by one, then join them",
        )
    strays = [(Path(f.path), "it is in neither train nor test") for f in files if f.part == "all"]
    return [file for file in files if file.part != "all"], strays


def _labelled(
    files: Sequence[PictureFile],
    paths: Sequence[Path],
    pattern: str | None,
    labels_csv: str | os.PathLike[str] | None,
) -> tuple[list[PictureFile], list[int], Rejected]:
    """The files that have a label, their labels, and the others with the reason."""
    rejected: Rejected = []
    if labels_csv:
        found, rejected = labels_from_csv(files, Path(labels_csv), paths)
    elif pattern:
        found = labels_from_pattern(files, pattern)
    else:
        found = labels_from_names(files)
    pairs = list(zip(files, found, strict=True))
    rejected += [(Path(file.path), label) for file, label in pairs if isinstance(label, str)]
    labelled = [(file, label) for file, label in pairs if isinstance(label, int)]
    return [file for file, _ in labelled], [label for _, label in labelled], rejected


def _refuse(name: str, rejected: Rejected, good: int) -> None:
    """Raise DataError when there are rejected files."""
    if not rejected:
        return
    path, reason = rejected[0]
    some = f"{len(rejected):,} of {len(rejected) + good:,} files" if good else "no file"
    fault = "cannot be used" if good else "can be used"
    raise DataError(f"{some} in {name} {fault}; {path}: {reason}", _MEND)


def _read(
    paths: Sequence[str], ink: Ink, workers: int | None, progress: Callable[[int], None] | None
) -> tuple[Images, list[str]]:
    """The pictures, (n, 28, 28), and for each why it could not be read, or ""."""
    images = np.empty((len(paths), 28, 28), np.uint8)
    reasons: list[str] = []
    with closing(map_chunks(partial(_read_chunk, ink=ink), paths, workers=workers)) as chunks:
        for read, why in chunks:
            images[len(reasons) : len(reasons) + len(why)] = read
            reasons += why
            if progress:
                progress(len(why))
    return images, reasons


def _read_chunk(paths: Sequence[str], ink: Ink) -> tuple[Images, list[str]]:
    images = np.zeros((len(paths), 28, 28), np.uint8)
    reasons = [""] * len(paths)
    for place, path in enumerate(paths):
        try:
            images[place] = read_digit(path, ink)
        except PictureError as error:
            reasons[place] = error.what.removeprefix(f"cannot read {path}: ")
    return images, reasons


def _splits(
    name: str, images: Images, labels: Sequence[int], parts: dict[str, NDArray[np.bool_]]
) -> Splits:
    """The set with the pictures that each part's mask chooses; parts without any are left out."""
    of = np.array(labels, np.uint8)
    return Splits(
        name,
        {
            part: Dataset(images[mask], of[mask], name if part == "all" else f"{name} {part}")
            for part, mask in parts.items()
            if mask.any()
        },
    )


def _mixed(splits: Splits, shuffle: bool, seed: int, test_fraction: float | None) -> Splits:
    parts = splits.parts
    if shuffle:
        parts = {part: dataset.shuffled(seed) for part, dataset in parts.items()}
    if test_fraction is not None:
        pair = parts["all"].held_out(test_fraction, seed)
        parts = {
            part: replace(dataset, name=f"{splits.name} {part}")
            for part, dataset in zip(("train", "test"), pair, strict=True)
        }
    return Splits(splits.name, parts)
