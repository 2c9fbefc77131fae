"""What was found, for people: a line for each finding, and below it what to do."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

import click

from gateway.cli.check.parts import Row
from gateway.cli.common import shown
from gateway.ports.examining import Verdict

__all__ = ["show", "summary"]

_PART, _VERDICT = 14, 9
_INDENT = " " * (_PART + _VERDICT)
_WIDEST = 120
_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILURE: "red"}


def show(row: Row) -> None:
    """Print one row, as wide as the terminal."""
    finding = row.finding
    width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
    first, *rest = textwrap.wrap(finding.text, width - len(_INDENT), break_on_hyphens=False) or [""]
    verdict = click.style(finding.verdict.value.ljust(_VERDICT), fg=_COLOURS[finding.verdict])
    click.echo(f"{row.part.ljust(_PART)}{verdict}{shown(first)}")
    for line in rest:
        click.echo(f"{_INDENT}{shown(line)}")
    if finding.remedy:
        for line in textwrap.wrap(
            finding.remedy,
            width,
            initial_indent=f"{_INDENT}-> ",
            subsequent_indent=f"{_INDENT}   ",
            break_on_hyphens=False,
            break_long_words=False,
        ):
            click.echo(shown(line))


def summary(rows: Iterable[Row]) -> str:
    """How many of each there are."""
    verdicts = [row.finding.verdict for row in rows]
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    return f"{counts[Verdict.FAILURE]} failures, {counts[Verdict.WARNING]} warnings, {counts[Verdict.OK]} ok"
