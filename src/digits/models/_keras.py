"""Import Keras quickly and quietly."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

# Keras imports these when it finds them, only to offer wrappers, to accept data frames and to draw,
# none of which we ask of it; that would make the import half as long again.
_UNUSED = ("sklearn", "pandas", "matplotlib")


def import_keras() -> Any:
    """The module `keras`, without its optional imports and without start-up messages."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # "import name" raises ImportError
    try:
        return importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]
