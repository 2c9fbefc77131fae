"""Values of an event as lines of a VEVENT; what else those lines say is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from gateway.pim.events.model import (
    Attendee,
    AttendeeType,
    BadEvent,
    Body,
    Busy,
    File,
    Location,
    Participation,
    Person,
    Response,
    Sensitivity,
)
from gateway.pim.events.place import PLACE, write_place
from gateway.pim.events.reading import BUSY_WORDS, attendee_type, reminder_of
from gateway.pim.invitation import read_person
from gateway.pim.names import (
    BUSY,
    FILE_ID,
    FILE_INLINE,
    FILE_NUMBER,
    FILE_SCHEME,
    NO_COUNTER,
    PROPOSED,
    REPLIED,
    REPLY_TIME,
    RESPONSE,
    RESPONSE_REQUESTED,
)
from gateway.pim.properties import moment_line, put_text, write_body, write_categories, write_sensitivity
from gateway.pim.tree import Line, Node, make_line
from gateway.pim.values import utc_text

__all__ = [
    "WRITERS",
    "Target",
    "file_line",
    "invited_otherwise",
    "is_own_file",
    "merged_attendees",
    "write_times",
]

_LONGEST_REMINDER = timedelta(days=36600)
_ROLES = {
    AttendeeType.REQUIRED: "REQ-PARTICIPANT",
    AttendeeType.OPTIONAL: "OPT-PARTICIPANT",
    AttendeeType.RESOURCE: "NON-PARTICIPANT",
}
_PARTICIPATION = {
    Response.TENTATIVE: Participation.TENTATIVE,
    Response.ACCEPTED: Participation.ACCEPTED,
    Response.DECLINED: Participation.DECLINED,
    Response.NOT_RESPONDED: Participation.NEEDS_ACTION,
}
_MAILTO = "mailto:"
_NO_ADDRESS = "invalid:nomail"


@dataclass(frozen=True, slots=True)
class Target:
    """What is written into: the event of the user with this address, at this time."""

    owner: str
    start: datetime


def write_times(event: Node, start: datetime, end: datetime, *, all_day: bool, recurring: bool) -> None:
    """Start and end; without length there is no end to write (RFC 5545 3.6.1)."""
    event.replace("DTSTART", [moment_line("DTSTART", start, all_day=all_day, recurring=recurring)])
    event.remove("DURATION")
    lines = [moment_line("DTEND", end, all_day=all_day, recurring=recurring)] if end != start else []
    event.replace("DTEND", lines)


def merged_attendees(wanted: Iterable[Attendee], known: Iterable[Attendee]) -> tuple[Attendee, ...]:
    """The attendees that are wanted, with what is known of them where they do not say otherwise."""
    by_key = {_key(one.person): one for one in known}
    merged: dict[str, Attendee] = {}
    for one in wanted:
        before = by_key.get(_key(one.person), one)
        merged.setdefault(
            _key(one.person),
            Attendee(
                Person(one.person.address, one.person.name or before.person.name),
                one.type,
                one.status or before.status,
                before.wanted if one.wanted is None else one.wanted,
                one.proposed or before.proposed,
                one.replied or before.replied,
            ),
        )
    return tuple(merged.values())


def invited_otherwise(
    own: Sequence[Attendee], before: Sequence[Attendee], after: Sequence[Attendee]
) -> tuple[Attendee, ...]:
    """The `own` attendees of an exception once those of its series change: who comes or goes does so here."""
    here, there = ({_key(one.person) for one in those} for those in (own, before))
    left = there - {_key(one.person) for one in after}
    came = (one for one in after if _key(one.person) not in here | there)
    return *(one for one in own if _key(one.person) not in left), *came


def _write_subject(event: Node, subject: str, _: Target) -> None:
    put_text(event, "SUMMARY", subject)


def _write_location(event: Node, place: Location | None, _: Target) -> None:
    event.replace(PLACE, write_place(place))


def _write_body(event: Node, body: Body | None, _: Target) -> None:
    write_body(event, body)


def _write_categories(event: Node, categories: tuple[str, ...], _: Target) -> None:
    write_categories(event, categories)


def _write_sensitivity(event: Node, sensitivity: Sensitivity, _: Target) -> None:
    write_sensitivity(event, sensitivity)


def _write_busy(event: Node, busy: Busy, _: Target) -> None:
    event.replace(BUSY, [make_line(BUSY, BUSY_WORDS[busy])])
    free = busy in {Busy.FREE, Busy.ELSEWHERE}
    event.replace("TRANSP", [make_line("TRANSP", "TRANSPARENT" if free else "OPAQUE")])


def _write_reminder(event: Node, reminder: timedelta | None, target: Target) -> None:
    """Change the alarm that phones show, or make one; what is no alarm for them stays."""
    shown = [one for one in event.nodes("VALARM") if reminder_of(one.component, target.start) is not None]
    if reminder is None:
        event.remove_nodes(lambda one: one in shown)
        return
    if not timedelta() <= reminder <= _LONGEST_REMINDER:
        raise BadEvent("a reminder that is not before the start")
    trigger = make_line("TRIGGER", f"-PT{reminder // timedelta(minutes=1)}M")
    if shown:
        shown[0].replace("TRIGGER", [trigger])
        shown[0].remove("ACKNOWLEDGED")
        return
    lines = [make_line("ACTION", "DISPLAY"), make_line("DESCRIPTION", "Reminder"), trigger]
    event.parts.append(Node.new("VALARM", lines))


def _write_organizer(event: Node, organizer: Person | None, _: Target) -> None:
    lines = []
    if organizer:
        known = next(event.lines("ORGANIZER"), None)
        same = known and known.read and _key(read_person(known.read)) == _key(organizer)
        line = known if known and same else make_line("ORGANIZER", _cal_address(organizer))
        lines = [line.with_params(CN=organizer.name or None)]
    event.replace("ORGANIZER", lines)


def _write_attendees(event: Node, attendees: tuple[Attendee, ...], _: Target) -> None:
    known = {_key(read_person(line.read)): line for line in event.lines("ATTENDEE") if line.read}
    lines = [_attendee_line(one, known.get(_key(one.person))) for one in attendees]
    event.replace("ATTENDEE", lines)


def _write_cancelled(event: Node, cancelled: bool, _: Target) -> None:
    event.replace("STATUS", [make_line("STATUS", "CANCELLED" if cancelled else "CONFIRMED")])


def _write_response(event: Node, response: Response, target: Target) -> None:
    """The user's own answer, at his name among the attendees if he is one of them."""
    status = _PARTICIPATION.get(response)
    if status is None:
        event.remove(RESPONSE)
        return
    own = [
        line
        for line in event.lines("ATTENDEE")
        if line.read and _key(read_person(line.read)) == target.owner.lower()
    ]
    if not own:
        event.replace(RESPONSE, [make_line(RESPONSE, status)])
        return
    event.remove(RESPONSE)
    event.parts = [one.with_params(PARTSTAT=status) if one in own else one for one in event.parts]


