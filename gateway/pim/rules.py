"""RRULE expanded (RFC 5545 3.3.10) in clock times, with a bound on the work whatever the rule is.

Period by period: the days of a period that fit, with the times of a day, of these those that BYSETPOS picks.
Each period costs, whether it holds anything or not, so that a rule that never comes to anything ends too.

Rules of other calendars (RSCALE) are taken for the same date of the Gregorian one, where the first occurrence
is: a birthday by the Hebrew calendar is expanded some days off in other years.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from gateway.pim.values import LAST_YEAR, parse_moment, parse_rule

__all__ = ["Rule", "Work", "WorkDone", "read_expandable"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,5}", re.ASCII)
_BY_DAY = re.compile(r"([+-]?[0-9]{1,3})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LARGEST = MappingProxyType(
    {
        "BYMONTH": 12,
        "BYMONTHDAY": 31,
        "BYYEARDAY": 366,
        "BYWEEKNO": 53,
        "BYHOUR": 23,
        "BYMINUTE": 59,
        "BYSECOND": 59,
        "BYSETPOS": 366,
    }
)
"""Lists of numbers, and the largest that makes sense."""
_OF_TIME = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
_OF_DAYS = frozenset({"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"})
_SECONDS = MappingProxyType({"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1})
_FREQUENCIES = frozenset({"YEARLY", "MONTHLY", "WEEKLY", "DAILY", *_SECONDS})
_WORK = MappingProxyType({"YEARLY": 40, "MONTHLY": 8, "WEEKLY": 3})
"""What looking at a period costs, in days."""
_LONGEST_LIST = 1000
_MOST_TIMES = 1440
"""Times of a day."""
_LAST = datetime(LAST_YEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a clock time
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


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
    """A rule that starts at a clock time. `until` is inclusive; `weekdays` have 0 for every one of a period.

    `lists` are those of the rule with what the start says where they are missing.
    """

    start: datetime
    frequency: str
    interval: int
    count: int | None
    until: datetime
    lists: Mapping[str, frozenset[int]]
    weekdays: frozenset[tuple[int, int]]
    week_start: int

    @property
    def has_end(self) -> bool:
        """Whether it comes to an end."""
        return self.count is not None or self.until < _LAST

    def times(self, after: datetime, work: Work) -> Iterator[datetime]:
        """The times from `after` on, in order. Raises `WorkDone`."""
        left = self.count
        # What is counted is counted from the start.
        first = self.start if self.count is not None else max(after, self.start)
        periods = self._short_periods if self.frequency in _SECONDS else self._periods
        for period in periods(first, work):
            for found in period:
                if found < self.start:
                    continue
                if found > self.until or left == 0:
                    return
                left = None if left is None else left - 1
                work.do(1)
                if found >= after:
                    yield found

    def near_the_end(self) -> datetime:
        """A time not long before `until`, but a period or two."""
        days = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7}.get(self.frequency, 1)
        away = timedelta(days=2 * self.interval * days + 40)
        return self.until - away if self.until - self.start > away else self.start

    # --- periods of days --------------------------------------------------------------------------------

    def _periods(self, after: datetime, work: Work) -> Iterator[Iterator[datetime]]:
        times = sorted(
            time(hour, minute, second)
            for hour in self.lists["BYHOUR"]
            for minute in self.lists["BYMINUTE"]
            for second in self.lists["BYSECOND"]
        )
        for days in self._days(after.date()):
            work.do(_WORK.get(self.frequency, 1))
            yield self._picked([day for day in days if self._fits(day)], times)

    def _days(self, after: date) -> Iterator[list[date]]:
        """The days of each period, but for those that the rule cannot mean."""
        start, interval = self.start.date(), self.interval
        match self.frequency:
            case "YEARLY":
                first = start.year + max(after.year - start.year, 0) // interval * interval
                for year in range(first, self.until.year + 1, interval):
                    yield self._days_of_year(year)
            case "MONTHLY":
                begin = start.year * 12 + start.month - 1
                first = begin + max(after.year * 12 + after.month - 1 - begin, 0) // interval * interval
                for month in range(first, self.until.year * 12 + self.until.month, interval):
                    yield self._days_of_month(month // 12, month % 12 + 1)
            case "WEEKLY":
                week = start - (start.weekday() - self.week_start) % 7 * _DAY
                for day in self._each(week, after, 7 * interval):
                    yield [day + number * _DAY for number in range(7)]
            case _:
                for day in self._each(start, after, interval):
                    yield [day]

    def _each(self, first: date, after: date, step: int) -> Iterator[date]:
        begin = first.toordinal()
        begin += max(after.toordinal() - begin, 0) // step * step
        for number in range(begin, self.until.toordinal() + 1, step):
            yield date.fromordinal(number)

    def _days_of_year(self, year: int) -> list[date]:
        months = sorted(self.lists.get("BYMONTH", range(1, 13)))
        return [day for month in months for day in self._days_of_month(year, month)]

    def _days_of_month(self, year: int, month: int) -> list[date]:
        length = calendar.monthrange(year, month)[1]
        dates = self.lists.get("BYMONTHDAY")
        if dates is None:
            return [date(year, month, day) for day in range(1, length + 1)]
        wanted = {one if one > 0 else length + 1 + one for one in dates}
        return [date(year, month, day) for day in sorted(wanted) if 1 <= day <= length]

    def _fits(self, day: date) -> bool:
        """Whether all lists of days have it."""
        lists = self.lists
        if "BYMONTH" in lists and day.month not in lists["BYMONTH"]:
            return False
        if "BYMONTHDAY" in lists:
            length = calendar.monthrange(day.year, day.month)[1]
            if not {day.day, day.day - length - 1} & lists["BYMONTHDAY"]:
                return False
        if "BYYEARDAY" in lists:
            number, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
            if not {number, number - length - 1} & lists["BYYEARDAY"]:
                return False
        if "BYWEEKNO" in lists and not self._week_numbers(day) & lists["BYWEEKNO"]:
            return False
        return not self.weekdays or self._is_weekday(day)

    def _is_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        if (0, weekday) in self.weekdays:
            return True
        if self.frequency == "MONTHLY" or (self.frequency == "YEARLY" and "BYMONTH" in self.lists):
            number, length = day.day, calendar.monthrange(day.year, day.month)[1]
        elif self.frequency == "YEARLY":
            number, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
        else:
            return any(one == weekday for _, one in self.weekdays)
        counted = (number - 1) // 7 + 1, -((length - number) // 7 + 1)
        return any((one, weekday) in self.weekdays for one in counted)

    def _week_numbers(self, day: date) -> set[int]:
        """The number of its week, counted from the first of the year and from the last."""
        year = day.year
        if day >= self._first_week(year + 1):
            year += 1
        elif day < self._first_week(year):
            year -= 1
        first = self._first_week(year)
        number = (day - first).days // 7 + 1
        return {number, number - (self._first_week(year + 1) - first).days // 7 - 1}

    def _first_week(self, year: int) -> date:
        """The first day of the first week with most of its days in a year."""
        fourth = date(year, 1, 4)
        return fourth - (fourth.weekday() - self.week_start) % 7 * _DAY

    def _picked(self, days: list[date], times: list[time]) -> Iterator[datetime]:
        """Days with times, or those at the places of BYSETPOS."""
        places = self.lists.get("BYSETPOS")
        if places is None:
            return (datetime.combine(day, at) for day in days for at in times)
        whole = len(days) * len(times)
        chosen = sorted({one - 1 if one > 0 else whole + one for one in places})
        pairs = (divmod(one, len(times)) for one in chosen if 0 <= one < whole)
        return (datetime.combine(days[day], times[at]) for day, at in pairs)

    # --- periods of less than a day ---------------------------------------------------------------------

    def _short_periods(self, after: datetime, work: Work) -> Iterator[Iterator[datetime]]:
        step = _SECONDS[self.frequency] * self.interval * _SECOND
        moment = self.start + max((after - self.start) // step - 1, 0) * step
        while moment <= self.until:
            work.do(1)
            later = self._not_before(moment)
            if later > moment:
                moment += -((moment - later) // step) * step
                continue
            yield self._picked([moment.date()], self._times_within(moment))
            moment += step

    def _not_before(self, moment: datetime) -> datetime:
        """The moment itself, when its day, hour, minute and second fit; else the next one to try."""
        if not self._fits(moment.date()):
            return datetime.combine(moment.date() + _DAY, time())
        limits: tuple[tuple[str, int, Callable[[], datetime]], ...] = (
            ("BYHOUR", moment.hour, lambda: moment.replace(minute=0, second=0) + 3600 * _SECOND),
            ("BYMINUTE", moment.minute, lambda: moment.replace(second=0) + 60 * _SECOND),
            ("BYSECOND", moment.second, lambda: moment + _SECOND),
        )
        limiting = {"HOURLY": 1, "MINUTELY": 2, "SECONDLY": 3}[self.frequency]
        for name, value, following in limits[:limiting]:
            if name in self.lists and value not in self.lists[name]:
                return following()
        return moment

    def _times_within(self, moment: datetime) -> list[time]:
        minutes = self.lists["BYMINUTE"] if self.frequency == "HOURLY" else {moment.minute}
        seconds = {moment.second} if self.frequency == "SECONDLY" else self.lists["BYSECOND"]
        return [time(moment.hour, minute, second) for minute in sorted(minutes) for second in sorted(seconds)]


def read_expandable(text: str, begin: datetime) -> Rule | None:
    """The rule of an RRULE for a series that starts at a time in its zone; None when it makes no sense."""
    rule = parse_rule(text)
    frequency = rule.get("FREQ", "")
    interval, count = _number(rule.get("INTERVAL", "1")), rule.get("COUNT", "1")
    if frequency not in _FREQUENCIES or not interval or interval < 1 or not count.isdecimal():
        return None
    start = begin.replace(tzinfo=None)
    lists, weekdays = _lists(rule, start), _weekdays(rule)
    until = _until(rule["UNTIL"], begin) if "UNTIL" in rule else _LAST
    if lists is None or weekdays is None or until is None:
        return None
    if frequency == "WEEKLY" and not _OF_DAYS & rule.keys():
        weekdays = frozenset({(0, start.weekday())})
    week_start = _WEEKDAYS.index(rule["WKST"]) if rule.get("WKST") in _WEEKDAYS else 0
    number = int(count[:12]) if "COUNT" in rule else None
    return Rule(start, frequency, interval, number, until, lists, weekdays, week_start)


def _until(text: str, begin: datetime) -> datetime | None:
    end = parse_moment(text)
    if end is None:
        return None
    clock = min(end.clock.replace(hour=23, minute=59, second=59) if end.dated else end.clock, _LAST)
    if end.utc:
        clock = clock.replace(tzinfo=UTC).astimezone(begin.tzinfo).replace(tzinfo=None)
    return min(clock, _LAST)


def _lists(rule: Mapping[str, str], start: datetime) -> Mapping[str, frozenset[int]] | None:
    """The lists of numbers in a rule, with what the start says where they are missing."""
    if rule.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        rule = {**{key: rule[key] for key in rule if key[:2] != "BY"}, **_of_the_start(rule["FREQ"], start)}
    found: dict[str, frozenset[int]] = {}
    times = 1
    for name, largest in _LARGEST.items():
        if name not in rule:
            continue
        pieces = rule[name].split(",")
        lowest = 0 if name in _OF_TIME else -largest
        numbers = {one for piece in pieces if (one := _number(piece)) is not None}
        fitting = {one for one in numbers if lowest <= one <= largest and (one or name in _OF_TIME)}
        times *= len(fitting) if name in _OF_TIME else 1
        if not fitting or len(pieces) > _LONGEST_LIST or times > _MOST_TIMES:
            return None
        found[name] = frozenset(fitting)
    return {**_missing(rule, start), **found}


def _missing(rule: Mapping[str, str], start: datetime) -> dict[str, frozenset[int]]:
    frequency = rule["FREQ"]
    made: dict[str, frozenset[int]] = {}
    if frequency in {"YEARLY", "MONTHLY"} and not _OF_DAYS & rule.keys():
        made["BYMONTHDAY"] = frozenset({start.day})
        if frequency == "YEARLY" and "BYMONTH" not in rule:
            made["BYMONTH"] = frozenset({start.month})
    # What the period is shorter than does not come from the start.
    given = {"SECONDLY": 0, "MINUTELY": 1, "HOURLY": 2}.get(frequency, 3)
    of_start = (("BYSECOND", start.second), ("BYMINUTE", start.minute), ("BYHOUR", start.hour))
    return {**made, **{name: frozenset({value}) for name, value in of_start[:given]}}


def _of_the_start(frequency: str, start: datetime) -> dict[str, str]:
    """Lists for the date of the start, or the last day of a shorter month."""
    dates = ",".join(str(one) for one in range(28, start.day + 1)) or str(start.day)
    lists = {"BYMONTHDAY": dates, "BYSETPOS": "-1"}
    return {**lists, "BYMONTH": str(start.month)} if frequency == "YEARLY" else lists


def _weekdays(rule: Mapping[str, str]) -> frozenset[tuple[int, int]] | None:
    """Pairs of number (0: every one) and weekday; None when one of them cannot be read."""
    pieces = rule["BYDAY"].split(",") if "BYDAY" in rule else []
    matches = [_BY_DAY.fullmatch(piece.strip()) for piece in pieces[:_LONGEST_LIST]]
    found = frozenset((int(one[1] or 0), _WEEKDAYS.index(one[2])) for one in matches if one)
    return found if all(matches) and len(pieces) <= _LONGEST_LIST else None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text.strip()) else None
