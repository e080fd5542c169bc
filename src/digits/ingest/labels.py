"""The labels of picture files: from their folder, their name, or a CSV file."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from .._io.files import read_error
from ..errors import DataError, DigitsError
from .digit_names import named_digit, said_digit
from .files import PictureFile, absolute
from .patterns import DIGITS, Label, as_label, possible_pattern

_SEPARATORS = re.compile("[ _.-]+")
_NUMBERS = re.compile("[0-9]+(?:[ _.-]+[0-9]+)*")
_COUNTED_FOLDER = re.compile("(.*?)0*([0-9]+)")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])[-_. ]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-_. ](?:0?[1-9]|1[0-2])[-_. ](?:19|20)\d\d)(?!\d)"
)
_COPY = re.compile(r"(?<=[0-9]) ?\([0-9]+\)$")


def labels_from_names(files: Sequence[PictureFile]) -> list[Label]:
    """Labels from folders named as digits, else from names of numbers: 7_1558, 0012_7, or just 7.

    A folder is named as a digit if `named_digit` says so; of several, the one nearest to the file
    counts. Of a file's name, the label is the first or the last number, whichever has one digit.
    Where both have, the other names of the same source decide: a longer number is not a label.
    Dates are no labels, and neither are names that count, nor copies: 7 (2). Names that all say the
    digit in words (seven_1, img_0012_label_7) are taken at their word.

    Raises:
        DataError: If no other name decides, folders count from 1 to 10, or names clearly
            contradict their folders.
    """
    _refuse_counting_folders(files)
    labels = [_folder_label(file) for file in files]
    # People name the files of different folders in different ways.
    by_source: dict[int, list[int]] = defaultdict(list)
    for i, (file, label) in enumerate(zip(files, labels, strict=True)):
        if label is None:
            by_source[file.source].append(i)
        else:
            _refuse_contradiction(file, label)
    for indices in by_source.values():
        found = _labels_of_names([files[i] for i in indices])
        for i, label in zip(indices, found, strict=True):
            labels[i] = label
    return [
        _no_label(file) if label is None else label
        for file, label in zip(files, labels, strict=True)
    ]


def are_from_folders(files: Sequence[PictureFile]) -> list[bool]:
    """For each file whether `labels_from_names` takes its label from a folder."""
    return [_folder_label(file) is not None for file in files]


def may_be_counted(files: Sequence[PictureFile]) -> list[bool]:
    """For each file whether the label that `labels_from_names` gives it may be a count: 7.png."""
    return [_folder_label(file) is None and len(_numbers(file)) == 1 for file in files]


def _no_label(file: PictureFile) -> DataError:
    pattern = possible_pattern(_stem(file))
    return DataError(
        "neither its folder nor its name gives the digit",
        f"If its name does, give --pattern '{pattern}'; else put it into a folder named 0 to 9, "
        "or give --labels"
        if pattern
        else "Put it into a folder named 0 to 9, name it like 7_0001.png or 0001_7.png, "
        "or give --pattern or --labels",
        file.path,
    )


def _folder_label(file: PictureFile) -> int | None:
    """The digit of the nearest folder inside the source that is named as one, or of the source."""
    for folder in _folders(file):
        label = named_digit(folder)
        if label is not None:
            return label
    return None


def _folders(file: PictureFile) -> list[str]:
    """The names of the folders that a file is in, nearest first, up to its source."""
    depth = 1 + file.inside.count("/")
    return file.absolute.split("/")[-2 : -2 - depth : -1]


def _refuse_counting_folders(files: Sequence[PictureFile]) -> None:
    """Raise DataError for folders such as Sample001 to Sample010: which of them is 0?"""
    numbers: dict[str, dict[int, PictureFile]] = defaultdict(dict)
    for file in files:
        if match := _COUNTED_FOLDER.fullmatch(_folders(file)[0]):
            numbers[match[1].casefold()].setdefault(int(match[2]), file)
    for found in numbers.values():
        if found.keys() == set(range(1, 11)):
            first, last = (_folders(found[number])[0] for number in (1, 10))
            raise DataError(
                f"the folders count from {first} to {last}: which of them is 0 is not known",
                "Rename them 0 to 9, or give --labels FILE.csv",
                found[1].path.rpartition("/")[0] or found[1].path,
            )


def _refuse_contradiction(file: PictureFile, label: int) -> None:
    """Raise DataError if the file is named as usual, and its name contains another digit."""
    numbers = _numbers(file)
    if len(numbers) < 2:
        return
    digits = [number for number in (numbers[0], numbers[-1]) if number in DIGITS]
    if len(digits) == 1 and int(digits[0]) != label:
        raise DataError(
            f"it is in a folder named {label}, but its name says {digits[0]}",
            "Specify which one is the label: --pattern '{label}/*' for the folder, "
            "or '{index}_{label}' for the name",
            file.path,
        )


def _labels_of_names(files: Sequence[PictureFile]) -> list[int | None]:
    said = [said_digit(_stem(file)) for file in files]
    if None not in said:
        return said
    names = [_numbers(file) for file in files]
    # With a 10.png among them, 7.png is the seventh picture rather than a 7.
    counted = any(len(name) == 1 and name[0] not in DIGITS for name in names)
    first = any(name and name[0] in DIGITS and name[-1] not in DIGITS for name in names)
    last = any(name and name[0] not in DIGITS and name[-1] in DIGITS for name in names)
    labels: list[int | None] = []
    for file, name in zip(files, names, strict=True):
        digits = [number for number in name[:1] + name[1:][-1:] if number in DIGITS]
        if not digits or (counted and len(name) == 1):
            labels.append(None)
        elif len(set(digits)) == 1:
            labels.append(int(digits[0]))
        elif first == last:
            raise DataError(
                f"its label may be {digits[0]} or {digits[1]}",
                "Specify which: --pattern '{label}_{index}' or '{index}_{label}'",
                file.path,
            )
        else:
            labels.append(int(digits[0] if first else digits[1]))
    _refuse_counters(files, names, labels)
    return labels


def _refuse_counters(
    files: Sequence[PictureFile], names: Sequence[list[str]], labels: Sequence[int | None]
) -> None:
    """Raise DataError for several folders that each have a 1.png: a label, or the first picture?"""
    folders: dict[str, set[str]] = defaultdict(set)
    for file, name, label in zip(files, names, labels, strict=True):
        if label is not None and len(name) == 1:
            folders[name[0]].add(file.inside.rpartition("/")[0])
            if len(folders[name[0]]) > 1:
                raise DataError(
                    f"its name may be its label, or count the pictures of the folder "
                    f"{_folders(file)[0]}",
                    "If it is the label, give --pattern '{label}'; else rename the folders 0 to 9, "
                    "or give --labels FILE.csv",
                    file.path,
                )


def _numbers(file: PictureFile) -> list[str]:
    """The numbers in a file's name, if it consists of nothing else and is no date."""
    stem = _stem(file)
    return _SEPARATORS.split(stem) if _NUMBERS.fullmatch(stem) and not _DATE.search(stem) else []


