"""Two offsets that take turns at yearly dates: all that a phone can say of a zone (MS-ASDTYPE 2.7.6)."""

from __future__ import annotations

import calendar
from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

__all__ = ["LAST", "InstantZone", "Onset", "RuleZone", "ZoneRules"]

LAST = 5
"""The `week` of an onset on the last such weekday of its month."""
_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Onset:
    """When one of the offsets begins, each year.

    On the `week`th `weekday` (0 is Sunday) of `month`, at `time` after midnight (less than a day) by the
    clock as it went before.
    """

    month: int
    week: int
    weekday: int
    time: timedelta = _ZERO

    def in_year(self, year: int) -> datetime:
        """The date and clock time in a year, without a zone."""
        first = (calendar.weekday(year, self.month, 1) + 1) % 7
        day = 1 + (self.weekday - first) % 7 + 7 * (self.week - 1)
        while day > calendar.monthrange(year, self.month)[1]:
            day -= 7
        return datetime(year, self.month, day) + self.time  # noqa: DTZ001 - a clock time


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """Offsets east of UTC, in minutes. Without daylight time both are the same, and there are no onsets.

    Daylight time is that of the larger offset, whatever people call it: so phones take it. Names are those in
    the structure, for what they are worth.
    """

    standard: int
    daylight: int
    standard_onset: Onset | None = None
    daylight_onset: Onset | None = None
    standard_name: str = ""
    daylight_name: str = ""

    @classmethod
    def fixed(cls, offset: int) -> ZoneRules:
        """Always the same offset."""
        return cls(offset, offset)

    def changes(self, year: int) -> list[tuple[datetime, int]]:
        """When offsets begin in a year, each as UTC (without a zone) and minutes, in order."""
        if self.standard_onset is None or self.daylight_onset is None:
            return []
        return sorted(
            [
                (self.daylight_onset.in_year(year) - timedelta(minutes=self.standard), self.daylight),
                (self.standard_onset.in_year(year) - timedelta(minutes=self.daylight), self.standard),
            ]
        )


class InstantZone(tzinfo):
    """A zone that knows its offset at every instant; local times follow from that (PEP 495)."""

    @abstractmethod
    def offset_at(self, instant: datetime) -> timedelta:
        """The offset at a time in UTC that is given without a zone."""

    @property
    @abstractmethod
    def offsets(self) -> tuple[timedelta, ...]:
        """The offsets there are, the largest first."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset of a local time; in an hour that comes twice, `fold` tells which is meant."""
        if moment is None:
            return self.offsets[-1]
        local = moment.replace(tzinfo=None, fold=0)
        fitting = [offset for offset in self.offsets if self.offset_at(_minus(local, offset)) == offset]
        if fitting:
            return fitting[-1 if moment.fold else 0]
        # An hour that is left out: by the clock before, or after.
        return self.offset_at(_minus(local, self.offsets[0 if not moment.fold else -1]))

    def dst(self, _moment: datetime | None) -> timedelta:
        """Nobody knows what of the offset is daylight saving."""
        return _ZERO

    def tzname(self, moment: datetime | None) -> str:
        """The offset as a name."""
        minutes = round(self.utcoffset(moment).total_seconds() / 60)
        sign = "-" if minutes < 0 else "+"
        return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    def fromutc(self, moment: datetime) -> datetime:
        """The local time of an instant."""
        instant = moment.replace(tzinfo=None, fold=0)
        offset = self.offset_at(instant)
        local = (instant + offset).replace(tzinfo=self)
        return local if local.utcoffset() == offset else local.replace(fold=1)


@dataclass(frozen=True, slots=True)
class RuleZone(InstantZone):
    """The zone of some rules, for those that no known zone has."""

    rules: ZoneRules

    def offset_at(self, instant: datetime) -> timedelta:
        offset = _changes(self.rules, instant.year)[0][1]
        for at, later in _changes(self.rules, instant.year)[1:]:
            if at > instant:
                break
            offset = later
        return timedelta(minutes=offset)

    @property
    def offsets(self) -> tuple[timedelta, ...]:
        both = {self.rules.standard, self.rules.daylight}
        return tuple(timedelta(minutes=minutes) for minutes in sorted(both, reverse=True))


@lru_cache(maxsize=1024)
def _changes(rules: ZoneRules, year: int) -> tuple[tuple[datetime, int], ...]:
    """The changes of a year and of those beside it, so that the first says what is in force as it begins."""
    years = {min(max(one, 2), 9998) for one in (year - 1, year, year + 1)}
    found = tuple(change for one in sorted(years) for change in rules.changes(one))
    return found or ((datetime(1, 1, 1), rules.standard),)  # noqa: DTZ001 - it is UTC


def _minus(local: datetime, offset: timedelta) -> datetime:
    try:
        return local - offset
    except OverflowError:  # at an end of the calendar
        return local
