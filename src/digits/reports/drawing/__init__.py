"""Drawings of results: how single digits were read, and where digits were found in a picture.

Drawn with Pillow alone: importing matplotlib takes longer than reading a digit.
"""

from __future__ import annotations

from .files import check_output, save
from .reading import annotate
from .steps import show

__all__ = ["annotate", "check_output", "save", "show"]
