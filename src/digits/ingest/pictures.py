"""From folders of picture files to a data set."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data.dataset import Dataset, Splits
from ..errors import DataError, DigitsError
from ..imaging.foreground import Ink
from .doubts import Doubt, find_doubts
from .files import PictureFile, find_files
from .flaws import Flaw, find_flaws, share_recognized
from .labels import (
    are_from_folders,
    labels_from_csv,
    labels_from_names,
    may_be_counted,
)
from .patterns import labels_from_pattern
from .reading import read_images

log = logging.getLogger(__name__)

# Labels in file names are a guess. Strangers' digits are read right at 90 % and more.
_MIN_NAMED, _MIN_NAMED_SHARE = 5, 0.5


@dataclass(frozen=True)
class IngestResult:
    """What `ingest` made.

    Attributes:
        splits: `train` and `test` (or one of them), or `all`.
        dataset: All pictures taken in, in the order of `paths`.
        paths: The file of each picture; of a page, `file.pdf#2`.
        rejected: For each file or folder that was left out, an error with its `path`.
        doubts: The pictures taken in whose label the recognizer doubts.
        flaws: What seems to be wrong with all of them together: see `find_flaws`.
        labels_from: Where the labels were found, for people: `the names of folders`.
    """

    splits: Splits
    dataset: Dataset
    paths: tuple[str, ...]
    rejected: tuple[DigitsError, ...]
    doubts: tuple[Doubt, ...]
    flaws: tuple[Flaw, ...]
    labels_from: str

    def __repr__(self) -> str:
        return (
            f"IngestResult({self.splits!r}, {len(self.rejected):,} rejected, "
            f"{len(self.doubts):,} doubts)"
        )


def ingest(
    sources: Sequence[str | os.PathLike[str]],
    *,
    name: str | None = None,
    pattern: str | None = None,
    labels_csv: str | os.PathLike[str] | None = None,
    ink: Ink = "auto",
    transpose: bool = False,
    shuffle: bool = False,
    seed: int = 0,
    test_fraction: float | None = None,
    check: bool = True,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> IngestResult:
    """Make a data set of picture files, each preprocessed as for recognition.

    Args:
        sources: Folders (with all their subfolders), single files and globs.
        name: What to call the data set; by default after its folders.
        pattern: Where the labels are in the paths (see `labels_from_pattern`).
        labels_csv: A CSV file with the labels (see `labels_from_csv`). Without it and `pattern`,
            they are taken from folders named 0 to 9 or file names (see `labels_from_names`).
        ink: `dark` on light ground, `light` on dark, or `auto` to find out for each picture.
        transpose: Swap rows and columns of each picture, which EMNIST's have swapped.
        shuffle: Shuffle each part; otherwise pictures are in the natural order of the files.
        seed: Decides the order and the test part.
        test_fraction: Share of each digit to hold out as the part `test`. A source folder that
            has folders `train` and `test` keeps these parts instead.
        check: Recognize the pictures to find doubtful labels and flaws of the whole.
        workers: Number of processes; one per processor if None.
        progress: Called with the number of files newly done.

    Raises:
        DataError: If no file can be used, a label is ambiguous, or arguments contradict each other.
    """
    if pattern and labels_csv:
        raise DataError("both a pattern and a CSV file are to give the labels", "Give one of them")
    if test_fraction is not None and not 0 < test_fraction < 1:
        raise DataError(f"the test fraction is {test_fraction}", "Give one between 0 and 1")
    paths = [Path(source) for source in sources]
    name = name or _name(paths)
    files, rejected = find_files(paths)
    if not files:
        raise _unusable(rejected, 0) if rejected else _nothing(paths)
    files = _in_parts(files, paths, test_fraction, rejected)
    files, labels = _labeled(files, paths, pattern, labels_csv, rejected)
    pages = [(page, label) for f, label in zip(files, labels, strict=True) for page in f.pages()]
    files, labels = [page for page, _ in pages], [label for _, label in pages]
    pictures = [file.picture for file in files]
    images, errors = read_images(pictures, ink, transpose, workers, progress)
    rejected += [error for error in errors if error]
    used = [i for i, error in enumerate(errors) if not error]
    if not used:
        raise _unusable(rejected, 0)
    if len(used) < len(files):  # else without a second copy of all images
        images, labels = images[used], [labels[i] for i in used]
        files = [files[i] for i in used]
    dataset = Dataset(images, np.array(labels), name)
    if not (pattern or labels_csv):
        _refuse_unlikely(dataset, files)
    splits = _split(dataset, files, test_fraction, seed)
    if shuffle:
        splits = Splits(name, {part: data.shuffled(seed) for part, data in splits.items()})
    pictures = [file.picture for file in files]
    doubts = find_doubts(dataset, pictures, ink, transpose, workers) if check else ()
    # Whatever the ink was, it is light on dark now.
    flaws = tuple(find_flaws(dataset, ["--transpose"])) if check else ()
    place = _place_of_labels(files, pattern, labels_csv)
    taken = tuple(file.name for file in files)
    return IngestResult(splits, dataset, taken, tuple(rejected), doubts, flaws, place)


def _refuse_unlikely(dataset: Dataset, files: Sequence[PictureFile]) -> None:
    """Raise DataError if file names such as 7.png are hardly ever the digits in the pictures."""
    named = np.flatnonzero(may_be_counted(files))
    if len(named) < _MIN_NAMED:
        return
    share = share_recognized(dataset.images[named], dataset.labels[named])
    if share < _MIN_NAMED_SHARE:
        raise DataError(
            f"the numbers in file names do not seem to be labels: {share:.0%} of {len(named):,} "
            "pictures resemble that digit",
            "Give --pattern or --labels, which are believed",
            files[int(named[0])].path,
        )


def _place_of_labels(
    files: Sequence[PictureFile],
    pattern: str | None,
    labels_csv: str | os.PathLike[str] | None,
) -> str:
    if labels_csv:
        return os.fspath(labels_csv)
    if pattern:
        return f"the pattern {pattern}"
    from_folders = are_from_folders(files)
    if all(from_folders):
        return "the names of folders"
    folders = sum(from_folders)
    names = len(files) - folders
    return (
        f"the names of folders ({folders:,}) and of files ({names:,})"
        if folders
        else "the names of files"
    )


def require_complete(result: IngestResult) -> None:
    """Raise DataError if any file was left out."""
    if result.rejected:
        raise _unusable(result.rejected, len(result.paths))


def _unusable(rejected: Sequence[DigitsError], used: int) -> DataError:
    """The first of the errors, with the number of all."""
    first = rejected[0]
    total = len(rejected) + used
    count = (
        f"{len(rejected):,} of {total:,} files cannot be used" if used else "no file can be used"
    )
    problem = first.problem if total == 1 else f"{first.problem}; {count}"
    return DataError(problem, first.remedy, first.path)


def _nothing(paths: Sequence[Path]) -> DataError:
    remedy = "Give a folder of PNG or JPEG files"
    return DataError("there are no pictures", remedy, paths[0] if len(paths) == 1 else None)


def _name(paths: Sequence[Path]) -> str:
    """What to call the set: its folders; a single file counts as the folder it is in."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    names = list(dict.fromkeys(folder.resolve().name or str(folder) for folder in folders))
    return " + ".join(names) if len(names) <= 3 else f"{names[0]} + {len(names) - 1} more"


