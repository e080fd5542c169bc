"""Train, evaluate and use handwritten-digit recognizers.

    >>> from digits import Recognizer
    >>> Recognizer("cnn").predict("seven.png").digit
    7

`load` and `Dataset` read and hold digits, `train` makes a model, `evaluate` scores it, and
`Recognizer` and `Reader` use it. Every error that is raised on purpose is a `DigitsError`.
Importing this package is cheap: a name's module is imported when the name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data.dataset import Dataset as Dataset
    from .data.dataset import Splits as Splits
    from .errors import DataError as DataError
    from .errors import DigitsError as DigitsError
    from .errors import ModelError as ModelError
    from .errors import OutputError as OutputError
    from .errors import PictureError as PictureError
    from .evaluation.evaluate import Evaluation as Evaluation
    from .evaluation.evaluate import evaluate as evaluate
    from .evaluation.metrics import DigitScore as DigitScore
    from .evaluation.metrics import Score as Score
    from .imaging.decode import Named as Named
    from .imaging.decode import Picture as Picture
    from .imaging.decode import Source as Source
    from .imaging.foreground import Ink as Ink
    from .ingest.sources import load as load
    from .models.file import ModelFile as ModelFile
    from .models.metadata import DatasetInfo as DatasetInfo
    from .models.metadata import Epoch as Epoch
    from .models.metadata import ModelMetadata as ModelMetadata
    from .models.metadata import Point as Point
    from .models.metadata import ScoreInfo as ScoreInfo
    from .models.metadata import StartedFrom as StartedFrom
    from .recognition.preprocess import Preprocessed as Preprocessed
    from .recognition.preprocess import preprocess as preprocess
    from .recognition.reader import Reader as Reader
    from .recognition.recognizer import Recognizer as Recognizer
    from .recognition.results import Outcome as Outcome
    from .recognition.results import Prediction as Prediction
    from .recognition.results import ReadDigit as ReadDigit
    from .recognition.results import Reading as Reading
    from .recognition.results import Reason as Reason
    from .training.callback import Callback as Callback
    from .training.recipe import Augment as Augment
    from .training.recipe import Plateau as Plateau
    from .training.recipe import Recipe as Recipe
    from .training.run import train as train
    from .training.trained import Trained as Trained

_MODULES = {
    ".data.dataset": ("Dataset", "Splits"),
    ".errors": ("DataError", "DigitsError", "ModelError", "OutputError", "PictureError"),
    ".evaluation.evaluate": ("Evaluation", "evaluate"),
    ".evaluation.metrics": ("DigitScore", "Score"),
    ".ingest.sources": ("load",),
    ".imaging.decode": ("Named", "Picture", "Source"),
    ".imaging.foreground": ("Ink",),
    ".models.file": ("ModelFile",),
    ".models.metadata": (
        "DatasetInfo",
        "Epoch",
        "ModelMetadata",
        "Point",
        "ScoreInfo",
        "StartedFrom",
    ),
    ".recognition.preprocess": ("Preprocessed", "preprocess"),
    ".recognition.reader": ("Reader",),
    ".recognition.recognizer": ("Recognizer",),
    ".recognition.results": ("Outcome", "Prediction", "ReadDigit", "Reading", "Reason"),
    ".training.callback": ("Callback",),
    ".training.recipe": ("Augment", "Plateau", "Recipe"),
    ".training.run": ("train",),
    ".training.trained": ("Trained",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name], __name__), name)
        globals()[name] = value
        return value
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
