"""When a VEVENT is, to tell whether another version of it is at another time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.pim.clock import Clock
from gateway.pim.itip.message import Parts
from gateway.pim.length import later
from gateway.pim.limits import MOST_DATES
from gateway.pim.lines import Property
from gateway.pim.tree import Node
from gateway.pim.values import FIRST_YEAR, LAST_YEAR, moment_of, parse_moment, parse_rule

__all__ = ["Timing", "clock_of", "deleted", "in_place", "timing"]

Timing = tuple[object, ...]


def clock_of(parts: Parts | None) -> Clock:
    """What reads the times of a calendar."""
    return Clock(parts.calendar.component if parts else Node.new("VCALENDAR").component, UTC)


def timing(event: Node, clock: Clock) -> Timing:
    """What makes two versions be at the same time."""
    read = event.component
    start = clock.of(read.get("DTSTART"))
    if start is None:
        return (None,)
    dated = _is_dated(read.get("DTSTART"))
    end = clock.end(read, start, all_day=dated)
    dates = sorted(one.value for one in read.all("RDATE"))
    rule = frozenset(parse_rule(read.text("RRULE")).items())
    return dated, start.astimezone(UTC), end.astimezone(UTC), rule, tuple(dates)


def in_place(event: Node, original: datetime, series: Node, before: Clock, after: Clock) -> bool:
    """Whether an occurrence is where the series has it."""
    read = event.component
    start, first = after.of(read.get("DTSTART")), before.of(series.component.get("DTSTART"))
    if start is None or first is None:
        return True
    dated = _is_dated(read.get("DTSTART"))
    end = after.end(read, start, all_day=dated)
    usual = before.length(series.component, first, all_day=_is_dated(series.component.get("DTSTART")))
    there = start.replace(tzinfo=None) if original.tzinfo is None else start.astimezone(UTC)
    away = end.astimezone(UTC) - later(start, usual).astimezone(UTC)
    return there == original and abs(away) < timedelta(seconds=1)


def _is_dated(found: Property | None) -> bool:
    told = moment_of(found)
    return told is not None and told.dated


def deleted(series: Node | None, clock: Clock) -> frozenset[datetime]:
    """The occurrences that a series leaves out (EXDATE), as `Instance` has them."""
    found: set[datetime] = set()
    for listed in series.component.all("EXDATE") if series else ():
        for text in listed.value.split(",")[:MOST_DATES]:
            told = parse_moment(text, listed.params)
            if told and FIRST_YEAR <= told.clock.year <= LAST_YEAR:
                found.add(told.clock if told.dated else clock.at(told).astimezone(UTC))
    return frozenset(found)
