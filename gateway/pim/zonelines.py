"""The definitions of time zones in a calendar: those that its times need, and no longer those they needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo

from gateway.pim.timezones import write_zone
from gateway.pim.tree import Line, Node, parse_calendar

__all__ = ["NewZones", "define_zones", "used_zones"]

NewZones = dict[str, tuple[tzinfo, datetime]]
"""Zones by TZID, each with a time it is needed for."""


def used_zones(calendar: Node) -> frozenset[str]:
    """The names of zones that times are in."""
    return frozenset(_used(calendar))


def define_zones(calendar: Node, new: Mapping[str, tuple[tzinfo, datetime]], before: frozenset[str]) -> None:
    """Add definitions that are missing, and remove those of zones in use `before` and not now."""
    used = used_zones(calendar)
    calendar.remove_nodes(lambda one: one.name == "VTIMEZONE" and _tzid(one) in before - used)
    defined = {_tzid(one) for one in calendar.nodes("VTIMEZONE")}
    made = [
        _definition(tzid, zone, at)
        for tzid, (zone, at) in new.items()
        if tzid and tzid in used and tzid not in defined
    ]
    first = next(at for at, one in enumerate(calendar.parts) if isinstance(one, Node))
    calendar.parts[first:first] = made


def _used(node: Node) -> Iterator[str]:
    for line in node.parts:
        if isinstance(line, Line) and line.read and "TZID" in line.read.params:
            yield line.read.params["TZID"]
    for inner in node.nodes():
        if inner.name != "VTIMEZONE":
            yield from _used(inner)


def _tzid(definition: Node) -> str:
    return definition.component.text("TZID")


def _definition(tzid: str, zone: tzinfo, at: datetime) -> Node:
    lines = write_zone(tzid, zone, at)
    text = "\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR"))
    return next(parse_calendar(text).nodes())
