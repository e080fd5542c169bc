"""Pydantic models of requests and responses: they check the former and document both."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from ..recognition.results import Reason

Label = Annotated[int, Field(ge=0, le=9, strict=True)]
Value = Annotated[int, Field(ge=0, le=255, strict=True)]
Row = Annotated[list[Value], Field(min_length=28, max_length=28)]
Pixels = Annotated[
    list[Row],
    Field(min_length=28, max_length=28, description="28 rows of 28 values, 0 black to 255 white."),
]


class LabeledDigit(BaseModel):
    """A digit to save."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    pixels: Pixels


class CollectionInfo(BaseModel):
    """The user's own data set."""

    label: Label | None = Field(description="Of the digit that was just saved or removed, if any.")
    file: str
    counts: list[int] = Field(description="Number of pictures of each digit, 0 to 9.")
    total: int
    undoable: int = Field(description="Number of pictures that can be removed again.")
    train: str = Field(
        description="Command that trains on the data set; empty while there are too few pictures."
    )


class ModelInfo(BaseModel):
    """A model. One that cannot be used has an `error` and none of the fields above it."""

    name: str
    shipped: bool
    family: str = ""
    preset: str = ""
    test: str | None = Field(None, description="Data set of its last test.")
    accuracy: float | None = Field(None, description="Accuracy in that test, 0 to 1.")
    bytes: int = Field(0, description="Size of its file.")
    created: str = Field("", description="Time of its training, ISO 8601.")
    error: str = ""


class RandomDigit(BaseModel):
    """A picture from a data set."""

    set: str
    index: int
    label: Label
    pixels: Pixels


class TopDigit(BaseModel):
    """One of the most probable digits."""

    digit: Label
    confidence: float


class Prediction(BaseModel):
    """The digit in a picture."""

    path: str = Field(description="The file name that the client gave.")
    digit: Label | None = Field(description="Null if none is probable enough; see `reason`.")
    confidence: float = Field(description="Probability of the most probable digit, 0 to 1.")
    probabilities: list[float] = Field(
        description="Of the digits 0 to 9. The rest, up to 1, is the probability of no digit."
    )
    top: list[TopDigit] = Field([], description="The most probable digits, if top_k is over 1.")
    reason: Reason | None = Field(None, description="Why `digit` is null; absent if it is not.")
    pixels: Pixels | None = Field(None, description="The input of the model, if asked for.")


class ReadDigit(BaseModel):
    """One of several digits."""

    digit: Label | None = Field(description="Null if none is probable enough.")
    confidence: float = Field(description="Probability of the most probable digit, 0 to 1.")
    line: int = Field(description="Number of its line of text, from 0.")
    box: list[int] = Field(
        description="Left, top, right, bottom in pixels of the upright picture; the last two "
        "exclusive.",
    )
    pixels: Pixels | None = Field(None, description="The input of the model, if asked for.")


class Reading(BaseModel):
    """All digits in a picture, in reading order."""

    path: str = Field(description="The file name that the client gave.")
    text: str
    lines: list[str] = Field(description="`?` stands for a digit that is not probable enough.")
    line_confidences: list[float] = Field(
        description="For each line the probability that its most probable digits are all right."
    )
    digits: list[ReadDigit]


class ErrorInfo(BaseModel):
    """What is wrong and what to do."""

    detail: str


class PictureErrorInfo(ErrorInfo):
    """The same, and for each picture its result, or `path` and `error`."""

    results: list[dict[str, Any]] = []


ModelName = Annotated[
    str | None, Query(description="A name from /api/models; by default, the first of them.")
]

# Descriptions of error responses, by status.
MALFORMED = {"model": ErrorInfo, "description": "The body cannot be parsed."}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: MALFORMED,
    404: {"model": ErrorInfo, "description": "There is no such model."},
    409: {"model": ErrorInfo, "description": "The model cannot be used."},
    413: {"model": ErrorInfo, "description": "The body is over 10 MB."},
    422: {
        "model": PictureErrorInfo,
        "description": "A picture cannot be read, or a value is wrong.",
    },
}
