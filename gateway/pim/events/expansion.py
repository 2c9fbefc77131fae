"""The occurrences of a series, bounded in work: no rule, count or list of dates can make them cost more."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from gateway.pim.events.model import Event
from gateway.pim.length import later
from gateway.pim.rules import Rule, Work, WorkDone, read_expandable
from gateway.pim.values import FIRST_YEAR, LAST_YEAR

__all__ = ["Instance", "bounds_of", "has_occurrences", "instances", "original_of", "originals_of", "starts"]

_WORK = 40_000
"""About a century of days: some tens of milliseconds."""
_DAY = timedelta(days=1)
_EARLIEST, _LATEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence: its times, when the series would have it, and the series or the exception it is of."""

    start: datetime
    end: datetime
    original: datetime
    event: Event


def instances(event: Event, start: datetime, end: datetime, work: Work | None = None) -> Iterator[Instance]:
    """The occurrences that are between two instants, if partly; by their start.

    One without length is there when it starts there. After too much work there are no more; `work` is what
    several events may cost together.
    """
    if start >= end:
        return
    changed = (
        Instance(one.event.start, one.event.end, one.original, one.event)
        for one in event.occurrences
        if one.event
    )
    shown = sorted((one for one in changed if _is_between(one, start, end)), key=_begin)
    yield from heapq.merge(_unchanged(event, start, end, work or Work(_WORK)), shown, key=_begin)


def starts(event: Event, after: datetime = _EARLIEST, work: Work | None = None) -> Iterator[datetime]:
    """When the rule and the dates beside it have occurrences, from `after` on; exceptions are not regarded.

    A single event has one. Raises `WorkDone` after too much work.
    """
    after = max(after, _EARLIEST)
    dates = event.extra if event.rule else (event.start, *event.extra)
    beside = sorted({one for one in dates if one >= after}, key=_instant)
    previous = None
    for one in heapq.merge(_ruled(event, after, work or Work(_WORK)), beside, key=_instant):
        if one != previous and one >= after:
            yield one
        previous = one


def original_of(event: Event, moment: datetime, work: Work | None = None) -> datetime | None:
    """The original start of the occurrence that somebody means by `moment`; None when there is none.

    It is that instant, or else the only occurrence of that day: devices make mistakes about time zones.
    `work` is what several questions may cost together.
    """
    day = _midnight(event, moment)
    on_that_day = {one.original for one in event.occurrences if day <= one.original < day + _DAY}
    try:
        for one in starts(event, day - _DAY, work):
            if one >= day + _DAY or moment in on_that_day:
                break
            if one >= day:
                on_that_day.add(one)
    except WorkDone:
        pass
    return _meant(event, moment, on_that_day)


def originals_of(event: Event, moments: Sequence[datetime]) -> Sequence[datetime | None]:
    """What `original_of` says of each of these moments.

    A rule with COUNT has to be followed from its start on: that is done once, and not for each of them.
    """
    rule = _rule(event)
    if not moments or (rule and rule.count is None):
        return [original_of(event, moment) for moment in moments]
    days: dict[date, set[datetime]] = {_day(event, moment): set() for moment in moments}
    for one in event.occurrences:
        days.get(_day(event, one.original), set()).add(one.original)
    last = max(days)
    try:
        for start in starts(event, _midnight(event, min(moments, key=_instant)) - _DAY):
            if (day := _day(event, start)) > last:
                break
            days.get(day, set()).add(start)
    except WorkDone:
        pass
    return [_meant(event, moment, days[_day(event, moment)]) for moment in moments]


def _meant(event: Event, moment: datetime, on_that_day: Set[datetime]) -> datetime | None:
    if moment in on_that_day:
        return moment.astimezone(event.zone)
    return next(iter(on_that_day)) if len(on_that_day) == 1 else None


def has_occurrences(event: Event) -> bool:
    """Whether the rule comes to an occurrence at all, as far as one can look."""
    try:
        return next(starts(event), None) is not None
    except WorkDone:
        return False


def bounds_of(event: Event) -> tuple[datetime | None, datetime | None]:
    """Start of the first and end of the last occurrence, in UTC; None for a series without end.

    Exceptions count with their times. What is too much work to find out has no end.
    """
    own = [one.event for one in event.occurrences if one.event]
    first = min(_instant(one.start) for one in (event, *own))
    rule = _rule(event)
    if rule and not rule.has_end:
        return first, None
    last = event.start
    try:
        near = rule.near_the_end().replace(tzinfo=event.zone) if rule and rule.count is None else _EARLIEST
        found = max(starts(event, near), default=None, key=_instant)
        last = max(found or (rule.until.replace(tzinfo=event.zone) if rule else last), last)
    except WorkDone:
        return first, None
    return first, max(_instant(one) for one in (later(last, event.length), *(other.end for other in own)))


def _unchanged(event: Event, start: datetime, end: datetime, work: Work) -> Iterator[Instance]:
    """The occurrences without exceptions."""
    length = event.length
    # A day more for changes of the clocks meanwhile.
    lowest = max(start, _EARLIEST + 2 * _DAY + length.about) - length.about - _DAY
    excepted = {one.original for one in event.occurrences}
    try:
        for original in starts(event, lowest, work):
            if original >= end:
                return
            found = Instance(original, later(original, length), original, event)
            if original not in excepted and _is_between(found, start, end):
                yield found
    except WorkDone:
        return


def _ruled(event: Event, lowest: datetime, work: Work) -> Iterator[datetime]:
    rule = _rule(event)
    if rule is None:
        return
    after = lowest.astimezone(event.zone).replace(tzinfo=None)
    for clock in rule.times(max(after - _DAY, rule.start), work):
        yield clock.replace(tzinfo=event.zone)


def _rule(event: Event) -> Rule | None:
    return read_expandable(event.rule, event.start) if event.rule else None


def _is_between(one: Instance, start: datetime, end: datetime) -> bool:
    return one.start < end and (one.end > start or one.start >= start)


def _day(event: Event, moment: datetime) -> date:
    return moment.astimezone(event.zone).date()


def _midnight(event: Event, moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(event.zone), time(), event.zone)


def _instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _begin(one: Instance) -> datetime:
    return one.start.astimezone(UTC)
