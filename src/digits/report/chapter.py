"""What a report says of one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Chapter:
    """What a report says of one model.

    evaluation: its scores and answers.
    history: its epochs, as `plots.curves` takes them; empty when it is not known.
    metadata: what the model file knows of itself; may be nested. Its `history` is not shown.
    """

    evaluation: Evaluation
    history: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
