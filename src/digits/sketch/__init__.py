"""Pictures that show what was seen: the way to one digit, and the digits found in a picture.

Drawn with Pillow alone: importing matplotlib takes longer than reading a digit.
"""

from __future__ import annotations

from .found import annotate
from .output import check_output, save
from .steps import show

__all__ = ["annotate", "check_output", "save", "show"]
