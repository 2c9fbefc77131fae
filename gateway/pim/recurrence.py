"""Recurrence as phones know it (MS-ASCAL 2.2.2.37) and as iCalendar writes it (RFC 5545 3.3.10).

    Pattern           RRULE
    DAILY             FREQ=DAILY
    WEEKLY            FREQ=WEEKLY;BYDAY=...;WKST=..
    MONTHLY           FREQ=MONTHLY;BYMONTHDAY=14             the 29th, 30th, 31st or the last day before it:
                                   BYMONTHDAY=28,29,30;BYSETPOS=-1
    MONTHLY_NTH       FREQ=MONTHLY;BYDAY=2TU                 several days: BYDAY=MO,TU,..;BYSETPOS=2; the last
                                                             day of all: BYMONTHDAY=-1
    YEARLY            FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=14    else as MONTHLY
    YEARLY_NTH        FREQ=YEARLY;BYMONTH=2;BYDAY=-1SU       else as MONTHLY_NTH

Phones move the 31st to the last day of a shorter month, where a plain BYMONTHDAY=31 leaves that month out.
They cannot say the latter: it is told as the former. Months of other calendars than the Gregorian are those
of RFC 7529: RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=14;SKIP=BACKWARD.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum

from gateway.pim.values import FIRST_YEAR, LAST_YEAR, Moment, parse_moment, parse_rule

__all__ = ["ALL_DAYS", "Pattern", "Recurrence", "read_rule", "with_calendar_type", "write_rule"]

ALL_DAYS = 127
_LAST = 5
_MOST = 999
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_BY_DAY = re.compile(r"([+-]?[0-9]{1,3})?(SU|MO|TU|WE|TH|FR|SA)", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}", re.ASCII)
_LONGEST_LIST = 400
_NOT_FOR_PHONES = frozenset({"BYYEARDAY", "BYWEEKNO"})
_GREGORIAN_TYPES = frozenset({0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12})
"""Values of CalendarType (MS-ASCAL 2.2.2.10) with Gregorian months, whatever the years are called."""
_SCALES = {6: "ISLAMIC-CIVIL", 8: "HEBREW", 14: "CHINESE", 15: "CHINESE", 20: "DANGI"}
"""The others, and what they are called in RSCALE; Japan's lunar calendar has no name there of its own."""
_TYPES = {
    "GREGORIAN": 0,
    "HEBREW": 8,
    "CHINESE": 15,
    "DANGI": 20,
    **dict.fromkeys(("ISLAMIC", "ISLAMIC-CIVIL", "ISLAMIC-TBLA", "ISLAMIC-UMALQURA"), 6),
}
_OF_THE_TIME = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}


