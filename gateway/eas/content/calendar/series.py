"""Recurrence (MS-ASCAL 2.2.2.37): the element to the values of `pim`, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from gateway.eas.content.calendar.times import When, shown
from gateway.eas.content.readers import integer, moment, once
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.events.model import Event, Recurrence
from gateway.pim.recurrence import Pattern
from wbxml import Element, Tag, element
from wbxml.pages import Calendar

__all__ = ["read_recurrence", "shown_recurrence"]

_MOST = 999
_NO_CALENDARS = frozenset({13, 16, 17, 18, 19, 21, 22, 23})
"""Values of CalendarType that are not allowed (MS-ASCAL 2.2.2.10)."""
_LAST_CALENDAR = 23
_MONDAY = 1
_MIDNIGHT = time()
_PATTERNS: dict[int | None, Pattern] = {int(one): one for one in Pattern}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The children a Type must have, and those it may."""

    required: frozenset[Tag]
    allowed: frozenset[Tag]


_DAYS, _DATE = Calendar.DayOfWeek, Calendar.DayOfMonth
_WEEK, _MONTH = Calendar.WeekOfMonth, Calendar.MonthOfYear
_OF_TYPES = frozenset({_DAYS, _DATE, _WEEK, _MONTH})
_SHAPES = {
    Pattern.DAILY: _Shape(frozenset(), frozenset({_DAYS})),
    Pattern.WEEKLY: _Shape(frozenset({_DAYS}), frozenset({_DAYS})),
    Pattern.MONTHLY: _Shape(frozenset({_DATE}), frozenset({_DATE})),
    Pattern.MONTHLY_NTH: _Shape(frozenset({_DAYS, _WEEK}), frozenset({_DAYS, _WEEK})),
    Pattern.YEARLY: _Shape(frozenset({_DATE, _MONTH}), frozenset({_DATE, _MONTH})),
    Pattern.YEARLY_NTH: _Shape(frozenset({_WEEK, _MONTH}), frozenset({_DAYS, _WEEK, _MONTH})),
}
_IN_YEAR = frozenset({Pattern.YEARLY, Pattern.YEARLY_NTH})
_IN_MONTH = _IN_YEAR | {Pattern.MONTHLY, Pattern.MONTHLY_NTH}


def read_recurrence(data: Element, version: Version, event: Event | None, when: When) -> Recurrence | None:
    """What a device says how an event repeats that begins at `when`.

    None: not, because there is no such element, or (since 16.0) an empty one. Raises `BadItem`.
    """
    told = once(data, Calendar.Recurrence)
    if told is None or (not told.children and version >= Version.V16_0):
        return None
    pattern = _pattern(told, event, version)
    shape = _SHAPES[pattern]
    given = {child.tag for child in told if child.text().strip()} & _OF_TYPES
    if not shape.required <= given <= shape.allowed:
        raise BadItem(f"a Recurrence of Type {int(pattern)} with what belongs to another, or without its own")
    occurrences = integer(told, Calendar.Occurrences, 1, _MOST)
    until = moment(told, Calendar.Until) if occurrences is None else None
    days = integer(told, _DAYS, 1, 127) or 0
    if pattern is Pattern.YEARLY_NTH and not days:
        days = 1 << (when.start.weekday() + 1) % 7
    calendar_type, leap_month = _calendar(told, version, event)
    first_day = integer(told, Calendar.FirstDayOfWeek, 0, 6) if version >= Version.V14_1 else None
    return Recurrence(
        pattern,
        integer(told, Calendar.Interval, 0, _MOST) or 1,
        occurrences,
        _end(until, when, version) if until else None,
        days,
        integer(told, _DATE, 1, 31),
        integer(told, _WEEK, 1, 5),
        integer(told, _MONTH, 1, 12),
        _known_first_day(event) if first_day is None else first_day,
        calendar_type if pattern in _IN_MONTH else 0,
        leap_month and pattern in _IN_YEAR,
    )


def shown_recurrence(event: Event, recurrence: Recurrence, version: Version) -> Element:
    """The element of a series."""
    return element(Calendar.Recurrence, *_shown(event, recurrence, version))


def _pattern(told: Element, event: Event | None, version: Version) -> Pattern:
    """The Type, which later versions may leave out when it stays the same."""
    number = integer(told, Calendar.Type, min(Pattern), max(Pattern))
    if number is None and version >= Version.V16_0 and event and event.recurrence:
        return event.recurrence.pattern
    found = _PATTERNS.get(number)
    if found is None:
        raise BadItem("a Recurrence without a Type, or of one that there is not")
    return found


def _known_first_day(event: Event | None) -> int:
    return event.recurrence.first_day if event and event.recurrence else _MONDAY


def _calendar(told: Element, version: Version, event: Event | None) -> tuple[int, bool]:
    """CalendarType and IsLeapMonth; for devices that know neither what they are already."""
    if version < Version.V14_0:
        known = event.recurrence if event else None
        return (known.calendar_type, known.leap_month) if known else (0, False)
    number = integer(told, Calendar.CalendarType, 0, _LAST_CALENDAR) or 0
    if number in _NO_CALENDARS:
        raise BadItem(f"a CalendarType of {number}")
    return number, bool(integer(told, Calendar.IsLeapMonth, 0, 1))


def _end(until: datetime, when: When, version: Version) -> datetime:
    """The last start a series may have, in UTC.

    Devices name that, or its date alone, or the end of its day. Raises `BadItem` when it is before the first.
    """
    local = until.astimezone(when.zone)
    usual = when.start.time()
    dates_in_utc = when.all_day and version >= Version.V16_0
    if until.time() == _MIDNIGHT and (dates_in_utc or local.time() != usual):
        last = datetime.combine(until.date(), usual, when.zone)
    elif when.all_day:
        last = datetime.combine(local.date(), usual, when.zone)
    else:
        last = local
    if last.date() < when.start.date():
        raise BadItem("a Recurrence that ends before it begins")
    return max(last.astimezone(UTC), when.start.astimezone(UTC))


def _shown(event: Event, recurrence: Recurrence, version: Version) -> Iterator[Element]:
    pattern = recurrence.pattern
    yield element(Calendar.Type, int(pattern))
    yield element(Calendar.Interval, recurrence.interval)
    if recurrence.occurrences is not None:
        yield element(Calendar.Occurrences, recurrence.occurrences)
    elif recurrence.until is not None:
        until = recurrence.until.astimezone(event.zone)
        yield element(Calendar.Until, shown(until, version, all_day=event.all_day))
    for tag, number in (
        (_WEEK, recurrence.week),
        (_DATE, recurrence.day_of_month),
        (_DAYS, recurrence.days or None),
        (_MONTH, recurrence.month),
    ):
        if number is not None:
            yield element(tag, number)
    if version >= Version.V14_0 and pattern in _IN_MONTH:
        yield element(Calendar.CalendarType, recurrence.calendar_type)
    if version >= Version.V14_0 and pattern in _IN_YEAR:
        yield element(Calendar.IsLeapMonth, recurrence.leap_month)
    if version >= Version.V14_1 and pattern is Pattern.WEEKLY:
        yield element(Calendar.FirstDayOfWeek, recurrence.first_day)
