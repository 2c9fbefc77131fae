"""Curves as lines in a box of 100 by 100, for SVG that the page stretches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.web.admin.samples import KEPT, Curves

__all__ = ["Chart", "Line", "charts_of"]

_HEADROOM = 1.1


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: what it is called, its value now, and the strokes it is drawn by ("x,y x,y ...")."""

    name: str
    kind: str
    now: str
    strokes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over the same hour. `top` is the value at the upper edge, `said` all of it in a sentence."""

    title: str
    top: str
    lines: tuple[Line, ...]
    said: str


def charts_of(curves: Curves) -> tuple[Chart, ...]:
    """The charts of a page."""
    return (
        _chart("Requests", _rate, 1.0, ("all", "first", curves.requests)),
        _chart("Phones that wait", _count, 5.0, ("waiting", "first", curves.held)),
        _chart(
            "Time to answer",
            _seconds,
            0.1,
            ("median", "first", curves.median),
            ("95th percentile", "other", curves.slow),
        ),
        _chart("Failures (HTTP 5xx)", _rate, 0.1, ("failures", "bad", curves.failures)),
    )


def _chart(
    title: str,
    written: Callable[[float], str],
    least: float,
    *curves: tuple[str, str, Sequence[float | None]],
) -> Chart:
    """`least` is the lowest value at the upper edge, so that next to nothing does not look like much."""
    highest = max((value for _, _, values in curves for value in values if value is not None), default=0.0)
    top = max(least, highest * _HEADROOM)
    lines = tuple(
        Line(name, kind, _last(values, written), _strokes(values, top)) for name, kind, values in curves
    )
    said = "; ".join(f"{one.name} {one.now} now" for one in lines)
    return Chart(title, written(top), lines, f"{title} in the last hour: {said}, {written(highest)} at most")


def _last(values: Sequence[float | None], written: Callable[[float], str]) -> str:
    last = values[-1] if values else None
    return "–" if last is None else written(last)


def _strokes(values: Sequence[float | None], top: float) -> tuple[str, ...]:
    """The line through the values, broken where there is none; the newest is at the right edge."""
    strokes: list[list[str]] = [[]]
    first = KEPT - len(values) + 1
    for number, value in enumerate(values, first):
        if value is None:
            strokes.append([])
            continue
        strokes[-1].append(f"{100 * number / KEPT:.2f},{100 - 100 * min(value, top) / top:.2f}")
    # One point alone is a short line.
    return tuple(" ".join(one if len(one) > 1 else one * 2) for one in strokes if one)


def _rate(value: float) -> str:
    return f"{value:.1f}/s" if value < 10 else f"{value:.0f}/s"


def _count(value: float) -> str:
    return f"{value:.0f}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
