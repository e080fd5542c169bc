"""Results as plain values for JSON: the same from the command line and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models.file import ModelFile
    from .reader import Reading
    from .recognizer import Prediction


def prediction_record(path: str, prediction: Prediction, top_k: int = 1) -> dict[str, Any]:
    """`path`, `digit`, `confidence` and `probabilities`; `reason` where the digit is None.

    top_k: with more than 1, `top` lists the likeliest digits.
    """
    record: dict[str, Any] = {
        "path": path,
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, 6),
        "probabilities": prediction.probabilities.astype(float).round(6).tolist(),
    }
    if top_k > 1:
        record["top"] = [
            {"digit": digit, "confidence": round(p, 6)} for digit, p in prediction.ranked()[:top_k]
        ]
    if prediction.reason:
        record["reason"] = prediction.reason
    return record


def reading_record(path: str, reading: Reading) -> dict[str, Any]:
    """`path`, `text`, `lines` and `digits`, each with `digit`, `confidence`, `line` and `box`."""
    return {
        "path": path,
        "text": reading.text,
        "lines": reading.lines,
        "digits": [
            {
                "digit": d.digit,
                "confidence": round(d.confidence, 6),
                "line": d.line,
                "box": list(d.box),
            }
            for d in reading.digits
        ],
    }


def model_record(file: ModelFile) -> dict[str, Any]:
    """What a model file tells of itself: `path`, `family`, `preset`, its last test, size, date."""
    known = file.metadata
    last = known["test"][-1] if known["test"] else {}
    return {
        "path": str(file.path),
        "family": known["family"],
        "preset": known["preset"],
        "test": last.get("name"),
        "accuracy": last.get("accuracy"),
        "bytes": file.path.stat().st_size,
        "created": known["created"],
    }
