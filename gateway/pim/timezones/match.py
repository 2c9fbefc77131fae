"""Which zone some rules are those of: by what the clocks do in the years around, then by the names given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.pim.timezones.changes import changes, in_utc, minutes_east, rules_at
from gateway.pim.timezones.names import named_zone, zone_names
from gateway.pim.timezones.rules import RuleZone, ZoneRules
from gateway.pim.timezones.windows import WINDOWS_ZONES

__all__ = ["zone_for", "zone_like"]

_FIRST_CHOICES = (
    "Etc/UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Europe/Istanbul",
    "Europe/Moscow",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
)
"""Of zones with the same rules these are named first: any is right, and these are known to everybody."""
_YEARS_AROUND = (0, 1, -1, 2, -2, 3, -3)
_MINUTE = timedelta(minutes=1)

_Signature = tuple[int, tuple[tuple[datetime, int], ...]]
"""The clocks of a year: minutes east of UTC as it begins, then each change, to the minute."""
_Samples = tuple[timedelta | None, timedelta | None]
_Alike = Mapping[_Samples, Sequence[tzinfo]]
"""Zones by their offsets in winter and summer."""


def zone_for(rules: ZoneRules, at: datetime, prefer: Iterable[tzinfo] = ()) -> tzinfo:
    """The zone a device means by rules that it sent for something that happens at `at`.

    `prefer` are zones to choose when they fit, the likeliest first: that of the event before, of the user. A
    zone fits when the rules are what we would say of it, or when its clocks go as the rules say in one of the
    years around; among several a name in the rules decides. When none fits, a name counts alone if its zone
    has the same offset. What nobody knows becomes a `RuleZone`: its clocks are right, it has just no name.
    """
    at = in_utc(at)
    named = list(_named(rules))
    preferred = (*prefer, *named)
    offset = at.astimezone(RuleZone(rules)).utcoffset()
    for zone in (*preferred, *_known()):
        if at.astimezone(zone).utcoffset() == offset and same_clocks(rules_at(zone, at), rules):
            return zone
    found = zone_like(RuleZone(rules), at, preferred)
    if found:
        return found
    for zone in named:
        its_offset = at.astimezone(zone).utcoffset()
        if its_offset is not None and minutes_east(its_offset) in {rules.standard, rules.daylight}:
            return zone
    return RuleZone(rules)


def zone_like(clocks: tzinfo, at: datetime, prefer: Iterable[tzinfo] = ()) -> tzinfo | None:
    """A known zone whose clocks go like these in the year of `at` or, for want of one, in a year near it."""
    return _like(clocks, in_utc(at).year, tuple(prefer))


@lru_cache(maxsize=256)
def _like(clocks: tzinfo, year: int, preferred: tuple[tzinfo, ...]) -> tzinfo | None:
    for zones, others in ((preferred, _alike_known), ((), _alike)):
        for away in _YEARS_AROUND:
            fitting = _fitting(clocks, year + away, zones, others)
            for zone in fitting:
                if zone in preferred:
                    return zone
            if fitting:
                # Of zones that part later, the one that goes along for longer.
                later = year + away + 1
                return max(fitting, key=lambda zone: _signature(zone, later) == _signature(clocks, later))
    return None


def same_clocks(one: ZoneRules, other: ZoneRules) -> bool:
    """Whether rules mean the same, whatever they are called."""
    return (one.standard, one.daylight, one.standard_onset, one.daylight_onset) == (
        other.standard,
        other.daylight,
        other.standard_onset,
        other.daylight_onset,
    )


def _named(rules: ZoneRules) -> Iterator[tzinfo]:
    for name in (rules.standard_name, rules.daylight_name):
        zone = named_zone(name) if name else None
        if zone:
            yield zone


def _fitting(
    clocks: tzinfo, year: int, zones: Iterable[tzinfo], others: Callable[[int], _Alike]
) -> list[tzinfo]:
    """Those of some zones, then of others, whose clocks go like these in a year, all through it."""
    wanted = _samples(clocks, year)
    alike = [zone for zone in zones if _samples(zone, year) == wanted]
    told = _signature(clocks, year)
    return [zone for zone in (*alike, *others(year).get(wanted, ())) if _signature(zone, year) == told]


def _samples(zone: tzinfo, year: int) -> _Samples:
    """The offsets of a zone in the middle of January and of July."""
    winter, summer = (datetime(year, month, 15, tzinfo=UTC).astimezone(zone).utcoffset() for month in (1, 7))
    return winter, summer


def _by_samples(zones: Iterable[tzinfo], year: int) -> _Alike:
    found: dict[_Samples, list[tzinfo]] = {}
    for zone in zones:
        found.setdefault(_samples(zone, year), []).append(zone)
    return found


@lru_cache(maxsize=512)
def _alike_known(year: int) -> _Alike:
    return _by_samples(_known(), year)


@lru_cache(maxsize=512)
def _alike(year: int) -> _Alike:
    return _by_samples(_all(), year)


@lru_cache(maxsize=8192)
def _signature(zone: tzinfo, year: int) -> _Signature:
    found = changes(zone, year)
    start = datetime(year, 1, 1, tzinfo=UTC)
    first = found[0].before if found else start.astimezone(zone).utcoffset()
    later = tuple((_to_the_minute(change.at), minutes_east(change.after)) for change in found)
    return minutes_east(first or timedelta()), later


def _to_the_minute(instant: datetime) -> datetime:
    """So that one millisecond to midnight is midnight."""
    return (instant + _MINUTE / 2).replace(second=0, microsecond=0)


@lru_cache(maxsize=1)
def _known() -> tuple[tzinfo, ...]:
    """The zones that Windows has a name for."""
    return tuple(ZoneInfo(name) for name in dict.fromkeys((*_FIRST_CHOICES, *WINDOWS_ZONES.values())))


@lru_cache(maxsize=1)
def _all() -> tuple[tzinfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted(zone_names()))
