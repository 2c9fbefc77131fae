"""The user's own answer to an invitation: noted in his calendar, and told the organizer (RFC 5546 3.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.errors import NotFound
from gateway.pim.events.document import Document
from gateway.pim.events.model import Busy, OccurrencePatch, Participation
from gateway.pim.events.reading import RESPONSES
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.merge import ANSWERED, INTENDED
from gateway.pim.itip.message import Instance, Parts, attendee_line, revision
from gateway.pim.itip.public import instance_of, public, renewed
from gateway.pim.itip.times import clock_of
from gateway.pim.names import BUSY, REPLY_TIME, RESPONSE
from gateway.pim.tree import Node, escaped, make_line
from gateway.pim.values import moment_of, utc_text

__all__ = ["answered", "last_answer", "reply"]

_OF_REPLY = frozenset(
    {"UID", "RECURRENCE-ID", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "SUMMARY", "LOCATION", "ORGANIZER"}
)


def last_answer(parts: Parts, instance: Instance) -> str:
    """The `mark` of the last answer for this occurrence; "" when there is none to the event as it is."""
    event = parts.events.get(instance)
    return event.component.text(ANSWERED) if event else ""


def answered(  # noqa: PLR0917 - the answer, then whose and when
    document: Document, instance: Instance, status: Participation, mark: str, owner: str, now: datetime
) -> Document:
    """The event of an attendee after his answer; of an occurrence declined: without it.

    `mark` is what tells this answer from others. Raises `NotFound` when there is no such occurrence, and
    `BadEvent`.
    """
    parts = Parts.of(document.calendar)
    if instance is not None and instance not in parts.events:
        series = parts.series
        if series is None or not _recurs(series):
            raise NotFound("no such occurrence")
        original = _original(parts, instance)
        if status is Participation.DECLINED:
            return document.with_occurrence(original, None, owner, now)
        patch = OccurrencePatch(response=RESPONSES[status], reply_time=now, busy=Busy.TENTATIVE)
        parts = Parts.of(document.with_occurrence(original, patch, owner, now).calendar)
    elif instance is not None and status is Participation.DECLINED and parts.series is not None:
        return document.with_occurrence(_original(parts, instance), None, owner, now)
    for one, event in parts.events.items():
        if instance in {None, one}:
            _answer(event, status, mark, owner, now)
    return Document.of(parts.calendar)


def reply(  # noqa: PLR0917 - what is answered, then how
    document: Document,
    instance: Instance,
    status: Participation,
    owner: Person,
    now: datetime,
    comment: str = "",
    proposed: tuple[datetime, datetime] | None = None,
) -> str:
    """The message that tells the organizer; with the times `proposed` it is a COUNTER (RFC 5546 3.2.7).

    In the event the occurrence need not be an exception.
    """
    parts = Parts.of(document.calendar)
    event = parts.events.get(instance)
    if event is None:
        event = parts.main
        if instance is not None:
            event = instance_of(event, instance, clock_of(parts))
    made = event.copy()
    known = attendee_line(event, owner.address)
    params = {"PARTSTAT": status.value} | ({"CN": owner.name} if owner.name else {})
    # As the organizer wrote the address, by which his program knows it.
    address = known.read.value if known and known.read else f"mailto:{owner.address}"
    made.parts = [one for one in made.parts if getattr(one, "name", "") in _OF_REPLY]
    made.parts.append(make_line("ATTENDEE", address, params))
    if comment.strip():
        made.parts.append(make_line("COMMENT", escaped(comment.strip())))
    renewed(made, (revision(event)[0], now.astimezone(UTC)))
    if proposed is None:
        return public(parts, [made], Method.REPLY)
    _propose(made, parts, proposed)
    return public(parts, [made], Method.COUNTER)


def _original(parts: Parts, instance: datetime) -> datetime:
    """The original start that names an occurrence, in the zone of the series."""
    series = parts.series
    start = clock_of(parts).of(series.component.get("DTSTART")) if series else None
    zone = start.tzinfo if start else UTC
    return instance.replace(tzinfo=zone) if instance.tzinfo is None else instance.astimezone(zone)


def _recurs(series: Node) -> bool:
    read = series.component
    return read.get("RRULE") is not None or read.get("RDATE") is not None


def _answer(event: Node, status: Participation, mark: str, owner: str, now: datetime) -> None:
    told = attendee_line(event, owner)
    if told is not None:
        event.replace_where(lambda one: one is told, [told.with_params(PARTSTAT=status.value)])
    else:
        event.replace(RESPONSE, [make_line(RESPONSE, status.value)])
    intended = event.component.text(INTENDED).upper() or "BUSY"
    busy = intended if status is Participation.ACCEPTED or intended == "FREE" else "TENTATIVE"
    event.replace(BUSY, [make_line(BUSY, busy)])
    event.replace("TRANSP", [make_line("TRANSP", "TRANSPARENT" if busy == "FREE" else "OPAQUE")])
    event.replace(REPLY_TIME, [make_line(REPLY_TIME, utc_text(now))])
    event.replace(ANSWERED, [make_line(ANSWERED, mark)])


def _propose(made: Node, parts: Parts, proposed: tuple[datetime, datetime]) -> None:
    """Put other times in the place of those there are, which Outlook is told beside them."""
    read, clock = made.component, clock_of(parts)
    start = clock.of(read.get("DTSTART"))
    if start is None:
        return
    told = moment_of(read.get("DTSTART"))
    end = clock.end(read, start, all_day=bool(told and told.dated))
    made.remove("DTSTART", "DTEND", "DURATION")
    times: Sequence[tuple[str, datetime]] = (
        ("DTSTART", proposed[0]),
        ("DTEND", proposed[1]),
        ("X-MS-OLK-ORIGINALSTART", start),
        ("X-MS-OLK-ORIGINALEND", end),
    )
    made.parts += [make_line(name, utc_text(one)) for name, one in times]
