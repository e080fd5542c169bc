"""The labels of picture files from the place in their paths that a pattern describes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import Formatter

from ..errors import DataError, DigitsError
from .files import PictureFile

Label = int | DigitsError
"""A digit, or why there is none."""

DIGITS = frozenset("0123456789")

_NOT_IN_TEMPLATES = str.maketrans("", "", "{}'")
_MAX_VARIANT = 2  # letters that tell the pictures of one digit apart
_PATTERN_REMEDY = (
    "Use a template such as '{label}_{index}' or '{index}_{label}', "
    "or a regular expression with a group (?P<label>...)"
)


def labels_from_pattern(files: Sequence[PictureFile], pattern: str) -> list[Label]:
    """Labels from the place in each path that `pattern` describes.

    Args:
        files: The files to label.
        pattern: A template such as `{index}_{label}.png` or `{label}/*`, matched with the end of
            each path: {label} is one digit, {index} a number, any other field and * anything but a
            slash; the suffix may be omitted. Or a regular expression with a group (?P<label>...),
            searched in the path inside the source folder.

    Raises:
        DataError: If the pattern is neither.
    """
    is_template = "(?P<label>" not in pattern
    source = _expression(pattern) if is_template else pattern
    try:
        expression = re.compile(source, re.IGNORECASE if is_template else 0)
    except re.error as error:
        raise _bad_pattern(pattern, str(error)) from None
    labels: list[Label] = []
    for file in files:
        match = expression.search(file.absolute if is_template else file.inside)
        labels.append(
            as_label(match["label"], file.path)
            if match
            else DataError(
                f"it does not match the pattern {pattern}",
                "Change the pattern or rename the file",
                file.path,
            )
        )
    return labels


def _expression(template: str) -> str:
    """The regular expression that matches what a name template would produce."""
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise _bad_pattern(template, str(error)) from None
    fields = {"label": "(?P<label>[0-9])", "index": "[0-9]+"}
    if not any(field == "label" for _, field, _, _ in pieces):
        raise _bad_pattern(template, "it has no {label}")
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


def _bad_pattern(pattern: str, reason: str) -> DataError:
    return DataError(f"the pattern {pattern} is invalid: {reason}", _PATTERN_REMEDY)


def possible_pattern(stem: str) -> str | None:
    """The template that makes a label of the last single digit in a name; None without one.

    Args:
        stem: The name without its suffix.
    """
    pieces = re.split("([0-9]+)", stem.translate(_NOT_IN_TEMPLATES))
    last = max((i for i, piece in enumerate(pieces) if piece in DIGITS), default=None)
    if last is None:
        return None
    fields = [
        piece if i % 2 == 0 else "{label}" if i == last else "{index}"
        for i, piece in enumerate(pieces)
    ]
    if len(fields[-1]) <= _MAX_VARIANT:  # 7a, 7b
        fields[-1] = re.sub("[^\\W_]+", "*", fields[-1])
    return "".join(fields)


def as_label(text: str | None, path: str) -> Label:
    """The digit that `text` is, for the file at `path`."""
    text = (text or "").strip()
    if text in DIGITS:
        return int(text)
    return DataError(f"its label is '{text}', not 0 to 9", "Correct the label", path)
