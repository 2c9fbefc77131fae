"""The times of one event, each in its zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from gateway.pim.length import Length, later, length_between
from gateway.pim.limits import MOST_DATES
from gateway.pim.lines import Component, Property
from gateway.pim.names import BLOB, BLOB_ZONE
from gateway.pim.timezones import BadBlob, RuleZone, ZoneRules, named_zone, unpack, zone_for
from gateway.pim.timezones.changes import minutes_east
from gateway.pim.values import (
    Moment,
    moment_of,
    offset_text,
    parse_length,
    parse_moment,
    usable,
)
from gateway.pim.zones import Zones

__all__ = ["Clock", "is_iana", "same_zone", "tzid_of"]

_LONGEST = timedelta(days=36600)
_DAY = timedelta(days=1)
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal", "Zulu", "UCT", "Universal"})


class Clock:
    """Reads the times of the components of one event.

    A name of IANA stands for that zone whatever the calendar defines under it: definitions grow old in the
    store. Every other name stands for one zone in the whole event: the one of the time that is read first.
    Dates are in the zone of the phone that wrote them, or in `default`.
    """

    def __init__(self, calendar: Component, default: tzinfo) -> None:
        self._zones = Zones(calendar, default)
        self._known: dict[str, tzinfo] = {}
        self._default = default
        self._days = default

    def settle(self, event: Component) -> None:
        """Take the zone of dates from an event."""
        found = event.get(BLOB)
        if found is None:
            return
        named = named_zone(found.params.get(BLOB_ZONE, ""))
        start = moment_of(event.get("DTSTART"))
        if named or start is None:
            self._days = named or self._days
            return
        try:
            self._days = zone_for(unpack(found.value), start.clock.replace(tzinfo=UTC), [self._default])
        except BadBlob:
            return

    def zone(self, moment: Moment) -> tzinfo:
        """The zone of a moment."""
        if moment.utc:
            return UTC
        if moment.dated:
            return self._days
        if is_iana(moment.tzid):
            return ZoneInfo(moment.tzid)
        key = moment.tzid.lower()
        if key not in self._known:
            self._known[key] = self._zones.of(moment)
        return self._known[key]

    def at(self, moment: Moment) -> datetime:
        """A moment in its zone."""
        return moment.clock.replace(tzinfo=self.zone(moment))

    def of(self, found: Property | None) -> datetime | None:
        """The time of a property; None when it has none that makes sense."""
        moment = usable(moment_of(found))
        return self.at(moment) if moment else None

    def instant(self, found: Property | None) -> datetime | None:
        """The same in UTC."""
        moment = self.of(found)
        return moment.astimezone(UTC) if moment else None

    def length(self, event: Component, start: datetime, *, all_day: bool) -> Length:
        """How long an event lasts, by DTEND or DURATION: not less than nothing, or of whole days one."""
        told = usable(moment_of(event.get("DTEND")))
        length = parse_length(event.text("DURATION"))
        if told and told.dated == all_day:
            end = self.at(told).astimezone(start.tzinfo)
            length = Length((end.date() - start.date()).days) if all_day else length_between(start, end)
        if length is None or abs(length.about) >= _LONGEST:
            length = Length()
        if all_day:
            return Length(max(-(-length.about // _DAY), 1))
        return length if length.about > timedelta() else Length()

    def end(self, event: Component, start: datetime, *, all_day: bool) -> datetime:
        """The end of an event."""
        return later(start, self.length(event, start, all_day=all_day))

    def originals(
        self, component: Component, name: str, start: datetime, *, all_day: bool
    ) -> Iterator[datetime]:
        """The times in the lists of a property (RECURRENCE-ID, EXDATE, RDATE) as starts of occurrences."""
        listed = (
            parse_moment(text.partition("/")[0], found.params)
            for found in component.all(name)
            for text in found.value.split(",")
        )
        for moment in islice(listed, MOST_DATES):
            if usable(moment) and moment:
                yield self._original(moment, start, all_day=all_day)

    def _original(self, moment: Moment, start: datetime, *, all_day: bool) -> datetime:
        if all_day:
            return moment.clock.replace(hour=0, minute=0, second=0, tzinfo=start.tzinfo)
        if moment.dated:
            return datetime.combine(moment.clock, start.timetz())
        return self.at(moment).astimezone(start.tzinfo)


def tzid_of(zone: tzinfo) -> str:
    """How a zone is named in a calendar; "" for UTC, which needs no name."""
    if isinstance(zone, ZoneInfo):
        name = zone.key
        return "" if name in _UTC_NAMES else name
    if isinstance(zone, RuleZone):
        rules = zone.rules
        parts = [offset_text(rules.standard)]
        if rules.standard_onset and rules.daylight_onset:
            for onset, its_offset in (
                (rules.daylight_onset, rules.daylight),
                (rules.standard_onset, rules.standard),
            ):
                seconds = onset.time // timedelta(seconds=1)
                parts.append(
                    f"{offset_text(its_offset)}.{onset.month}.{onset.week}.{onset.weekday}.{seconds}"
                )
        return "Rules/" + "/".join(parts)
    offset = minutes_east(zone.utcoffset(None) or timedelta())
    return tzid_of(RuleZone(ZoneRules.fixed(offset))) if offset else ""


def same_zone(one: tzinfo | None, other: tzinfo | None) -> bool:
    """Whether two zones are one, whatever they are made of."""
    return one == other or (one is not None and other is not None and tzid_of(one) == tzid_of(other))


def is_iana(tzid: str) -> bool:
    """Whether a name stands for a zone that everybody knows, however a calendar defines it."""
    return tzid in _iana()


@lru_cache(maxsize=1)
def _iana() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
