"""Occurrences of a task that repeats: the next one, and how many there were."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import Enum

from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.rules import Work, WorkDone, read_expandable

__all__ = ["Standing", "following", "next_open", "passed", "regenerated"]

_WORK = 20_000
"""About half a century of days."""
_MONTHS = 12
_DAYS = {Pattern.DAILY: 1, Pattern.WEEKLY: 7}


class Standing(Enum):
    """What there is instead of a next occurrence."""

    DONE = "none is left"
    UNKNOWN = "it would be too much work to find out, or the rule makes no sense"


def next_open(rule: str, anchor: datetime, gone: Collection[datetime]) -> datetime | Standing:
    """The first occurrence that is not among those that are `gone`."""
    try:
        for one in _times(rule, anchor):
            if one not in gone:
                return one
    except (WorkDone, ValueError):
        return Standing.UNKNOWN
    return Standing.DONE


def following(
    rule: str, anchor: datetime, current: datetime, gone: Collection[datetime]
) -> tuple[datetime, int] | Standing:
    """The open occurrence after the `current` one, and how many there are before it from `anchor` on."""
    before = 0
    try:
        for one in _times(rule, anchor):
            if one > current and one not in gone:
                return one, before
            before += 1
    except (WorkDone, ValueError):
        return Standing.UNKNOWN
    return Standing.DONE


def passed(rule: str, began: datetime, anchor: datetime) -> int:
    """How many occurrences there are from where the series began to before the day of `anchor`."""
    count = 0
    try:
        for one in _times(rule, began):
            if one.date() >= anchor.date():
                break
            count += 1
    except (WorkDone, ValueError):
        return count
    return count


def regenerated(rule: Recurrence, anchor: datetime, done: datetime) -> datetime:
    """When a task is due again that was due at `anchor` and `done` then: at the same time of day."""
    day = done.astimezone(anchor.tzinfo).replace(tzinfo=None)
    base = datetime.combine(day, anchor.time())
    if rule.pattern in _DAYS:
        base += timedelta(days=rule.interval * _DAYS[rule.pattern])
    else:
        in_years = rule.pattern in {Pattern.YEARLY, Pattern.YEARLY_NTH}
        months = base.month - 1 + rule.interval * (_MONTHS if in_years else 1)
        year, month = base.year + months // _MONTHS, months % _MONTHS + 1
        base = base.replace(year=year, month=month, day=min(base.day, calendar.monthrange(year, month)[1]))
    return base.replace(tzinfo=anchor.tzinfo)


def _times(rule: str, start: datetime) -> Iterator[datetime]:
    """The occurrences. Raises `WorkDone`, `ValueError` for a rule without sense."""
    read = read_expandable(rule, start)
    if read is None:
        raise ValueError(rule)
    for clock in read.times(read.start, Work(_WORK)):
        yield clock.replace(tzinfo=start.tzinfo)
