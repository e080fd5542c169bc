"""Errors as data: which path, what is wrong with it, and what to do."""

from __future__ import annotations

import os


class DigitsError(Exception):
    """Base of every error that `digits` raises on purpose.

    Args:
        problem: What is wrong, without the path: "the file is empty".
        remedy: What to do about it: "Save or copy it again". Neither ends in a period.
        path: The file or folder concerned, if there is one.
    """

    def __init__(
        self, problem: str, remedy: str, path: str | os.PathLike[str] | None = None
    ) -> None:
        super().__init__(problem, remedy, path)
        self.problem = problem
        self.remedy = remedy
        self.path = None if path is None else os.fspath(path)

    @property
    def message(self) -> str:
        """Problem and remedy in two sentences, for readers who know the path already."""
        return f"{self.problem}. {self.remedy}."

    def __str__(self) -> str:
        return self.message if self.path is None else f"{self.path}: {self.message}"


class DataError(DigitsError):
    """A data set cannot be found, read, or used."""


class PictureError(DigitsError):
    """A picture cannot be read."""


class ModelError(DigitsError):
    """A model file cannot be read or used."""


class OutputError(DigitsError):
    """A result cannot be written."""
