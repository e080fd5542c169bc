"""What can go wrong, said in one line: what, where, and what to do about it."""

from __future__ import annotations


class DigitsError(Exception):
    """Base of every error that `digits` raises on purpose.

    `what` names the fault and the place; `todo` tells the reader what to do.
    Neither ends in a full stop; `str()` joins them into two sentences.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what, todo)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}. {self.todo}."


class DataError(DigitsError):
    """A data set cannot be found, read, or used."""


class PictureError(DigitsError):
    """A picture cannot be read."""


class ModelError(DigitsError):
    """A model file cannot be read or used."""


class OutputError(DigitsError):
    """A result cannot be written."""