def _stem(file: PictureFile) -> str:
    """The name of a file without its suffix and the number of a copy: `7 (2).png` is a 7."""
    name = file.inside.rpartition("/")[2]
    return _COPY.sub("", name.rpartition(".")[0] or name)


def labels_from_csv(
    files: Sequence[PictureFile], table: Path, sources: Sequence[Path]
) -> tuple[list[Label], list[DigitsError]]:
    """Labels from a CSV file with the columns `filename` and `label`; others are ignored.

    Args:
        files: The files to label.
        table: The CSV file. A filename in it is relative to its folder or to a source folder.
        sources: The source folders.

    Returns:
        The labels, and an error for each row whose file does not exist.

    Raises:
        DataError: If the CSV file cannot be used.
    """
    indices = {file.absolute: i for i, file in enumerate(files)}
    labels: list[Label | None] = [None] * len(files)
    missing: list[DigitsError] = []
    for filename, text in _rows(table):
        paths = (absolute(folder / filename) for folder in (table.parent, *sources))
        i = next((indices[path] for path in paths if path in indices), None)
        if i is None:
            problem = "the table of labels lists it, but it does not exist"
            missing.append(DataError(problem, "Remove its row, or add the file", filename))
            continue
        label = as_label(text, files[i].path)
        if isinstance(labels[i], int) and labels[i] != label:
            problem = f"there are two different labels for {filename}"
            raise DataError(problem, "Remove one of the rows", table)
        labels[i] = label
    problem, remedy = "the table of labels does not list it", "Add a row for it"
    return [
        DataError(problem, remedy, file.path) if label is None else label
        for file, label in zip(files, labels, strict=True)
    ], missing


def _rows(table: Path) -> list[tuple[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise read_error(DataError, table, error) from None
    except (csv.Error, UnicodeDecodeError) as error:
        remedy = "Save it again as CSV in UTF-8"
        raise DataError(f"the file is not CSV in UTF-8: {error}", remedy, table) from None
    if not rows or not {"filename", "label"} <= set(rows[0]):
        remedy = "Write them as its first row"
        raise DataError("there are no columns filename and label", remedy, table)
    return [((row["filename"] or "").strip(), row["label"] or "") for row in rows]
