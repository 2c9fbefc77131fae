"""Recurrence of tasks (MS-ASTASK 2.2.2.20): the element to the values of `pim`, and back.

Start and Until are by the clock of the task. A task that regenerates needs no days: it is due so many periods
after it was done. DeadOccur tells an occurrence that is done from the series it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, tzinfo

from gateway.eas.content.readers import boolean, integer, moment, once
from gateway.eas.content.repeating import IN_MONTH, Repeating
from gateway.eas.content.tasks.dates import by_the_clock, shown_clock
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.tasks.model import Repetition
from wbxml import Element, element
from wbxml.pages import Tasks

__all__ = ["CHILDREN", "read_repetition", "shown_repetition"]

CHILDREN = (
    *(Tasks.Type, Tasks.Start, Tasks.Until, Tasks.Occurrences, Tasks.Interval),
    *(Tasks.DayOfWeek, Tasks.DayOfMonth, Tasks.WeekOfMonth, Tasks.MonthOfYear),
    *(Tasks.Regenerate, Tasks.DeadOccur),
    *(Tasks.CalendarType, Tasks.IsLeapMonth, Tasks.FirstDayOfWeek),
)
_MIDNIGHT = time()
_LARGEST_BYTE = 255
_REPEATING = Repeating(Tasks)


def read_repetition(
    data: Element, version: Version, known: Repetition | None, anchor: datetime | None, zone: tzinfo
) -> Repetition | None:
    """What a device says how a task repeats; None: not.

    `anchor` is what the task starts at or is due, in the zone in which it is meant. Raises `BadItem`.
    """
    told = once(data, Tasks.Recurrence)
    if told is None or not told.children:
        return None
    pattern = _REPEATING.pattern(told)
    clock = moment(told, Tasks.Start)
    if clock is None:
        raise BadItem("a Recurrence without a Start")
    start = by_the_clock(clock, (anchor.tzinfo if anchor else None) or zone)
    if pattern not in IN_MONTH and version >= Version.V14_0 and told.child_text(Tasks.CalendarType):
        raise BadItem(f"a CalendarType in a Recurrence of Type {int(pattern)}")
    regenerates = bool(boolean(told, Tasks.Regenerate))
    rule = _REPEATING.read(
        told,
        version,
        pattern,
        known.rule if known else None,
        weekday=(start.weekday() + 1) % 7,
        bare=regenerates,
    )
    until = moment(told, Tasks.Until) if rule.occurrences is None else None
    if until:
        rule = replace(rule, until=_end(until, start, anchor))
    dead = bool(integer(told, Tasks.DeadOccur, 0, _LARGEST_BYTE))
    return Repetition(rule, start, regenerates, dead)


def shown_repetition(repetition: Repetition, version: Version) -> Element:
    """The element of a task that repeats."""
    return element(Tasks.Recurrence, *_shown(repetition, version))


def _end(until: datetime, start: datetime, anchor: datetime | None) -> datetime:
    """The last start a series may have, in UTC: devices name that, or its date alone. Raises `BadItem`."""
    if until.date() < start.date():
        raise BadItem("a Recurrence that ends before it begins")
    usual = (anchor or start).time()
    last = datetime.combine(until, usual if until.time() == _MIDNIGHT else until.time(), start.tzinfo)
    return last.astimezone(UTC)


def _shown(repetition: Repetition, version: Version) -> Iterator[Element]:
    rule, start = repetition.rule, repetition.start
    yield from _REPEATING.shown_type(rule)
    yield element(Tasks.Start, shown_clock(start))
    if rule.occurrences is not None:
        yield element(Tasks.Occurrences, rule.occurrences)
    elif rule.until is not None:
        yield element(Tasks.Until, shown_clock(rule.until.astimezone(start.tzinfo)))
    yield from _REPEATING.shown_pattern(rule, version)
    yield element(Tasks.Regenerate, repetition.regenerates)
    yield element(Tasks.DeadOccur, repetition.dead)