def _write_reply_time(event: Node, at: datetime | None, _: Target) -> None:
    event.replace(REPLY_TIME, [make_line(REPLY_TIME, utc_text(at))] if at else [])


def _write_response_requested(event: Node, requested: bool | None, _: Target) -> None:
    lines = [] if requested is None else [make_line(RESPONSE_REQUESTED, str(requested).upper())]
    event.replace(RESPONSE_REQUESTED, lines)


def _write_may_counter(event: Node, may_counter: bool, _: Target) -> None:
    event.replace(NO_COUNTER, [] if may_counter else [make_line(NO_COUNTER, "TRUE")])


def _write_files(event: Node, files: tuple[File, ...], _: Target) -> None:
    event.replace_where(is_own_file, [file_line(one) for one in files])


def _write_sequence(event: Node, sequence: int, _: Target) -> None:
    event.replace("SEQUENCE", [make_line("SEQUENCE", str(sequence))])


def _write_stamp(event: Node, stamp: datetime | None, _: Target) -> None:
    event.replace("DTSTAMP", [make_line("DTSTAMP", utc_text(stamp))] if stamp else [])


WRITERS: Mapping[str, Callable[[Node, Any, Target], None]] = MappingProxyType(
    {
        "subject": _write_subject,
        "location": _write_location,
        "body": _write_body,
        "categories": _write_categories,
        "sensitivity": _write_sensitivity,
        "busy": _write_busy,
        "reminder": _write_reminder,
        "organizer": _write_organizer,
        "attendees": _write_attendees,
        "cancelled": _write_cancelled,
        "response": _write_response,
        "reply_time": _write_reply_time,
        "response_requested": _write_response_requested,
        "may_counter": _write_may_counter,
        "files": _write_files,
        "sequence": _write_sequence,
        "stamp": _write_stamp,
    }
)
"""How each value of an `Event` is written into a VEVENT, by its name."""


def is_own_file(line: Line) -> bool:
    """Whether it is an ATTACH of a file in the store."""
    scheme = line.read.value.strip().partition(":")[0] if line.read else ""
    return line.name == "ATTACH" and scheme.lower() == FILE_SCHEME


def _attendee_line(attendee: Attendee, known: Line | None) -> Line:
    line = known or make_line("ATTENDEE", _cal_address(attendee.person))
    changes: dict[str, str | None] = {}
    if attendee.person.name:
        changes["CN"] = attendee.person.name
    if known is None or known.read is None or attendee_type(known.read) is not attendee.type:
        changes["ROLE"] = _ROLES[attendee.type]
        changes["CUTYPE"] = "RESOURCE" if attendee.type is AttendeeType.RESOURCE else None
    if attendee.status:
        changes["PARTSTAT"] = attendee.status
    if attendee.wanted is not None:
        changes["RSVP"] = str(attendee.wanted).upper()
    if attendee.proposed:
        changes[PROPOSED] = "/".join(utc_text(one) for one in attendee.proposed)
    if attendee.replied:
        changes[REPLIED] = utc_text(attendee.replied)
    return line.with_params(**changes)


def file_line(file: File) -> Line:
    """The ATTACH of a file in the store."""
    params = {FILE_NUMBER: str(file.number), "FILENAME": file.name, "FMTTYPE": file.content_type}
    params |= {"SIZE": str(file.size) if file.size else "", FILE_ID: file.content_id}
    params |= {FILE_INLINE: "TRUE" if file.inline else ""}
    given = {key: text for key, text in params.items() if text}
    return make_line("ATTACH", f"{FILE_SCHEME}:{file.number}", given)


def _cal_address(person: Person) -> str:
    return f"{_MAILTO}{person.address}" if person.address else _NO_ADDRESS


def _key(person: Person) -> str:
    """What somebody is known by."""
    return person.address.lower() or person.name
