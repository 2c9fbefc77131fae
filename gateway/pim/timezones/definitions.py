"""VTIMEZONE: zones as calendars define them (RFC 5545 3.6.5), read and written."""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from gateway.pim.lines import Component
from gateway.pim.timezones.rules import LAST, InstantZone, Onset, ZoneRules
from gateway.pim.values import moment_of, offset_text, parse_moment, parse_offset, parse_rule

__all__ = ["Definition", "write_definition", "write_observance"]

_MOST_READ = 400
_MOST_KEPT = 64
"""Observances that are looked at: more than any zone has had since 1970."""
_MOST_DATES = 400
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_BASE_YEAR = 1970
"""Outlook begins in 1601, everybody else here."""
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(SU|MO|TU|WE|TH|FR|SA)", re.ASCII)
_MOST_MONTHS = _MOST_WEEKDAYS = _MOST_IN_YEAR = 2
"""An observance begins once a year; that is all that is looked at, and once more for good measure."""
_LONGEST_LIST = 31


@dataclass(frozen=True, slots=True)
class _Observance:
    """An offset, and when it begins: `dates` by the clock before, and each year by `rule` until `last`."""

    before: timedelta
    after: timedelta
    start: datetime
    dates: tuple[datetime, ...]
    rule: tuple[tuple[str, str], ...] = ()
    last: datetime | None = None

    def around(self, year: int) -> Iterator[tuple[datetime, timedelta]]:
        """When it begins in UTC, and the offset then: all that matters in a year."""
        onsets = list(self.dates)
        if self.rule:
            newest = min(year + 1, self.last.year) if self.last else year + 1
            for one in range(newest, max(newest - 3, self.start.year - 1), -1):
                onsets += _onsets(self, one)
        return ((onset - self.before, self.after) for onset in onsets if MINYEAR < onset.year < MAXYEAR)


class Definition(InstantZone):
    """A zone as a calendar defines it. Equal definitions are equal zones."""

    def __init__(self, tzid: str, location: str, observances: tuple[_Observance, ...]) -> None:
        self.tzid = tzid
        self.location = location
        self._observances = observances
        self._hash = hash(observances)
        self._years: dict[int, list[tuple[datetime, timedelta]]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definition) and self._observances == other._observances

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def of(cls, component: Component) -> Definition | None:
        """Read a VTIMEZONE; None when it says of no offset when it is in force."""
        observances = [
            found
            for one in component.components[:_MOST_READ]
            if one.name in {"STANDARD", "DAYLIGHT"} and (found := _observance(one))
        ]
        if not observances:
            return None
        newest = sorted(observances, key=lambda one: one.start)[-_MOST_KEPT:]
        return cls(component.text("TZID"), component.text("X-LIC-LOCATION"), tuple(newest))

    def offset_at(self, instant: datetime) -> timedelta:
        onsets = self._years.get(instant.year)
        if onsets is None:
            onsets = sorted(onset for one in self._observances for onset in one.around(instant.year))
            self._years[instant.year] = onsets
        begun = bisect_right(onsets, instant, key=itemgetter(0))
        return onsets[begun - 1][1] if begun else self._observances[0].before

    @property
    def offsets(self) -> tuple[timedelta, ...]:
        found = {offset for one in self._observances for offset in (one.before, one.after)}
        return tuple(sorted(found, reverse=True))


