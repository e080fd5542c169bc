"""The shapes of what is asked and answered, for checking the one and documenting the other."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Label = Annotated[int, Field(ge=0, le=9, strict=True)]
Value = Annotated[int, Field(ge=0, le=255, strict=True)]
Row = Annotated[list[Value], Field(min_length=28, max_length=28)]
Pixels = Annotated[
    list[Row],
    Field(min_length=28, max_length=28, description="28 rows of 0 (black) to 255 (white ink)."),
]


class Digit(BaseModel):
    """A digit to keep."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    pixels: Pixels


class Kept(BaseModel):
    """Your own set. `label`: of the digit that was just added or taken back."""

    label: Label | None
    file: str
    counts: list[int] = Field(description="Of the digits 0 to 9.")
    total: int
    undoable: int
    train: str = Field(
        description="The command that learns from the set; empty while that is too small."
    )


class Model(BaseModel):
    """A model. One that cannot be used has an `error` and nothing more."""

    name: str
    shipped: bool
    family: str = ""
    preset: str = ""
    test: str | None = Field(None, description="The data set of its last test.")
    accuracy: float | None = Field(None, description="There, 0..1.")
    bytes: int = 0
    created: str = ""
    error: str = ""


class Random(BaseModel):
    """A picture of a data set."""

    set: str
    index: int
    label: Label
    pixels: Pixels


class Prediction(BaseModel):
    """The digit in a picture. `digit` is null when none is clear; then `reason` says why."""

    path: str
    digit: Label | None
    confidence: float
    probabilities: list[float]
    top: list[dict[str, Any]] = Field([], description="With top_k: digit and confidence.")
    reason: str = ""
    pixels: Pixels | None = None


class ReadDigit(BaseModel):
    """One of several digits. `box`: left, top, right, bottom in pixels of the upright picture."""

    digit: Label | None
    confidence: float
    line: int
    box: list[int]
    pixels: Pixels | None = None


class Reading(BaseModel):
    """All digits in a picture."""

    path: str
    text: str
    lines: list[str]
    digits: list[ReadDigit]


class Problem(BaseModel):
    """What is wrong and what to do, in one sentence or two."""

    detail: str


class Problems(Problem):
    """The same, and what came of each picture: a result, or `path` and `error`."""

    results: list[dict[str, Any]] = []
