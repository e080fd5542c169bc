"""Numbers and names as text for people."""

from __future__ import annotations


def percent(probability: float) -> str:
    """A probability as a percentage with one decimal: `97.2%`.

    Nothing that a model says is certain, so it never reads 100 % or 0 %: `>99.9%`, `<0.1%`.
    """
    if probability >= 0.9995:
        return ">99.9%"
    return "<0.1%" if probability < 0.0005 else f"{100 * probability:.1f}%"


def printable(text: object) -> str:
    """`text` on one line and without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in str(text))
