"""The course of a training within its epochs, for a training of few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..models.metadata import Point

MAX_EPOCHS = 3
"""Of a training whose epochs are looked into; of more, their ends make a curve."""

POINTS = 20
VALIDATIONS = 4
"""In an epoch; each takes as long as some ten steps."""


def is_due(points: Sequence[Point], fraction: float) -> bool:
    """Whether the epoch, of which this fraction (0..1) is done, gets another point now."""
    return fraction - _last(points) >= 1 / POINTS or fraction >= 1


def validation_is_due(points: Sequence[Point], fraction: float) -> bool:
    """Whether that point gets a validation; the one at the end of the epoch has one anyway."""
    return int(fraction * VALIDATIONS) > int(_last(points) * VALIDATIONS) and fraction < 1


def next_point(
    points: Sequence[Point],
    fraction: float,
    means: Mapping[str, float],
    validation: Mapping[str, float],
) -> Point:
    """The next point of an epoch.

    Args:
        points: Those before it.
        fraction: Of the epoch that is done, 0..1.
        means: `loss` and `accuracy` since the epoch began, as Keras counts them.
        validation: `loss` and `accuracy` on the validation images, if they were scored.
    """
    since = fraction - _last(points)

    def of_these_steps(name: str) -> float:
        """The mean since the last point."""
        before, start = 0.0, 0.0
        for point in points:
            before += (point.fraction - start) * getattr(point, name)
            start = point.fraction
        return (means[name] * fraction - before) / since

    return Point(
        fraction,
        loss=of_these_steps("loss"),
        accuracy=of_these_steps("accuracy"),
        val_loss=validation.get("loss"),
        val_accuracy=validation.get("accuracy"),
    )


def _last(points: Sequence[Point]) -> float:
    return points[-1].fraction if points else 0.0
