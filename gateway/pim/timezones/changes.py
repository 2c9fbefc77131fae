"""When the clocks of a zone change, and the yearly rules that describe it best from some moment on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from gateway.pim.timezones.rules import LAST, InstantZone, Onset, RuleZone, ZoneRules

__all__ = ["Change", "changes", "in_utc", "minutes_east", "rules_at"]

_STEP = timedelta(days=7)
"""No zone has ever changed its clocks and back within a week, but for wartime curiosities."""
_AHEAD = timedelta(days=400)
"""Within this time zones with yearly changes have two of them."""
_NEARLY_A_YEAR = timedelta(days=350)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_MIDNIGHT_BEFORE = timedelta(hours=23, minutes=59, seconds=59, milliseconds=999)
"""How "24:00" is written where an hour has to be below 24."""
_YEARS_JUDGED = 12
_MOST_CHANGES = 8
"""Changes of a year that are looked at; no zone has had more than four."""
_FIRST_YEAR, _LAST_YEAR = 3, 9990


class Change(NamedTuple):
    """An instant (in UTC) at which the offset of a zone changes."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def local(self) -> datetime:
        """The clock time at which it happens, by the clock before, without a zone."""
        return self.at.replace(tzinfo=None) + self.before


def in_utc(moment: datetime) -> datetime:
    """An instant in UTC; one at an end of the calendar is moved to where zones can be worked with."""
    if moment.year < _FIRST_YEAR:
        return datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    if moment.year > _LAST_YEAR:
        return datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    return moment.astimezone(UTC)


def minutes_east(offset: timedelta) -> int:
    """An offset as whole minutes: the structure has no seconds, and only zones of long ago have them."""
    return round(offset.total_seconds() / 60)


@lru_cache(maxsize=8192)
def changes(zone: tzinfo, year: int) -> tuple[Change, ...]:
    """The changes of a zone in a year of UTC."""
    return tuple(
        islice(
            _found(zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)),
            _MOST_CHANGES,
        )
    )


@lru_cache(maxsize=1024)
def rules_at(zone: tzinfo, at: datetime) -> ZoneRules:
    """The rules that tell the offsets of a zone from `at` on, for as long as yearly rules can.

    They are right for the year that follows, unless the clocks change more than twice in it; and for longer
    where the zone itself keeps to them. A change that comes once and for all is paired with one back just
    before `at`.
    """
    if isinstance(zone, RuleZone):
        return zone.rules
    at = in_utc(at)
    ahead = [
        change
        for year in (at.year, at.year + 1, at.year + 2)
        for change in changes(zone, year)
        if at < change.at <= at + _AHEAD
    ]
    if not ahead:
        return ZoneRules.fixed(minutes_east(_offset(zone, at)))
    there = ahead[0]
    before, after = minutes_east(there.before), minutes_east(there.after)
    if before == after:
        return ZoneRules.fixed(before)
    if len(ahead) > 1 and ahead[1].after == there.before:
        rules = _taking_turns(there, _onset(zone, there), _onset(zone, ahead[1]))
        if at.astimezone(RuleZone(rules)).utcoffset() == timedelta(minutes=before):
            return rules
    if there.at - at > _NEARLY_A_YEAR:
        return ZoneRules.fixed(before)
    yesterday = (at - _DAY + there.after).replace(tzinfo=None, second=0, microsecond=0)
    return _taking_turns(there, _onset(zone, there), _on(yesterday))


def _taking_turns(there: Change, leave: Onset, come_back: Onset) -> ZoneRules:
    before, after = minutes_east(there.before), minutes_east(there.after)
    if after > before:
        return ZoneRules(before, after, standard_onset=come_back, daylight_onset=leave)
    return ZoneRules(after, before, standard_onset=leave, daylight_onset=come_back)


def _found(zone: tzinfo, start: datetime, end: datetime) -> Iterator[Change]:
    before = _offset(zone, start - _SECOND)
    low = start - _SECOND
    while low < end - _SECOND:
        high = min(low + _STEP, end - _SECOND)
        after = _offset(zone, high)
        if after != before:
            yield Change(_boundary(zone, low, high, before), before, after)
            before = after
        low = high


def _boundary(zone: tzinfo, low: datetime, high: datetime, before: timedelta) -> datetime:
    """The first second between the two at which the offset is no longer `before`."""
    seconds = round((high - low).total_seconds())
    first, last = 0, seconds
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(zone, low + timedelta(seconds=middle)) == before:
            first = middle
        else:
            last = middle
    return low + timedelta(seconds=last)


def _offset(zone: tzinfo, instant: datetime) -> timedelta:
    if isinstance(zone, InstantZone):
        return zone.offset_at(instant.replace(tzinfo=None))
    return instant.astimezone(zone).utcoffset() or timedelta()


@lru_cache(maxsize=2048)
def _onset(zone: tzinfo, change: Change) -> Onset:
    """The yearly date that tells this change and, as far as that goes, those in the years around it."""
    local = change.local
    candidates = [_on(local)]
    if _is_last(local):
        candidates.append(_on(local, LAST))
    if local.hour == local.minute == local.second == 0:
        eve = local - _DAY
        midnight = eve + _MIDNIGHT_BEFORE
        candidates.append(_on(midnight))
        if _is_last(eve):
            candidates.append(_on(midnight, LAST))
    if len(candidates) == 1:
        return candidates[0]
    alike = [other.local for other in _alike(zone, change)]
    return max(candidates, key=lambda onset: sum(_tells(onset, other) for other in alike))


def _on(local: datetime, week: int | None = None) -> Onset:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return Onset(local.month, week or (local.day - 1) // 7 + 1, (local.weekday() + 1) % 7, local - midnight)


def _is_last(local: datetime) -> bool:
    return (local + 7 * _DAY).month != local.month


def _alike(zone: tzinfo, change: Change) -> Iterator[Change]:
    """The same change in the years around."""
    for year in range(change.at.year - _YEARS_JUDGED // 2, change.at.year + _YEARS_JUDGED):
        if year != change.at.year and _FIRST_YEAR <= year <= _LAST_YEAR:
            yield from (one for one in changes(zone, year) if one[1:] == change[1:])


def _tells(onset: Onset, local: datetime) -> bool:
    return abs(onset.in_year(local.year) - local) <= _SECOND
