"""Figures as a table on the screen, as JSON, and in RESULTS.md.

results.json holds the newest value of every figure, each with its date and commit, so that some may be
measured again without the others; the table in RESULTS.md is made of it, the text around the table stays.
What comes of the figures for many devices stands there too, and in the administrator's page on sizes.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import capacity_page
from tests.bench.figures import FIGURES, Figure, Measured
from tests.bench.numbers import number

__all__ = ["block", "capacity_block", "document", "sizing_block", "table", "write"]

RESULTS = Path(__file__).with_name("RESULTS.md")
SIZING = Path(__file__).parents[2] / "deploy" / "sizing.md"
VALUES = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
BEGIN_CAPACITY, END_CAPACITY = "<!-- capacity -->", "<!-- end of capacity -->"

Document = Mapping[str, Any]

_BY_NAME = {figure.name: figure for figure in FIGURES}
_HEAD = ("figure", "SOGo 5.8", "Z-Push 2.7", "target", "measured", "", "without", "ratio")
_VERDICTS = {True: "met", False: "missed", None: ""}


def table(measured: Sequence[Measured]) -> str:
    """Return the figures in columns."""
    rows = [_HEAD, *(_cells(_BY_NAME[each.name], each.value, each.raw) for each in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(figure: Figure, value: float, raw: float | None) -> tuple[str, ...]:
    return (
        figure.title,
        figure.sogo,
        figure.zpush,
        "" if figure.target is None else number(figure.target, figure.unit),
        number(value, figure.unit),
        _VERDICTS[figure.met(value)],
        "" if raw is None else number(raw, figure.unit),
        f"{value / raw:.2f}" if raw else "",
    )


def document(measured: Sequence[Measured]) -> Document:
    """Return everything that is known of a run."""
    when = {"date": datetime.now(UTC).date().isoformat(), "commit": _commit()}
    return {
        "machine": _machine(),
        "figures": {
            each.name: {
                "value": round(each.value, 3),
                "raw": None if each.raw is None else round(each.raw, 3),
                **when,
                "details": dict(each.details),
            }
            for each in measured
        },
    }


def _machine() -> str:
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} processors ({model[1] if model else platform.machine()}), {memory:.0f} GiB,"
        f" Linux {platform.release()}, Python {platform.python_version()}"
    )


def _commit() -> str:
    """Return the commit, with a + when something is not committed; "" outside of a repository."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


# --- RESULTS.md --------------------------------------------------------------------------------------------


def write(new: Document) -> None:
    """Put figures into results.json, and the table made of all that is there into RESULTS.md."""
    old: Document = json.loads(VALUES.read_text()) if VALUES.exists() else {"figures": {}}
    figures = {**old["figures"], **new["figures"]}
    known = {figure.name: figures[figure.name] for figure in FIGURES if figure.name in figures}
    both = {"machine": new["machine"], "figures": known}
    VALUES.write_text(json.dumps(both, indent=1, ensure_ascii=False) + "\n")
    _put(RESULTS, BEGIN, block(both), END)
    if all(figure.name in known for figure in FIGURES if figure.for_capacity):
        _put(RESULTS, BEGIN_CAPACITY, capacity_block(both), END_CAPACITY)
        _put(SIZING, BEGIN_CAPACITY, sizing_block(both), END_CAPACITY)


def _put(page: Path, begin: str, new: str, end: str) -> None:
    """Put new text, which has the marks, in the place of what stands between them; nothing without them."""
    head, mark, rest = page.read_text().partition(begin)
    if mark:
        page.write_text(head + new + rest.partition(end)[2])


def capacity_block(values: Document) -> str:
    """Return the part of RESULTS.md about capacity, with the marks around it."""
    figures: Mapping[str, Mapping[str, Any]] = values["figures"]
    found = (figures[figure.name] for figure in FIGURES if figure.for_capacity)
    taken = sorted({f"{each['commit']}, {each['date']}" for each in found})
    text = [f"Measured at {'; '.join(taken)}.", "", capacity_page.block(figures)]
    return "\n".join([BEGIN_CAPACITY, *text, END_CAPACITY])


def sizing_block(values: Document) -> str:
    """Return the part of the administrator's page on sizes that is made of figures, with its marks."""
    return "\n".join([BEGIN_CAPACITY, capacity_page.needs(values["figures"]), END_CAPACITY])


def block(values: Document) -> str:
    """Return the part of RESULTS.md that is made of figures, with the marks around it."""
    figures: Mapping[str, Mapping[str, Any]] = values["figures"]
    lines = [
        BEGIN,
        f"Machine: {values['machine']}.",
        "",
        f"| {' | '.join([*_HEAD, '`--only`', 'commit, date'])} |",
        "|---" * (len(_HEAD) + 2) + "|",
    ]
    shown = {name: found for name, found in figures.items() if not _BY_NAME[name].for_capacity}
    for name, found in shown.items():
        figure = _BY_NAME[name]
        cells = list(_cells(figure, found["value"], found["raw"]))
        cells[4] = f"**{cells[4]}**"
        when = f"{found['commit']}, {found['date']}"
        lines.append(f"| {' | '.join([*cells, figure.row or name, when])} |")
    lines += ["", "What else these runs showed:", ""]
    for name, found in shown.items():
        if found["details"]:
            said = ", ".join(f"{key} {_said(value)}" for key, value in found["details"].items())
            lines.append(f"- {name}: {said}")
    return "\n".join([*lines, END])


def _said(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
