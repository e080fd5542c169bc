"""Import Keras quickly and without its start-up messages."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

_UNUSED = ("sklearn", "pandas", "matplotlib")
"""Optional imports of Keras (checked with 3.15): it wraps models for scikit-learn, accepts data
frames and draws models where these are installed. None of that is used here, and importing them
takes half as long again as Keras itself (4 s alone, 6.5 s with them). Keras has no switch for it.
A later Keras that needs one of them fails at once, with the ImportError of that module."""


def import_keras() -> Any:
    """The module `keras`, without its optional imports and without start-up messages."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # its import raises ImportError
    try:
        return importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]
