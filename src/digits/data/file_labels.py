"""The labels of picture files: from their folder, their name, a pattern, or a csv."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

from ..errors import DataError
from .picture_files import PictureFile, absolute

Label = int | str
"""A digit, or the reason why there is none."""

_DIGITS = frozenset("0123456789")
_SEPARATORS = re.compile("[ _.-]+")
_NUMBERS = re.compile("[0-9]+(?:[ _.-]+[0-9]+)*")
_NO_LABEL = "neither its folder nor its name says which digit it is"
_PATTERN_TODO = (
    "Use a template such as '{label}_{index}' or '{index}_{label}', "
    "or a regular expression with a group (?P<label>...)"
)


def labels_from_names(files: Sequence[PictureFile]) -> list[Label]:
    """Labels from folders named 0 to 9, else from names of numbers: 7_1558, 0012_7, or just 7.

    The label is the first or the last number of a name, whichever has one digit. Where both have,
    the other names of the same source decide: a longer number is no label. Raises DataError when
    none of them does, and when a name clearly contradicts its folder.
    """
    labels = [_folder_label(file) for file in files]
    for file, label in zip(files, labels, strict=True):
        _refuse_contradiction(file, label)
    by_source: dict[int, list[int]] = defaultdict(list)
    for place, file in enumerate(files):
        if labels[place] == _NO_LABEL:
            # Whoever named the files of one folder says nothing of those of another.
            by_source[file.source].append(place)
    for places in by_source.values():
        for place, label in zip(places, _name_labels([files[p] for p in places]), strict=True):
            labels[place] = label
    return labels


def _folder_label(file: PictureFile) -> Label:
    folder = file.absolute.split("/")[-2]
    return int(folder) if folder in _DIGITS else _NO_LABEL


def _refuse_contradiction(file: PictureFile, label: Label) -> None:
    """Ask when the folder says one digit and the name, by its custom, clearly another."""
    name = _numbers(file)
    if label == _NO_LABEL or len(name) < 2:
        return
    said = [number for number in (name[0], name[-1]) if number in _DIGITS]
    if len(said) == 1 and int(said[0]) != label:
        raise DataError(
            f"{file.path} lies in a folder {label}, but its name says {said[0]}",
            "Say where the label stands: --pattern '{label}/*' for the folder, "
            "or '{index}_{label}' for the name",
        )


def _name_labels(files: Sequence[PictureFile]) -> list[Label]:
    names = [_numbers(file) for file in files]
    # With a 10.png among them, 7.png is the seventh rather than a seven.
    counted = any(len(name) == 1 and name[0] not in _DIGITS for name in names)
    first = any(name and name[0] in _DIGITS and name[-1] not in _DIGITS for name in names)
    last = any(name and name[0] not in _DIGITS and name[-1] in _DIGITS for name in names)
    labels: list[Label] = []
    for file, name in zip(files, names, strict=True):
        fits = [number for number in name[:1] + name[1:][-1:] if number in _DIGITS]
        if not fits or (counted and len(name) == 1):
            labels.append(_NO_LABEL)
        elif len(set(fits)) == 1:
            labels.append(int(fits[0]))
        elif first == last:
            raise DataError(
                f"{file.path} may be a {fits[0]} or a {fits[1]}",
                "Say where the label stands: --pattern '{label}_{index}' or '{index}_{label}'",
            )
        else:
            labels.append(int(fits[0] if first else fits[1]))
    return labels


def _numbers(file: PictureFile) -> list[str]:
    """The numbers in a file's name, when it is of nothing else."""
    name = file.inside.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return _SEPARATORS.split(stem) if _NUMBERS.fullmatch(stem) else []


def labels_from_pattern(files: Sequence[PictureFile], pattern: str) -> list[Label]:
    """Labels from where `pattern` finds them.

    pattern: a template such as `{index}_{label}.png` or `{label}/*`, held against the end of each
        path: {label} is one digit, {index} a number, any other field and * anything but a slash;
        the suffix may be left out. Or a regular expression with a group (?P<label>...), searched
        in the path inside the source folder.
    Raises DataError when it is neither.
    """
    is_template = "(?P<label>" not in pattern
    source = _expression(pattern) if is_template else pattern
    try:
        expression = re.compile(source, re.IGNORECASE if is_template else 0)
    except re.error as error:
        raise DataError(f"the pattern {pattern} is broken: {error}", _PATTERN_TODO) from None
    labels: list[Label] = []
    for file in files:
        match = expression.search(file.absolute if is_template else file.inside)
        labels.append(_digit(match["label"]) if match else f"it does not fit {pattern}")
    return labels


def _expression(template: str) -> str:
    """The regular expression that finds what a name template would make."""
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise DataError(f"the pattern {template} is broken: {error}", _PATTERN_TODO) from None
    fields = {"label": "(?P<label>[0-9])", "index": "[0-9]+"}
    if not any(field == "label" for _, field, _, _ in pieces):
        raise DataError(f"the pattern {template} does not say where the label is", _PATTERN_TODO)
    expression = ""
    for text, field, _, _ in pieces:
        expression += re.escape(text).replace(r"\*", "[^/]*")
        if field is not None:
            expression += fields.get(field, "[^/]*")
        if field == "label":
            fields["label"] = "(?P=label)"
    name = template.rpartition("/")[2]
    suffix = "" if "." in name.rpartition("}")[2] else r"(?:\.[^./]+)?"
    return f"(?:^|/){expression}{suffix}$"


def labels_from_csv(
    files: Sequence[PictureFile], table: Path, sources: Sequence[Path]
) -> tuple[list[Label], list[tuple[Path, str]]]:
    """Labels from a csv with the columns `filename` and `label`; others are passed over.

    A filename counts from the folder of the csv or from a source folder. Returns the labels, and
    (file, reason) for each row whose file is not there. Raises DataError when the csv cannot be
    used.
    """
    places = {file.absolute: place for place, file in enumerate(files)}
    labels: list[Label] = [f"{table.name} does not name it"] * len(files)
    missing = []
    for filename, text in _rows(table):
        paths = (absolute(folder / filename) for folder in (table.parent, *sources))
        place = next((places[path] for path in paths if path in places), None)
        if place is None:
            missing.append((Path(filename), f"{table.name} names it, but it is not there"))
            continue
        label = _digit(text)
        if isinstance(labels[place], int) and labels[place] != label:
            raise DataError(f"{table} gives {filename} two labels", "Take one row out")
        labels[place] = label
    return labels, missing


def _rows(table: Path) -> list[tuple[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"cannot read {table}: {reason}", "Check the path") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table} is no csv in UTF-8: {error}", "Save it as csv again") from None
    if not rows or not {"filename", "label"} <= set(rows[0]):
        raise DataError(f"{table} has no columns filename and label", "Write them as its first row")
    return [((row["filename"] or "").strip(), row["label"] or "") for row in rows]


def _digit(text: str | None) -> Label:
    text = (text or "").strip()
    return int(text) if text in _DIGITS else f"its label is '{text}', not 0 to 9"
