"""RRULE expanded (RFC 5545 3.3.10) in clock times, with a bound on the work whatever the rule is.

dateutil goes on until it finds something, and counts from the start of a series. So it is asked in pieces:
from near the time wanted, for some periods at once, which are paid for whether they hold anything or not.

Rules of other calendars (RSCALE) are taken for the same date of the Gregorian one, where the first occurrence
is: a birthday by the Hebrew calendar is expanded some days off in other years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dateutil import rrule
from dateutil.relativedelta import relativedelta

from gateway.pim.events.clock import LAST_YEAR
from gateway.pim.values import parse_moment, parse_rule

__all__ = ["Rule", "Work", "WorkDone", "read_expandable"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,5}", re.ASCII)
_BY_DAY = re.compile(r"([+-]?[0-9]{1,3})?(SU|MO|TU|WE|TH|FR|SA)", re.ASCII)
_WEEKDAYS = {"MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH}
_WEEKDAYS |= {"FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU}
_LISTS = {
    "BYMONTH": 12,
    "BYMONTHDAY": 31,
    "BYYEARDAY": 366,
    "BYWEEKNO": 53,
    "BYHOUR": 24,
    "BYMINUTE": 60,
    "BYSECOND": 60,
    "BYSETPOS": 366,
}
"""Lists of numbers, and the largest that makes sense."""
_MOST_TIMES = 1440
"""Times of a day."""
_LAST = datetime(LAST_YEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a clock time


@dataclass(frozen=True, slots=True)
class _Frequency:
    """What a FREQ is: dateutil's number, a period, the work of one, and how many are asked for at once."""

    number: Literal[0, 1, 2, 3, 4, 5, 6]
    period: relativedelta
    about: timedelta
    work: int
    most: int


_FREQUENCIES = {
    "YEARLY": _Frequency(rrule.YEARLY, relativedelta(years=1), timedelta(days=365.2425), 30, 10),
    "MONTHLY": _Frequency(rrule.MONTHLY, relativedelta(months=1), timedelta(days=30.436875), 5, 60),
    "WEEKLY": _Frequency(rrule.WEEKLY, relativedelta(weeks=1), timedelta(weeks=1), 2, 200),
    "DAILY": _Frequency(rrule.DAILY, relativedelta(days=1), timedelta(days=1), 1, 1000),
    "HOURLY": _Frequency(rrule.HOURLY, relativedelta(hours=1), timedelta(hours=1), 1, 1000),
    "MINUTELY": _Frequency(rrule.MINUTELY, relativedelta(minutes=1), timedelta(minutes=1), 1, 1000),
    "SECONDLY": _Frequency(rrule.SECONDLY, relativedelta(seconds=1), timedelta(seconds=1), 1, 1000),
}


class WorkDone(Exception):
    """As much work was done as is allowed; there may be more to find."""


