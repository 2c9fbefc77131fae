"""Meetings for these tests: Bob invites Ann and Cid every Monday at ten in Berlin, from 2 March 2026 on."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.pim.events.document import read_event
from gateway.pim.events.model import Event
from gateway.pim.itip.incoming import apply
from gateway.pim.itip.message import Message, read_message
from gateway.pim.itip.verdicts import Applied
from tests.support.invitations import ANN, BOB, CENTRAL_EUROPE, calendar, timezone

CID = "cid@example.org"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = timezone("Europe/Berlin", *CENTRAL_EUROPE)
PEOPLE = (
    "ORGANIZER;CN=Bob:mailto:bob@example.org",
    "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org",
    "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org",
    "ATTENDEE;CN=Cid;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:Cid@Example.org",
)


def vevent(
    *more: str,
    clock: str = "20260302T100000",
    end: str = "",
    sequence: int | None = 0,
    stamp: str = "20260301T080000Z",
    people: tuple[str, ...] = PEOPLE,
    uid: str = "monday@example.org",
) -> tuple[str, ...]:
    """A VEVENT of an hour."""
    until = end or f"{clock[:9]}{int(clock[9:11]) + 1:02}{clock[11:]}"
    return (
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamp}",
        f"DTSTART;TZID=Europe/Berlin:{clock}",
        f"DTEND;TZID=Europe/Berlin:{until}",
        *(() if sequence is None else (f"SEQUENCE:{sequence}",)),
        *people,
        *more,
        "END:VEVENT",
    )


def series(*more: str, **how: object) -> tuple[str, ...]:
    """The series."""
    return vevent("RRULE:FREQ=WEEKLY;BYDAY=MO", "SUMMARY:Monday", *more, **how)  # type: ignore[arg-type]


def occurrence(day: str, *more: str, clock: str = "", **how: object) -> tuple[str, ...]:
    """An exception of the series for the Monday of this date (YYYYMMDD), at ten or by another clock."""
    original = f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000"
    return vevent(original, "SUMMARY:Monday", *more, clock=clock or f"{day}T100000", **how)  # type: ignore[arg-type]


def stored(*events: tuple[str, ...]) -> str:
    """The text of the store."""
    return calendar(*ZONE, *(line for event in events for line in event)).replace("METHOD:REQUEST\r\n", "")


def message(method: str, *events: tuple[str, ...]) -> Message:
    """A scheduling message."""
    found = read_message(calendar(*ZONE, *(line for event in events for line in event), method=method))
    assert found is not None
    return found


def request(*events: tuple[str, ...]) -> Message:
    """An invitation or its update."""
    return message("REQUEST", *events)


def take(
    told: Message, held: str | None = None, *, sender: str = BOB, owner: str = ANN, trusted: bool = False
) -> Applied:
    """Apply a message."""
    return apply(told, held, sender=sender, owner=owner, now=NOW, trusted=trusted)


def taken(told: Message, held: str | None = None, *, sender: str = BOB, owner: str = ANN) -> str:
    """The text after a message that is applied."""
    applied = take(told, held, sender=sender, owner=owner)
    assert applied.text is not None, applied.verdict
    return applied.text


def seen(text: str, owner: str = ANN) -> Event:
    """The event as somebody sees it."""
    return read_event(text, owner)


def at(day: int, hour: int = 9, month: int = 3) -> datetime:
    """An original start: ten o'clock in Berlin is nine in UTC, in winter."""
    return datetime(2026, month, day, hour, tzinfo=UTC)
