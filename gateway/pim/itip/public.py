"""What others are shown of an event: without what is its owner's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from gateway.pim.clock import Clock
from gateway.pim.events.writing import is_own_file
from gateway.pim.invitation import Method, read_person
from gateway.pim.itip.merge import INTENDED
from gateway.pim.itip.message import Parts, Revision, same_address
from gateway.pim.length import later
from gateway.pim.lines import Property
from gateway.pim.names import (
    BUSY,
    OWN,
    REPLIED,
    REPLY_TIME,
    RESPONSE_REQUESTED,
    SELF_TOLD,
)
from gateway.pim.tree import Line, Node, make_line
from gateway.pim.values import Moment, moment_of, utc_text

__all__ = ["as_cancelled", "instance_of", "leaving_out", "public", "renewed"]

_PRIVATE = frozenset({"CATEGORIES", BUSY, REPLY_TIME, INTENDED, "X-MOZ-LASTACK", "X-MOZ-SNOOZE-TIME"})
_OF_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION")
_CALENDAR = ("VERSION", "PRODID", "CALSCALE")


def public(parts: Parts, events: Iterable[Node], method: Method) -> str:
    """The text of a scheduling message with some VEVENTs of a calendar, or made from them."""
    shown = list(map(_shown, events))
    calendar = Node.new("VCALENDAR", [*parts.calendar.lines(*_CALENDAR), make_line("METHOD", method.value)])
    named = {
        one.read.params.get("TZID", "").lower()
        for event in shown
        for one in event.parts
        if isinstance(one, Line) and one.read
    }
    zones = (
        zone for zone in parts.calendar.nodes("VTIMEZONE") if zone.component.text("TZID").lower() in named
    )
    calendar.parts += [*zones, *shown]
    return calendar.text


def renewed(event: Node, newness: Revision) -> None:
    """Make it a newer version."""
    sequence, stamp = newness
    event.remove(SELF_TOLD)
    event.replace("SEQUENCE", [make_line("SEQUENCE", str(sequence))])
    event.replace("DTSTAMP", [make_line("DTSTAMP", utc_text(stamp))])


def as_cancelled(event: Node, newness: Revision, people: Collection[str]) -> Node:
    """A VEVENT that tells people (addresses in lower case) that it does not take place, or not for them."""
    made = event.copy()
    renewed(made, newness)
    made.replace("STATUS", [make_line("STATUS", "CANCELLED")])
    meant = [
        one
        for one in made.lines("ATTENDEE")
        if one.read and read_person(one.read).address.strip().lower() in people
    ]
    made.replace("ATTENDEE", meant)
    return made


def instance_of(series: Node, instance: datetime, clock: Clock) -> Node:
    """The VEVENT of an occurrence that is like its series."""
    made = series.copy()
    read = series.component
    found = read.get("DTSTART")
    start, told = clock.of(found), moment_of(found)
    if start is None or told is None or found is None:
        return made
    length = clock.length(read, start, all_day=told.dated)
    first, form, params = _written(instance, start, told, found)
    made.remove(*_OF_SERIES)
    made.parts[:0] = [
        make_line("RECURRENCE-ID", f"{first:{form}}", params),
        make_line("DTSTART", f"{first:{form}}", params),
        make_line("DTEND", f"{later(first, length):{form}}", params),
    ]
    return made


def leaving_out(series: Node, instances: Iterable[datetime], clock: Clock) -> Node:
    """The VEVENT of a series without these occurrences (EXDATE)."""
    made = series.copy()
    found = series.component.get("DTSTART")
    start, told = clock.of(found), moment_of(found)
    if start is None or told is None or found is None:
        return made
    listed = []
    for instance in instances:
        first, form, params = _written(instance, start, told, found)
        listed.append(make_line("EXDATE", f"{first:{form}}", params))
    made.replace("EXDATE", [*made.lines("EXDATE"), *listed])
    return made


def _written(
    instance: datetime, start: datetime, told: Moment, found: Property
) -> tuple[datetime, str, dict[str, str]]:
    """An occurrence as its series would write it: the time, its form, its parameters."""
    first = instance if instance.tzinfo is None else instance.astimezone(start.tzinfo)
    params = {key: text for key, text in found.params.items() if key in {"TZID", "VALUE"}}
    form = "%Y%m%d" if told.dated else "%Y%m%dT%H%M%SZ" if told.utc else "%Y%m%dT%H%M%S"
    return first, form, params


def _shown(event: Node) -> Node:
    made = event.copy()
    made.remove_nodes(lambda _: True)
    read = event.component
    wanted = read.text(RESPONSE_REQUESTED).upper() != "FALSE"
    organizer = read.get("ORGANIZER")
    host = read_person(organizer).address if organizer else ""
    made.parts = [
        _clean(one, host, wanted=wanted)
        for one in made.parts
        if isinstance(one, Line)
        and not (one.name in _PRIVATE or one.name.startswith(OWN) or is_own_file(one))
    ]
    busy = read.text(BUSY).upper()
    if busy in {"TENTATIVE", "OOF", "WORKINGELSEWHERE"}:
        made.parts.append(make_line(INTENDED, busy))
    return made


def _clean(line: Line, host: str, *, wanted: bool) -> Line:
    if line.read is None:
        return line
    changes: dict[str, str | None] = {
        name: None for name in line.read.params if name.startswith(OWN) or name == REPLIED
    }
    if line.name == "ATTENDEE" and not same_address(read_person(line.read).address, host):
        status = line.read.params.get("PARTSTAT", "").upper()
        if not status:
            changes["PARTSTAT"] = "NEEDS-ACTION"
        if status in {"", "NEEDS-ACTION"} and "RSVP" not in line.read.params:
            changes["RSVP"] = "TRUE" if wanted else "FALSE"
    return line.with_params(**changes) if changes else line
