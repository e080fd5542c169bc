"""Train, evaluate and use handwritten-digit recognisers.

    >>> from digits import Recognizer
    >>> Recognizer("cnn").predict("seven.png").digit
    7

`Dataset` and `load` hold and read digits, `train` makes a model, `Recognizer` uses one, `evaluate`
scores it; whatever goes wrong on purpose is a `DigitsError`. Importing this package is cheap: what
a name needs is imported when the name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data.dataset import Dataset as Dataset
    from .data.dataset import Splits as Splits
    from .data.sources import load as load
    from .errors import DigitsError as DigitsError
    from .evaluation import evaluate as evaluate
    from .reader import Reader as Reader
    from .recognizer import Prediction as Prediction
    from .recognizer import Recognizer as Recognizer
    from .training.run import train as train

_HOME = {
    "Dataset": ".data.dataset",
    "Splits": ".data.dataset",
    "load": ".data.sources",
    "DigitsError": ".errors",
    "evaluate": ".evaluation",
    "Prediction": ".recognizer",
    "Reader": ".reader",
    "Recognizer": ".recognizer",
    "train": ".training.run",
}
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name], __name__), name)
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
