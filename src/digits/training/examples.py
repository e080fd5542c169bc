"""What a model is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


class Examples(Protocol):
    """What a model is fitted to; a `Dataset` is such.

    `images` are the model's inputs, (n, 28, 28) uint8 for whole models; `labels` are classes (n,)
    uint8, or probabilities of the classes (n, classes) float32.
    """

    @property
    def images(self) -> NDArray[Any]: ...
    @property
    def labels(self) -> NDArray[Any]: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class ArrayExamples:
    """Examples that are no `Dataset`; see `Examples` for the arrays."""

    images: NDArray[Any]
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)
