"""Numbers as tables show them."""

from __future__ import annotations

__all__ = ["number"]


def number(value: float, unit: str = "") -> str:
    """Three digits or so, with the unit."""
    if 0 < abs(value) < 0.01:
        text = f"{value:.2g}"
    else:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}".rstrip()
