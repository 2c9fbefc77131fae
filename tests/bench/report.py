"""Figures as a table and as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench.figures import FIGURES, Figure, Measured

__all__ = ["document", "table"]

_BY_NAME = {figure.name: figure for figure in FIGURES}
_VERDICTS = {True: "met", False: "missed", None: ""}
_HEAD = ("figure", "SOGo 5.8", "Z-Push 2.7", "target", "measured", "", "without", "ratio")


def table(measured: Sequence[Measured]) -> str:
    """Return the figures in columns."""
    rows = [_HEAD, *(_cells(_BY_NAME[each.name], each) for each in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(figure: Figure, measured: Measured) -> tuple[str, ...]:
    raw = measured.raw
    ratio = "" if not raw else f"{measured.value / raw:.2f}"
    return (
        figure.title,
        figure.sogo,
        figure.zpush,
        "" if figure.target is None else _number(figure.target, figure.unit),
        _number(measured.value, figure.unit),
        _VERDICTS[figure.met(measured.value)],
        "" if raw is None else _number(raw, figure.unit),
        ratio,
    )


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    text = f"{value:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def document(measured: Sequence[Measured]) -> dict[str, object]:
    """Return everything that is known of a run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "processors": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "figures": [
            {
                "name": each.name,
                "unit": _BY_NAME[each.name].unit,
                "target": _BY_NAME[each.name].target,
                "value": round(each.value, 3),
                "met": _BY_NAME[each.name].met(each.value),
                "raw": each.raw and round(each.raw, 3),
                **each.details,
            }
            for each in measured
        ],
    }


def _commit() -> str:
    """Return the commit, with a + when something is not committed; "" outside of a repository."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
