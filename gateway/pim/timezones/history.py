"""A zone as a calendar defines it for the time from a moment on, also where its rules change meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from gateway.pim.timezones.changes import Change, changes, in_utc, minutes_east, rules_at
from gateway.pim.timezones.definitions import write_definition, write_observance
from gateway.pim.timezones.rules import RuleZone, ZoneRules

__all__ = ["write_zone"]

_YEARS_JUDGED = 20
"""For so long rules have to hold to be taken for those that go on."""
_YEARS_LISTED = 30
"""So many years are listed, change by change, where no rules hold."""
_MINUTE = timedelta(minutes=1)


def write_zone(tzid: str, zone: tzinfo, at: datetime) -> list[str]:
    """The lines of a VTIMEZONE that is right from `at` on.

    With the rules of that year where they go on to hold, else with each change until some do, and these.
    """
    if isinstance(zone, RuleZone):
        return write_definition(tzid, zone.rules)
    return list(_written(tzid, zone, in_utc(at).year))


@lru_cache(maxsize=256)
def _written(tzid: str, zone: tzinfo, year: int) -> tuple[str, ...]:
    rules = _rules_of(zone, year)
    if _hold(zone, rules, year):
        return tuple(write_definition(tzid, rules))
    steady = next(
        (one for one in range(year + 1, year + _YEARS_LISTED) if _hold(zone, _rules_of(zone, one), one)),
        None,
    )
    listed = [one for each in range(year, steady or year + _YEARS_LISTED) for one in changes(zone, each)]
    begin = datetime(year, 1, 1, tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
    before = minutes_east(listed[0].before if listed else begin)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}", *write_observance("STANDARD", before, before)]
    lines += _listed(listed)
    if steady is not None:
        lines += _going_on(_rules_of(zone, steady), steady)
    return (*lines, "END:VTIMEZONE")


def _rules_of(zone: tzinfo, year: int) -> ZoneRules:
    return rules_at(zone, datetime(year, 1, 1, tzinfo=UTC))


def _hold(zone: tzinfo, rules: ZoneRules, first: int) -> bool:
    """Whether a zone keeps to rules for some years."""
    for year in range(first, first + _YEARS_JUDGED):
        found = changes(zone, year)
        told = rules.changes(year)
        if len(found) != len(told):
            return False
        for change, (instant, after) in zip(found, told, strict=True):
            if abs(change.at.replace(tzinfo=None) - instant) > _MINUTE or minutes_east(change.after) != after:
                return False
    return True


def _listed(found: list[Change]) -> Iterator[str]:
    """Observances of changes one by one: all of a kind together."""
    kinds = dict.fromkeys((minutes_east(one.before), minutes_east(one.after)) for one in found)
    for before, after in kinds:
        dates = [
            one.local
            for one in found
            if (minutes_east(one.before), minutes_east(one.after)) == (before, after)
        ]
        name = "DAYLIGHT" if after > before else "STANDARD"
        yield from write_observance(name, before, after, dates=dates)


def _going_on(rules: ZoneRules, year: int) -> Iterator[str]:
    if rules.standard_onset and rules.daylight_onset:
        yield from write_observance(
            "DAYLIGHT", rules.standard, rules.daylight, rules.daylight_onset, year=year
        )
        yield from write_observance(
            "STANDARD", rules.daylight, rules.standard, rules.standard_onset, year=year
        )