class Pattern(IntEnum):
    """The values of Type; there is no 4."""

    DAILY = 0
    WEEKLY = 1
    MONTHLY = 2
    MONTHLY_NTH = 3
    YEARLY = 5
    YEARLY_NTH = 6


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What repeats how.

    `days` is the sum of 1 for Sunday, 2 for Monday and so on up to 64; `week` counts in the month, 5 is the
    last. `until` is in UTC. `first_day` of the week is 0 for Sunday. `calendar_type` is that of MS-ASCAL
    2.2.2.10 by which days, months and years are counted, `leap_month` says that `month` is the leap month
    after the one of that number.
    """

    pattern: Pattern
    interval: int = 1
    occurrences: int | None = None
    until: datetime | None = None
    days: int = 0
    day_of_month: int | None = None
    week: int | None = None
    month: int | None = None
    first_day: int = 1
    calendar_type: int = 0
    leap_month: bool = False

    @property
    def gregorian(self) -> bool:
        """Whether its months are those that everybody knows: the others are told since 14.0."""
        return self.calendar_type not in _SCALES


def read_rule(text: str, start: datetime) -> Recurrence | None:
    """What an RRULE means for an event that starts at `start`, in its zone; None when phones cannot say it.

    More than 999 occurrences are cut to that, the most a phone can be told.
    """
    rule = parse_rule(text)
    interval, count = _number(rule.get("INTERVAL", "1")), _number(rule.get("COUNT", "1"))
    if interval is None or not 1 <= interval <= _MOST or count is None or count < 1:
        return None
    calendar_type = _TYPES.get(rule.get("RSCALE", "GREGORIAN"))
    if calendar_type is None or _NOT_FOR_PHONES & rule.keys():
        return None
    if any(name in rule and rule[name] != str(getattr(start, part)) for name, part in _OF_THE_TIME.items()):
        return None
    found = _read_lunar(rule, start) if calendar_type else _read_pattern(rule, start)
    if found is None:
        return None
    until = None
    if "UNTIL" in rule and "COUNT" not in rule:
        end = parse_moment(rule["UNTIL"])
        if end is None or end.clock.year < FIRST_YEAR:
            return None
        # A later end is written where there is none.
        until = _until(end, start) if end.clock.year <= LAST_YEAR else None
    return Recurrence(
        found.pattern,
        interval,
        min(count, _MOST) if "COUNT" in rule else None,
        until,
        found.days,
        found.day_of_month,
        found.week,
        found.month,
        _WEEKDAYS.index(rule["WKST"]) if rule.get("WKST") in _WEEKDAYS else 1,
        calendar_type,
        found.leap_month,
    )


def with_calendar_type(recurrence: Recurrence, calendar_type: int) -> Recurrence:
    """The same by a CalendarType that was noted beside the rule, where that is one the rule can be in."""
    noted, written = _SCALES.get(calendar_type), _SCALES.get(recurrence.calendar_type)
    if noted != written or (noted is None and calendar_type not in _GREGORIAN_TYPES):
        return recurrence
    return replace(recurrence, calendar_type=calendar_type)


def write_rule(recurrence: Recurrence, *, dated: bool = False) -> str:
    """The RRULE of a recurrence; `dated` is for events that have dates and no times."""
    parts = [*_written_pattern(recurrence)]
    if recurrence.interval != 1:
        parts.insert(1, f"INTERVAL={recurrence.interval}")
    if recurrence.occurrences is not None:
        parts.append(f"COUNT={recurrence.occurrences}")
    elif recurrence.until is not None:
        parts.append(
            f"UNTIL={recurrence.until:%Y%m%d}" if dated else f"UNTIL={recurrence.until:%Y%m%dT%H%M%SZ}"
        )
    if recurrence.first_day != 1:
        parts.append(f"WKST={_WEEKDAYS[recurrence.first_day]}")
    return ";".join(parts)


def _read_pattern(rule: Mapping[str, str], start: datetime) -> Recurrence | None:
    match rule.get("FREQ"):
        case "DAILY" if not {"BYMONTH", "BYMONTHDAY", "BYSETPOS"} & rule.keys():
            if "BYDAY" not in rule:
                return Recurrence(Pattern.DAILY)
            return _weekly(rule, start) if rule.get("INTERVAL", "1") == "1" else None
        case "WEEKLY" if not {"BYMONTH", "BYMONTHDAY", "BYSETPOS"} & rule.keys():
            return _weekly(rule, start)
        case "MONTHLY" if "BYMONTH" not in rule:
            return _in_month(rule, start, None)
        case "YEARLY":
            months = _numbers(rule.get("BYMONTH", str(start.month)))
            if len(months) != 1 or not 1 <= months[0] <= 12:
                return None
            if "BYDAY" in rule and "BYMONTH" not in rule:
                return None
            return _in_month(rule, start, months[0])
    return None


def _read_lunar(rule: Mapping[str, str], start: datetime) -> Recurrence | None:
    """A rule by another calendar: it has to name month and day, since those of the start are not known."""
    named = {"BYMONTHDAY", "BYDAY"} & rule.keys()
    match rule.get("FREQ"):
        case "MONTHLY" if named and "BYMONTH" not in rule:
            return _in_month(rule, start, None)
        case "YEARLY" if named and "BYMONTH" in rule:
            month = rule["BYMONTH"]
            number = _number(month.removesuffix("L"))
            found = _in_month(rule, start, number) if number and 1 <= number <= 13 else None
            return replace(found, leap_month=month.endswith("L")) if found else None
    return None


def _weekly(rule: Mapping[str, str], start: datetime) -> Recurrence | None:
    by_day = _by_day(rule) if "BYDAY" in rule else [(0, (start.weekday() + 1) % 7)]
    if not by_day or any(number for number, _ in by_day):
        return None
    return Recurrence(Pattern.WEEKLY, days=_mask(by_day))


def _in_month(rule: Mapping[str, str], start: datetime, month: int | None) -> Recurrence | None:
    """A day or a weekday of each month, or of the one given."""
    positions = _numbers(rule.get("BYSETPOS", ""))
    if len(positions) > 1 or ("BYDAY" in rule and "BYMONTHDAY" in rule):
        return None
    position = positions[0] if positions else None
    nth = Pattern.MONTHLY_NTH if month is None else Pattern.YEARLY_NTH
    if "BYDAY" in rule:
        by_day = _by_day(rule)
        if not by_day:
            return None
        if position is None and len(by_day) == 1:
            position = by_day[0][0]
        elif any(number for number, _ in by_day):
            return None
        week = _week(position)
        return Recurrence(nth, days=_mask(by_day), week=week, month=month) if week else None
    dates = _numbers(rule.get("BYMONTHDAY", str(start.day)))
    if dates == [-1] and position in {None, 1, -1}:
        return Recurrence(nth, days=ALL_DAYS, week=_LAST, month=month)
    if not dates or not all(1 <= one <= 31 for one in dates):
        return None
    if position == -1 and dates == list(range(28, dates[-1] + 1)):
        dates = dates[-1:]
    elif position not in {None, 1, -1} or len(dates) > 1:
        return None
    pattern = Pattern.MONTHLY if month is None else Pattern.YEARLY
    return Recurrence(pattern, day_of_month=dates[0], month=month)


def _written_pattern(recurrence: Recurrence) -> list[str]:
    pattern = recurrence.pattern
    if pattern is Pattern.DAILY and not recurrence.days:
        return ["FREQ=DAILY"]
    if pattern in {Pattern.DAILY, Pattern.WEEKLY}:
        return ["FREQ=WEEKLY", f"BYDAY={_listed(recurrence.days)}"]
    scale, skip = [], []
    if not recurrence.gregorian:
        scale, skip = [f"RSCALE={_SCALES[recurrence.calendar_type]}"], ["SKIP=BACKWARD"]
    if pattern in {Pattern.MONTHLY, Pattern.MONTHLY_NTH}:
        parts, shortest = ["FREQ=MONTHLY"], 31 if scale else 28
    else:
        month = recurrence.month or 1
        leap = "L" if scale and recurrence.leap_month else ""
        parts = ["FREQ=YEARLY", f"BYMONTH={month}{leap}"]
        shortest = 31 if scale else calendar.monthrange(2023, month)[1]
    if pattern in {Pattern.MONTHLY, Pattern.YEARLY}:
        return [*scale, *parts, *_written_date(recurrence.day_of_month or 1, shortest), *skip]
    return [*scale, *parts, *_written_nth(recurrence), *skip]


def _written_date(day: int, shortest: int) -> list[str]:
    if day <= shortest:
        return [f"BYMONTHDAY={day}"]
    dates = ",".join(str(one) for one in range(28, day + 1))
    return [f"BYMONTHDAY={dates}", "BYSETPOS=-1"]


def _written_nth(recurrence: Recurrence) -> list[str]:
    week = -1 if recurrence.week == _LAST else recurrence.week or 1
    if recurrence.days == ALL_DAYS:
        return [f"BYMONTHDAY={week}"]
    listed = _listed(recurrence.days)
    return [f"BYDAY={listed}", f"BYSETPOS={week}"] if "," in listed else [f"BYDAY={week}{listed}"]


def _until(moment: Moment, start: datetime) -> datetime:
    clock = moment.clock
    if moment.dated:
        clock = datetime.combine(moment.date, start.time())
    return (clock.replace(tzinfo=UTC if moment.utc else start.tzinfo)).astimezone(UTC)


def _by_day(rule: Mapping[str, str]) -> list[tuple[int, int]]:
    """Pairs of number (0: every) and weekday; none when one of them cannot be read."""
    matches = [_BY_DAY.fullmatch(text.strip()) for text in rule["BYDAY"].split(",")[:_LONGEST_LIST]]
    found = [(int(match[1] or 0), _WEEKDAYS.index(match[2])) for match in matches if match]
    return found if len(found) == len(matches) else []


def _mask(by_day: list[tuple[int, int]]) -> int:
    mask = 0
    for _, weekday in by_day:
        mask |= 1 << weekday
    return mask


def _listed(days: int) -> str:
    # From Monday, as everybody writes them.
    return ",".join(name for at, name in (*enumerate(_WEEKDAYS[1:], 1), (0, "SU")) if days & 1 << at)


def _week(position: int | None) -> int | None:
    if position == -1:
        return _LAST
    return position if position is not None and 1 <= position <= 4 else None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _numbers(text: str) -> list[int]:
    return [int(piece) for piece in text.split(",")[:_LONGEST_LIST] if _NUMBER.fullmatch(piece.strip())]