def write_definition(tzid: str, rules: ZoneRules) -> list[str]:
    """The lines of a VTIMEZONE that says what these rules say."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    if rules.standard_onset is None or rules.daylight_onset is None:
        lines += write_observance("STANDARD", rules.standard, rules.standard)
    else:
        lines += write_observance("DAYLIGHT", rules.standard, rules.daylight, rules.daylight_onset)
        lines += write_observance("STANDARD", rules.daylight, rules.standard, rules.standard_onset)
    return [*lines, "END:VTIMEZONE"]


def write_observance(
    name: str,
    before: int,
    after: int,
    onset: Onset | None = None,
    *,
    year: int = _BASE_YEAR,
    dates: Sequence[datetime] = (),
) -> list[str]:
    """The lines of an offset (minutes) after another: by a rule from a year on, or at dates (clocks before).

    Without both it is in force from the beginning.
    """
    start = dates[0] if dates else datetime(year, 1, 1)  # noqa: DTZ001 - a clock time
    start = onset.in_year(year) if onset else start
    lines = [
        f"BEGIN:{name}",
        f"DTSTART:{start:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{offset_text(before)}",
        f"TZOFFSETTO:{offset_text(after)}",
    ]
    if onset:
        week = -1 if onset.week == LAST else onset.week
        lines.append(f"RRULE:FREQ=YEARLY;BYMONTH={onset.month};BYDAY={week}{_WEEKDAYS[onset.weekday]}")
    lines += [f"RDATE:{one:%Y%m%dT%H%M%S}" for one in dates[1:]]
    return [*lines, f"END:{name}"]


@lru_cache(maxsize=2048)
def _onsets(observance: _Observance, year: int) -> tuple[datetime, ...]:
    """When it begins in a year by its rule."""
    start = observance.start
    time = start - start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = islice(_days(dict(observance.rule), start, year), _MOST_IN_YEAR)
    onsets = (day + time for day in days)
    last = observance.last or datetime.max  # noqa: DTZ901 - a clock time
    return tuple(onset for onset in onsets if start <= onset <= last)


def _observance(component: Component) -> _Observance | None:
    after = parse_offset(component.text("TZOFFSETTO"))
    start = moment_of(component.get("DTSTART"))
    if after is None or start is None:
        return None
    before = parse_offset(component.text("TZOFFSETFROM"))
    dates = [start.clock]
    for listed in component.all("RDATE"):
        for text in listed.value.split(",")[:_MOST_DATES]:
            moment = parse_moment(text.partition("/")[0])
            if moment:
                dates.append(moment.clock)
    rule = parse_rule(component.text("RRULE"))
    if rule.get("FREQ") != "YEARLY":
        rule = {}
    return _Observance(
        after if before is None else before,
        after,
        start.clock,
        tuple(dates[:_MOST_DATES]),
        tuple(sorted(rule.items())),
        _last(rule, after if before is None else before, start.clock),
    )


def _last(rule: Mapping[str, str], before: timedelta, start: datetime) -> datetime | None:
    """Until when a rule holds, by the clock; None is for ever."""
    if "UNTIL" in rule:
        until = parse_moment(rule["UNTIL"])
        if until:
            return until.clock + before if until.utc else until.clock
    if rule.get("COUNT", "").isdigit():
        year = start.year + int(rule["COUNT"][:4]) - 1
        return datetime(min(year, 9999), 12, 31, 23, 59, 59)  # noqa: DTZ001 - a clock time
    return None


def _days(rule: Mapping[str, str], start: datetime, year: int) -> Iterator[datetime]:
    """The days of a yearly rule in a year, at midnight."""
    interval = rule.get("INTERVAL", "1")
    if not 1 <= year <= 9999 or (year - start.year) % max(int(interval) if interval.isdigit() else 1, 1):
        return
    months = _numbers(rule.get("BYMONTH", ""))[:_MOST_MONTHS] or [start.month]
    weekdays = rule.get("BYDAY", "").split(",")[:_MOST_WEEKDAYS]
    wanted = [match for text in weekdays if (match := _BY_DAY.fullmatch(text.strip()))]
    dates = _numbers(rule.get("BYMONTHDAY", "")) or ([] if wanted else [start.day])
    for month in sorted({one for one in months if 1 <= one <= 12}):
        length = calendar.monthrange(year, month)[1]
        for day in range(1, length + 1):
            if dates and day not in dates and day - length - 1 not in dates:
                continue
            midnight = datetime(year, month, day)  # noqa: DTZ001 - a clock time
            if not wanted or any(_falls_on(match, midnight, length) for match in wanted):
                yield midnight


def _falls_on(by_day: re.Match[str], midnight: datetime, length: int) -> bool:
    if _WEEKDAYS[(midnight.weekday() + 1) % 7] != by_day[2]:
        return False
    from_start, from_end = (midnight.day - 1) // 7 + 1, -((length - midnight.day) // 7 + 1)
    return int(by_day[1] or 0) in {0, from_start, from_end}


def _numbers(text: str) -> list[int]:
    pieces = (piece.strip() for piece in text.split(",")[:_LONGEST_LIST])
    return [int(piece) for piece in pieces if re.fullmatch("[+-]?[0-9]{1,3}", piece, re.ASCII)]
