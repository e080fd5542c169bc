"""Any picture to the 28×28 that the models know."""

from __future__ import annotations

from .decode import Grey, Picture, decode
from .ink import Ink
from .normalize import Look, NoInkError, look, read_digit

__all__ = ["Grey", "Ink", "Look", "NoInkError", "Picture", "decode", "look", "read_digit"]