@dataclass(slots=True)
class Work:
    """How much may be done: about so many days looked at, or times found."""

    left: int

    def do(self, amount: int) -> None:
        """Raises `WorkDone`."""
        self.left -= amount
        if self.left < 0:
            raise WorkDone


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that starts at a clock time. `until` is inclusive."""

    start: datetime
    frequency: _Frequency
    interval: int
    count: int | None
    until: datetime
    has_end: bool
    by: Mapping[str, Any] = field(repr=False)
    week_start: int = 0

    def times(self, after: datetime, work: Work) -> Iterator[datetime]:
        """The times from `after` on, in order. Raises `WorkDone`."""
        anchor = self._anchor(after)
        left, periods = self.count, 4
        while anchor <= self.until and (left is None or left > 0):
            work.do(periods * self.frequency.work)
            try:
                following = anchor + self.frequency.period * (self.interval * periods)
            except (ValueError, OverflowError):  # beyond the calendar
                following = self.until + timedelta(seconds=1)
            for time in self._between(anchor, min(following - timedelta(seconds=1), self.until)):
                if time < self.start:
                    continue
                if left is not None:
                    left -= 1
                    if left < 0:
                        return
                work.do(1)
                if time >= after:
                    yield time
            anchor, periods = following, min(periods * 2, self.frequency.most)

    def near_the_end(self) -> datetime:
        """A time not long before `until`, but a period or two."""
        away = 2 * self.interval * self.frequency.about + timedelta(days=40)
        return self.until - away if self.until - self.start > away else self.start

    def _anchor(self, after: datetime) -> datetime:
        """Where to begin: a period of the rule, the first of its days; the last one that is sure to help."""
        first = self.start
        match self.frequency.number:
            case rrule.YEARLY:
                first = first.replace(month=1, day=1)
            case rrule.MONTHLY:
                first = first.replace(day=1)
            case rrule.WEEKLY:
                first -= timedelta(days=(first.weekday() - self.week_start) % 7)
        ahead = (after - first) // (self.frequency.about * self.interval) - 1
        if self.count is None and ahead > 0:
            first += self.frequency.period * (self.interval * ahead)
        return first

    def _between(self, anchor: datetime, last: datetime) -> Iterator[datetime]:
        try:
            return iter(
                rrule.rrule(
                    self.frequency.number,
                    dtstart=anchor,
                    interval=self.interval,
                    until=last,
                    wkst=self.week_start,
                    **self.by,
                )
            )
        except ValueError:  # times that the interval never comes to
            return iter(())


def read_expandable(text: str, begin: datetime) -> Rule | None:
    """The rule of an RRULE for a series that starts at a time in its zone; None when it makes no sense."""
    start = begin.replace(tzinfo=None)
    rule = parse_rule(text)
    frequency = _FREQUENCIES.get(rule.get("FREQ", ""))
    interval = _number(rule.get("INTERVAL", "1"))
    count = rule.get("COUNT")
    if frequency is None or not interval or interval < 1 or (count is not None and not count.isdigit()):
        return None
    by = _by(rule, start, frequency)
    if by is None:
        return None
    until = _LAST
    if "UNTIL" in rule:
        end = parse_moment(rule["UNTIL"])
        if end is None:
            return None
        clock = min(end.clock.replace(hour=23, minute=59, second=59) if end.dated else end.clock, _LAST)
        if end.utc:
            clock = clock.replace(tzinfo=UTC).astimezone(begin.tzinfo).replace(tzinfo=None)
        until = min(clock, _LAST)
    week_start = _WEEKDAYS.get(rule.get("WKST", "MO"), rrule.MO).weekday
    number = None if count is None else int(count[:12])
    has_end = number is not None or until < _LAST
    return Rule(start, frequency, interval, number, until, has_end, by, week_start)


def _by(rule: Mapping[str, str], start: datetime, frequency: _Frequency) -> dict[str, Any] | None:
    """The lists of a rule as dateutil takes them, with what the start says where they are missing."""
    if rule.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        return _of_the_start(start, frequency)
    by: dict[str, Any] = {}
    times = 1
    for name, largest in _LISTS.items():
        if name not in rule:
            continue
        numbers = [_number(piece) for piece in rule[name].split(",")]
        fitting = {one for one in numbers if one is not None and abs(one) <= largest}
        if name in {"BYHOUR", "BYMINUTE", "BYSECOND"}:
            fitting = {one for one in fitting if 0 <= one < largest}
            times *= len(fitting)
        else:
            fitting.discard(0)
        if not fitting or len(numbers) > 2 * largest:
            return None
        by[name.lower()] = sorted(fitting)
    if "BYDAY" in rule:
        weekdays = [_BY_DAY.fullmatch(piece.strip()) for piece in rule["BYDAY"].split(",")]
        if not all(weekdays) or len(weekdays) > 7 * 107:
            return None
        by["byweekday"] = [_weekday(one) for one in weekdays if one]
    if times > _MOST_TIMES:
        return None
    return {**_missing(by, start, frequency), **by}


def _missing(by: Mapping[str, Any], start: datetime, frequency: _Frequency) -> dict[str, Any]:
    """What the start says of days where the rule does not: the first day of a period is no start."""
    if by.keys() & {"byweekno", "byyearday", "bymonthday", "byweekday"}:
        return {}
    match frequency.number:
        case rrule.YEARLY if "bymonth" not in by:
            return {"bymonth": [start.month], "bymonthday": [start.day]}
        case rrule.YEARLY | rrule.MONTHLY:
            return {"bymonthday": [start.day]}
        case rrule.WEEKLY:
            return {"byweekday": [start.weekday()]}
    return {}


def _of_the_start(start: datetime, frequency: _Frequency) -> dict[str, Any]:
    dates = list(range(28, start.day + 1)) or [start.day]
    by: dict[str, Any] = {"bymonthday": dates, "bysetpos": [-1]}
    return {**by, "bymonth": [start.month]} if frequency.number == rrule.YEARLY else by


def _weekday(by_day: re.Match[str]) -> rrule.weekday:
    weekday, number = _WEEKDAYS[by_day[2]], int(by_day[1] or 0)
    return weekday(number) if number else weekday


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text.strip()) else None
