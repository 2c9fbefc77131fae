"""The times of an event from a file, each in a zone that is known without the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from gateway.pim.clock import is_iana, tzid_of
from gateway.pim.events.document import new_calendar
from gateway.pim.lines import Component, Property
from gateway.pim.timezones import described_zone, named_zone
from gateway.pim.tree import Line, Node
from gateway.pim.values import Moment, parse_moment
from gateway.pim.zonelines import NewZones, define_zones, used_zones
from gateway.pim.zones import Zones

__all__ = ["TIMES", "FileZones", "by_the_clock"]

TIMES = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"})
"""Properties whose times are by the clock of a zone."""
_UTC = "Etc/UTC"


class FileZones:
    """The zones of one calendar of a file.

    `own` is what it says of itself (X-WR-TIMEZONE), `definitions` are its VTIMEZONEs by TZID in lower case.
    `default` is the zone of times that are in none; None leaves these as they are. Times in a zone that is
    not defined, and of which nobody knows the name, are in none.
    """

    def __init__(self, own: str, definitions: Mapping[str, Node], default: tzinfo | None) -> None:
        self._definitions = definitions
        head = [Property("X-WR-TIMEZONE", own)] if own else []
        components = [node.component for node in definitions.values()]
        self._zones = Zones(Component("VCALENDAR", head, components), UTC)
        self._default = default

    def settle(self, events: list[Node]) -> tuple[Node, list[str]]:
        """A calendar with these events: each of their times in a zone that it defines.

        Also the names of zones that nobody knows.
        """
        new: NewZones = {}
        unknown: list[str] = []
        for event in events:
            event.parts = [self._settled(one, new, unknown) for one in event.parts]
        calendar = new_calendar()
        kept = dict.fromkeys(one.lower() for event in events for one in used_zones(event) if one not in new)
        calendar.parts += [self._definitions[name].copy() for name in kept if name in self._definitions]
        calendar.parts += events
        define_zones(calendar, new, frozenset())
        return calendar, unknown

    def _settled(self, part: Line | Node, new: NewZones, unknown: list[str]) -> Line | Node:
        moments = [] if isinstance(part, Node) else by_the_clock(part)
        if isinstance(part, Node) or not moments:
            return part
        first = moments[0]
        if is_iana(first.tzid):
            _need(new, first.tzid, ZoneInfo(first.tzid), first)
            return part
        if first.tzid.lower() in self._definitions:
            return part
        if first.tzid:
            named = named_zone(first.tzid) or described_zone(first.tzid, first.clock)
            if named is not None:
                _need(new, first.tzid, named, first)
                return part
            unknown.append(first.tzid)
        zone = self._zones.usual(first.clock) or self._default
        return part.with_params(TZID=None) if zone is None else _put(part, zone, first, new)


def by_the_clock(line: Line) -> list[Moment]:
    """The times of a line that are by the clock of a zone, or of none."""
    return list(_by_the_clock(line.read)) if line.read and line.name in TIMES else []


def _by_the_clock(found: Property) -> Iterator[Moment]:
    """The times of a property that are neither dates nor in UTC."""
    for text in found.value.split(","):
        moment = parse_moment(text.partition("/")[0], found.params)
        if moment and not moment.dated and not moment.utc:
            yield moment


def _put(line: Line, zone: tzinfo, moment: Moment, new: NewZones) -> Line:
    """The line with its times in a zone."""
    tzid = tzid_of(zone) or _UTC
    _need(new, tzid, zone, moment)
    return line.with_params(TZID=tzid)


def _need(new: NewZones, tzid: str, zone: tzinfo, moment: Moment) -> None:
    """Have a zone defined from that time on."""
    at = moment.clock.replace(tzinfo=zone)
    if tzid not in new or at.replace(tzinfo=UTC) < new[tzid][1].replace(tzinfo=UTC):
        new[tzid] = zone, at
