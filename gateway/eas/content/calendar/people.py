"""Who takes part: Attendees, Organizer, MeetingStatus (MS-ASCAL 2.2.2.3 to 6, 28, 34 to 36), both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.eas.content.readers import integer, once, text
from gateway.eas.content.values import BadItem, compact_date_time
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.events.model import Attendee, AttendeeType, Event, Participation, Person
from gateway.pim.limits import MOST_ATTENDEES
from wbxml import Element, element
from wbxml.pages import Calendar, MeetingResponse

__all__ = ["meeting_status", "read_attendees", "read_cancelled", "read_organizer", "shown_attendees"]

_LONGEST_TEXT = 1024
_CANCELLED = 4
_MEETING_STATUS = frozenset({0, 1, 3, 5, 7, 9, 11, 13, 15})
_STATUS: dict[int, Participation | None] = {
    0: None,
    2: Participation.TENTATIVE,
    3: Participation.ACCEPTED,
    4: Participation.DECLINED,
    5: Participation.NEEDS_ACTION,
}
"""Values of AttendeeStatus (MS-ASCAL 2.2.2.5)."""
_IN_BRACKETS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_SCHEME = re.compile(r"(?:smtp|mailto):", re.IGNORECASE)
_SHOWN_STATUS = {value: number for number, value in _STATUS.items()}


def read_attendees(data: Element, version: Version, event: Event | None) -> tuple[Attendee, ...] | None:
    """Those a device lists; None when its element is empty or not there.

    What it cannot say of one or did not is as it is in `event`. Raises `BadItem`.
    """
    container = once(data, Calendar.Attendees)
    listed = container.findall(Calendar.Attendee) if container else []
    if len(listed) > MOST_ATTENDEES:
        raise BadItem(f"more than {MOST_ATTENDEES} attendees")
    known = {one.person.address.lower(): one for one in event.attendees} if event else {}
    return tuple(_attendee(one, version, known) for one in listed) or None


def _attendee(data: Element, version: Version, known: dict[str, Attendee]) -> Attendee:
    told, name = text(data, Calendar.Email, _LONGEST_TEXT), text(data, Calendar.Name, _LONGEST_TEXT)
    if told is None or name is None:
        raise BadItem("an attendee without Email or Name")
    address = _plain(told)
    before = known.get(address.lower())
    status = kind = None
    if version >= Version.V12_0:
        kind = integer(data, Calendar.AttendeeType, min(AttendeeType), max(AttendeeType))
        said = integer(data, Calendar.AttendeeStatus, min(_STATUS), max(_STATUS))
        if said is not None and said not in _STATUS:
            raise BadItem(f"an AttendeeStatus of {said}")
        status = _STATUS[said] if said is not None and version < Version.V16_0 else None
    kept = before.type if before else AttendeeType.REQUIRED
    return Attendee(
        Person(address, "" if name in {address, told} else name), AttendeeType(kind or kept), status
    )


def _plain(address: str) -> str:
    """An address without what some devices write around it (MS-ASCAL 2.2.2.19 lets a server mend it)."""
    inner = _IN_BRACKETS.search(address)
    return _SCHEME.sub("", inner[1] if inner else address)


def read_organizer(data: Element) -> Person | None:
    """The organizer a device names; None when it names none. Raises `BadItem`."""
    address = _plain(text(data, Calendar.OrganizerEmail, _LONGEST_TEXT) or "")
    name = text(data, Calendar.OrganizerName, _LONGEST_TEXT) or ""
    return Person(address, "" if name == address else name) if address else None


def read_cancelled(data: Element) -> bool | None:
    """Whether a device says that the meeting is cancelled; None when it says nothing. Raises `BadItem`."""
    status = integer(data, Calendar.MeetingStatus, min(_MEETING_STATUS), max(_MEETING_STATUS))
    if status is None:
        return None
    if status not in _MEETING_STATUS:
        raise BadItem(f"a MeetingStatus of {status}")
    return bool(status & _CANCELLED)


def meeting_status(event: Event) -> int:
    """The MeetingStatus: bit 0 a meeting, bit 1 of somebody else, bit 2 cancelled."""
    if not event.meeting:
        return 0
    return 1 | (2 if event.received else 0) | (_CANCELLED if event.cancelled else 0)


def shown_attendees(attendees: tuple[Attendee, ...], version: Version) -> Element:
    """The element of those invited; empty when nobody is."""
    shown = (element(Calendar.Attendee, *_shown(one, version)) for one in attendees[:MOST_ATTENDEES])
    return element(Calendar.Attendees, *shown)


def _shown(attendee: Attendee, version: Version) -> Iterator[Element]:
    address = clean(attendee.person.address)
    yield element(Calendar.Email, address)
    yield element(Calendar.Name, clean(attendee.person.name) or address)
    if version >= Version.V12_0:
        yield element(Calendar.AttendeeStatus, _SHOWN_STATUS.get(attendee.status, 0))
        yield element(Calendar.AttendeeType, int(attendee.type))
    if version >= Version.V16_1 and attendee.proposed:
        start, end = attendee.proposed
        yield element(MeetingResponse.ProposedStartTime, compact_date_time(start))
        yield element(MeetingResponse.ProposedEndTime, compact_date_time(end))