def _in_parts(
    files: list[PictureFile],
    paths: Sequence[Path],
    test_fraction: float | None,
    rejected: list[DigitsError],
) -> list[PictureFile]:
    """The files to use: those in folders `train` and `test` if there are such, else all."""
    split_sources = {file.source for file in files if file.part != "all"}
    if not split_sources:
        return files
    folder = paths[min(split_sources)]
    if test_fraction is not None:
        remedy = "Leave the test fraction out"
        raise DataError("there are folders train and test already", remedy, folder)
    for file in files:
        if file.source not in split_sources:
            problem = "it is in neither train nor test, which other pictures are"
            raise DataError(problem, "Ingest the folders one by one, then join them", file.path)
    problem, remedy = "it is in neither train nor test", "Move it into one of these folders"
    rejected += [DataError(problem, remedy, file.path) for file in files if file.part == "all"]
    return _without_validation([file for file in files if file.part != "all"])


def _without_validation(files: list[PictureFile]) -> list[PictureFile]:
    """The same, with a validation part in `train`, or in `test` where there is none."""
    if not any(file.part == "validation" for file in files):
        return files
    part = "train" if any(file.part == "test" for file in files) else "test"
    log.info("the folder of validation pictures is a part of %s", part)
    return [file._replace(part=part) if file.part == "validation" else file for file in files]


def _labeled(
    files: Sequence[PictureFile],
    paths: Sequence[Path],
    pattern: str | None,
    labels_csv: str | os.PathLike[str] | None,
    rejected: list[DigitsError],
) -> tuple[list[PictureFile], list[int]]:
    """The files that have a label, and their labels."""
    if labels_csv:
        found, missing = labels_from_csv(files, Path(labels_csv), paths)
        rejected += missing
    elif pattern:
        found = labels_from_pattern(files, pattern)
    else:
        found = labels_from_names(files)
    rejected += [label for label in found if isinstance(label, DigitsError)]
    pairs = [(f, label) for f, label in zip(files, found, strict=True) if isinstance(label, int)]
    if not pairs:
        raise _unusable(rejected, 0)
    return [file for file, _ in pairs], [label for _, label in pairs]


def _split(
    dataset: Dataset, files: Sequence[PictureFile], test_fraction: float | None, seed: int
) -> Splits:
    """The parts that the files are in, or that are held out."""
    name = dataset.name
    if test_fraction is not None:
        train, test = dataset.held_out(test_fraction, seed)
        parts = {"train": train, "test": test}
    else:
        of = np.array([file.part for file in files])
        names = dict.fromkeys(of.tolist())
        parts = (
            {part: dataset.take(np.flatnonzero(of == part)) for part in names}
            if len(names) > 1
            else dict.fromkeys(names, dataset)  # no second copy of all images
        )
    return Splits(
        name,
        {
            part: replace(parts[part], name=name if part == "all" else f"{name} {part}")
            for part in ("train", "test", "all")
            if part in parts
        },
    )
