"""Recurrence (MS-ASCAL 2.2.2.37, MS-ASTASK 2.2.2.20), as far as the two pages have it alike, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.eas.content.readers import integer
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.recurrence import Pattern, Recurrence
from wbxml import Element, Tag, element
from wbxml.pages import Calendar, Tasks

__all__ = ["IN_MONTH", "Repeating", "can_be_told"]

_MOST_OCCURRENCES = 999
_MOST = 999
_NO_CALENDARS = frozenset({13, 16, 17, 18, 19, 21, 22, 23})
"""Values of CalendarType that are not allowed (MS-ASCAL 2.2.2.10)."""
_LAST_CALENDAR = 23
_MONDAY = 1
_PATTERNS: dict[int | None, Pattern] = {int(one): one for one in Pattern}
_IN_YEAR = frozenset({Pattern.YEARLY, Pattern.YEARLY_NTH})
IN_MONTH = _IN_YEAR | {Pattern.MONTHLY, Pattern.MONTHLY_NTH}
"""Patterns that count by the months of a calendar."""


def can_be_told(recurrence: Recurrence, version: Version) -> bool:
    """Whether a version has words for it: up to 12.1 all counts by the Gregorian calendar."""
    return version >= Version.V14_0 or recurrence.gregorian


@dataclass(frozen=True, slots=True)
class _Shape:
    """The children a Type must have, and those it may, by name."""

    required: frozenset[str]
    allowed: frozenset[str]


_OF_TYPES = frozenset({"DayOfWeek", "DayOfMonth", "WeekOfMonth", "MonthOfYear"})
_SHAPES = {
    Pattern.DAILY: _Shape(frozenset(), frozenset({"DayOfWeek"})),
    Pattern.WEEKLY: _Shape(frozenset({"DayOfWeek"}), frozenset({"DayOfWeek"})),
    Pattern.MONTHLY: _Shape(frozenset({"DayOfMonth"}), frozenset({"DayOfMonth"})),
    Pattern.MONTHLY_NTH: _Shape(
        frozenset({"DayOfWeek", "WeekOfMonth"}), frozenset({"DayOfWeek", "WeekOfMonth"})
    ),
    Pattern.YEARLY: _Shape(
        frozenset({"DayOfMonth", "MonthOfYear"}), frozenset({"DayOfMonth", "MonthOfYear"})
    ),
    Pattern.YEARLY_NTH: _Shape(
        frozenset({"WeekOfMonth", "MonthOfYear"}), frozenset({"DayOfWeek", "WeekOfMonth", "MonthOfYear"})
    ),
}


class Repeating:
    """The children of Recurrence on one of the pages."""

    def __init__(self, page: type[Calendar] | type[Tasks]) -> None:
        self._type: Tag = page.Type
        self._interval: Tag = page.Interval
        self._days: Tag = page.DayOfWeek
        self._date: Tag = page.DayOfMonth
        self._week: Tag = page.WeekOfMonth
        self._month: Tag = page.MonthOfYear
        self._calendar_type: Tag = page.CalendarType
        self._leap_month: Tag = page.IsLeapMonth
        self._first_day: Tag = page.FirstDayOfWeek
        self._occurrences: Tag = page.Occurrences

    def pattern(self, told: Element, known: Recurrence | None = None) -> Pattern:
        """The Type; one that is left out is the `known` one's. Raises `BadItem`."""
        number = integer(told, self._type, min(Pattern), max(Pattern))
        if number is None and known:
            return known.pattern
        found = _PATTERNS.get(number)
        if found is None:
            raise BadItem("a Recurrence without a Type, or of one that there is not")
        return found

    def read(
        self,
        told: Element,
        version: Version,
        pattern: Pattern,
        known: Recurrence | None,
        *,
        weekday: int,
        bare: bool = False,
    ) -> Recurrence:
        """What a device says, but for Until. Raises `BadItem`.

        `known` is what was said before, for what the version of the device lacks; `weekday` (0 is Sunday) is
        that of the first occurrence. A `bare` one may leave out the days it belongs to.
        """
        shape = _SHAPES[pattern]
        given = {child.tag.name for child in told if child.text().strip()} & _OF_TYPES
        if not (frozenset() if bare else shape.required) <= given <= shape.allowed:
            raise BadItem(
                f"a Recurrence of Type {int(pattern)} with what belongs to another, or without its own"
            )
        days = integer(told, self._days, 1, 127) or 0
        if pattern is Pattern.YEARLY_NTH and not days and not bare:
            days = 1 << weekday
        calendar_type, leap_month = self._calendar(told, version, known)
        first_day = integer(told, self._first_day, 0, 6) if version >= Version.V14_1 else None
        if first_day is None:
            first_day = known.first_day if known else _MONDAY
        return Recurrence(
            pattern,
            integer(told, self._interval, 0, _MOST) or 1,
            integer(told, self._occurrences, 1, _MOST_OCCURRENCES),
            None,
            days,
            integer(told, self._date, 1, 31),
            integer(told, self._week, 1, 5),
            integer(told, self._month, 1, 12),
            first_day,
            calendar_type if pattern in IN_MONTH else 0,
            leap_month and pattern in _IN_YEAR,
        )

    def shown_type(self, recurrence: Recurrence) -> Iterator[Element]:
        """Type and Interval."""
        yield element(self._type, int(recurrence.pattern))
        yield element(self._interval, recurrence.interval)

    def shown_pattern(self, recurrence: Recurrence, version: Version) -> Iterator[Element]:
        """All but Type, Interval and when it begins and ends."""
        for tag, number in (
            (self._week, recurrence.week),
            (self._date, recurrence.day_of_month),
            (self._days, recurrence.days or None),
            (self._month, recurrence.month),
        ):
            if number is not None:
                yield element(tag, number)
        if version >= Version.V14_0 and recurrence.pattern in IN_MONTH:
            yield element(self._calendar_type, recurrence.calendar_type)
        if version >= Version.V14_0 and recurrence.pattern in _IN_YEAR:
            yield element(self._leap_month, recurrence.leap_month)
        if version >= Version.V14_1 and recurrence.pattern is Pattern.WEEKLY:
            yield element(self._first_day, recurrence.first_day)

    def _calendar(self, told: Element, version: Version, known: Recurrence | None) -> tuple[int, bool]:
        """CalendarType and IsLeapMonth; for devices that know neither what they are already."""
        if version < Version.V14_0:
            return (known.calendar_type, known.leap_month) if known else (0, False)
        number = integer(told, self._calendar_type, 0, _LAST_CALENDAR) or 0
        if number in _NO_CALENDARS:
            raise BadItem(f"a CalendarType of {number}")
        return number, bool(integer(told, self._leap_month, 0, 1))
