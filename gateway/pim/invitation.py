"""Scheduling messages (iTIP, RFC 5546) as they come by mail: what they ask and tell, read tolerantly.

Only what a phone shows before it answers is read; whoever answers or stores the event has the text itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum, StrEnum

from gateway.pim.length import later
from gateway.pim.limits import LONGEST_UID, MOST_ATTENDEES
from gateway.pim.lines import Component, Property, read
from gateway.pim.recurrence import Recurrence, read_rule
from gateway.pim.values import Moment, moment_of, parse_duration, parse_length, usable
from gateway.pim.zones import Zones

__all__ = [
    "Answer",
    "Attendee",
    "Busy",
    "Invitation",
    "Method",
    "Own",
    "Person",
    "Sensitivity",
    "known_as",
    "nobody",
    "read_invitation",
    "read_person",
    "sensitivity_of",
]

Own = Callable[[str], bool]
"""Says whether an address is one of the user's."""

_ALL_DAY = timedelta(days=1)
_MAILTO = "mailto:"
_OUTLOOK = "X-MICROSOFT-"


class Method(StrEnum):
    """What a message is for; other methods are no mail that a phone treats specially."""

    REQUEST = "REQUEST"
    REPLY = "REPLY"
    CANCEL = "CANCEL"
    COUNTER = "COUNTER"


class Answer(StrEnum):
    """PARTSTAT of an event (RFC 5545 3.2.12), as far as it is an answer."""

    ACCEPTED = "ACCEPTED"
    TENTATIVE = "TENTATIVE"
    DECLINED = "DECLINED"


class Busy(IntEnum):
    """How the time counts for others; the values are those of MS-ASCAL 2.2.2.10."""

    FREE = 0
    TENTATIVE = 1
    BUSY = 2
    OUT_OF_OFFICE = 3
    ELSEWHERE = 4


class Sensitivity(IntEnum):
    """Who may see it; the values are those of MS-ASCAL 2.2.2.42."""

    NORMAL = 0
    PERSONAL = 1
    PRIVATE = 2
    CONFIDENTIAL = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A calendar user; the address may be "" and the name too."""

    address: str
    name: str = ""


def nobody(_address: str) -> bool:
    """`Own` of a user with one address only, or none that is known."""
    return False


def known_as(organizer: Person | None, attendees: Iterable[Person], address: str, own: Own) -> str:
    """By which of his addresses an event knows the user; `address` is his first one."""
    if organizer and own(organizer.address):
        return organizer.address
    found = [one.address for one in attendees if own(one.address)]
    mine = address.strip().lower()
    return address if not found or mine in (one.strip().lower() for one in found) else found[0]


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is invited: the answer so far, and whether one is wanted (None: not said)."""

    person: Person
    answer: Answer | None = None
    wanted: bool | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """One scheduling message about one event, or about the occurrence of one that `recurrence_id` names.

    Times are in `zone`. Those of an event of whole days are midnights, the end exclusive. `proposed` are the
    start and end that a COUNTER asks for; `start` and `end` are then those of the event, where they are told.
    `stamp` is None when the message has none.
    """

    method: Method
    uid: str
    start: datetime | None
    end: datetime | None
    zone: tzinfo
    all_day: bool = False
    stamp: datetime | None = None
    sequence: int = 0
    summary: str = ""
    location: str = ""
    description: str = ""
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    recurrence: Recurrence | None = None
    recurrence_id: datetime | None = None
    busy: Busy = Busy.BUSY
    sensitivity: Sensitivity = Sensitivity.NORMAL
    reminder: timedelta | None = None
    may_counter: bool = True
    proposed: tuple[datetime, datetime] | None = None

    def attendee(self, address: str) -> Attendee | None:
        """The one with this address."""
        wanted = address.lower()
        return next((one for one in self.attendees if one.person.address.lower() == wanted), None)

    def known_as(self, address: str, own: Own) -> str:
        """By which of his addresses it knows the user; `address` is his first one."""
        return known_as(self.organizer, (one.person for one in self.attendees), address, own)

    def wants_answer(self, address: str) -> bool:
        """Whether the attendee with this address is asked to answer.

        Nobody needs to say so (RFC 5545 3.2.17), but programs that leave RSVP out everywhere want answers.
        """
        own = self.attendee(address)
        if own and own.wanted is not None:
            return own.wanted
        said = {one.wanted for one in self.attendees} - {None}
        return not said or True in said


_METHODS = {one.value: one for one in Method}
_ANSWERS = {one.value: one for one in Answer}
_BUSY = {
    "FREE": Busy.FREE,
    "TENTATIVE": Busy.TENTATIVE,
    "BUSY": Busy.BUSY,
    "OOF": Busy.OUT_OF_OFFICE,
    "WORKINGELSEWHERE": Busy.ELSEWHERE,
}
_SENSITIVITY = {
    "": Sensitivity.NORMAL,
    "PUBLIC": Sensitivity.NORMAL,
    "X-PERSONAL": Sensitivity.PERSONAL,
    "CONFIDENTIAL": Sensitivity.CONFIDENTIAL,
}


def sensitivity_of(said: str) -> Sensitivity:
    """What a value of CLASS means; one that nobody knows the same as PRIVATE (RFC 5545 3.8.1.3)."""
    return _SENSITIVITY.get(said.strip().upper(), Sensitivity.PRIVATE)


def method_of(calendar: Component, told: str) -> Method | None:
    """What a calendar in a mail is for; None when that is nothing that is acted on.

    `told` is the method of the Content-Type, which counts where the calendar names none. Where they differ
    it is no scheduling message (RFC 6047 2.4): others may have looked at either only.
    """
    told = told.strip().upper()
    named = calendar.text("METHOD").strip().upper() or told
    return _METHODS.get(named) if told in {"", named} else None


def read_invitation(text: str, method: str = "", zone: tzinfo = UTC) -> Invitation | None:
    """The scheduling message in a text/calendar part; None when it is none, or too broken to act on.

    `method` is that of the Content-Type. Times in no zone are taken for those of `zone`.
    """
    for calendar in read(text):
        named = method_of(calendar, method)
        events = list(calendar.parts("VEVENT"))
        if named and events:
            # The series itself where it is there; else an occurrence of it.
            event = next((one for one in events if one.get("RECURRENCE-ID") is None), events[0])
            return _invitation(named, event, Zones(calendar, zone))
    return None


def _invitation(method: Method, event: Component, zones: Zones) -> Invitation | None:
    uid = event.text("UID")
    begin = usable(moment_of(event.get("DTSTART")))
    which = usable(moment_of(event.get("RECURRENCE-ID")))
    if not uid or len(uid) > LONGEST_UID or (begin is None and method in {Method.REQUEST, Method.COUNTER}):
        return None
    start = zones.instant(begin) if begin else None
    end = _end(event, begin, zones) if begin else None
    zone = _zone(begin, event, zones)
    start, end = start and start.astimezone(zone), end and end.astimezone(zone)
    recurring = which is None and start is not None
    proposed = None
    if method is Method.COUNTER and start and end:
        proposed = start, end
        start, end = _original(event, zones, start, end)
    return Invitation(
        method=method,
        uid=uid,
        start=start,
        end=end,
        zone=zone,
        all_day=_whole_days(event, begin, start, end),
        stamp=_stamp(event, zones),
        sequence=_natural(event.text("SEQUENCE")),
        summary=event.text("SUMMARY"),
        location=event.text("LOCATION"),
        description=event.text("DESCRIPTION"),
        organizer=_organizer(event),
        attendees=tuple(_attendees(event)),
        recurrence=read_rule(event.text("RRULE"), start) if recurring and start else None,
        recurrence_id=zones.instant(which).astimezone(zone) if which else None,
        busy=_busy(event),
        sensitivity=sensitivity_of(event.text("CLASS")),
        reminder=_reminder(event, start, zones),
        may_counter=event.text(_OUTLOOK + "DISALLOW-COUNTER").upper() != "TRUE",
        proposed=proposed,
    )


def _end(event: Component, begin: Moment, zones: Zones) -> datetime:
    """The end; before the start it makes no sense and is the start."""
    start = zones.instant(begin)
    told = usable(moment_of(event.get("DTEND")))
    length = parse_length(event.text("DURATION"))
    if told and told.dated == begin.dated:
        end = zones.instant(told)
    elif length is not None and timedelta() <= length.about < timedelta(days=36600):
        end = later(start, length)
    else:
        end = start
    if begin.dated and end <= start:
        # By the clock: a day may have 23 hours.
        end = (start.replace(tzinfo=None) + _ALL_DAY).replace(tzinfo=start.tzinfo)
    return max(end, start)


def _zone(begin: Moment | None, event: Component, zones: Zones) -> tzinfo:
    if begin is None:
        return UTC
    if not begin.utc:
        return zones.of(begin)
    # A series in UTC stays there all year; a single time may be shown where the calendar is at home.
    return (None if event.get("RRULE") else zones.usual(begin.clock)) or UTC


def _original(event: Component, zones: Zones, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """When the event is by now, where a counter proposal says so."""
    told = [usable(moment_of(event.get(f"X-MS-OLK-ORIGINAL{which}"))) for which in ("START", "END")]
    if told[0] is None or told[1] is None:
        return start, end
    zone = start.tzinfo
    first, last = (zones.instant(moment).astimezone(zone) for moment in told if moment)
    return first, max(first, last)


def _whole_days(event: Component, begin: Moment | None, start: datetime | None, end: datetime | None) -> bool:
    if begin is None or begin.dated:
        return begin is not None
    marked = event.text(_OUTLOOK + "CDO-ALLDAYEVENT").upper() == "TRUE"
    midnights = all(one and one.replace(tzinfo=None).time() == datetime.min.time() for one in (start, end))
    return marked and midnights and start != end


def _stamp(event: Component, zones: Zones) -> datetime | None:
    moment = usable(moment_of(event.get("DTSTAMP")))
    return zones.instant(moment).astimezone(UTC) if moment else None


def _organizer(event: Component) -> Person | None:
    found = event.get("ORGANIZER")
    return read_person(found) if found else None


def _attendees(event: Component) -> Iterator[Attendee]:
    for number, found in enumerate(event.all("ATTENDEE")):
        if number == MOST_ATTENDEES:
            return
        answer, wanted = found.params.get("PARTSTAT", "").upper(), found.params.get("RSVP", "").upper()
        yield Attendee(
            read_person(found),
            _ANSWERS.get(answer),
            {"TRUE": True, "FALSE": False}.get(wanted),
        )


def read_person(found: Property) -> Person:
    """A CAL-ADDRESS; where it is no mail address, that of the parameter EMAIL."""
    value = found.value.strip().strip("<>")
    at = value.lower().rfind(_MAILTO)
    address = value[at + len(_MAILTO) :].strip("<> ") if at >= 0 else value
    if "@" not in address:
        address = found.params.get("EMAIL", "").strip()
    return Person(address, found.params.get("CN", ""))


def _busy(event: Component) -> Busy:
    # A request of Outlook is tentative until it is answered, and says what it is meant to become.
    for name in ("CDO-INTENDEDSTATUS", "CDO-BUSYSTATUS"):
        told = _BUSY.get(event.text(_OUTLOOK + name).upper())
        if told is not None:
            return told
    return Busy.FREE if event.text("TRANSP").upper() == "TRANSPARENT" else Busy.BUSY


def _reminder(event: Component, start: datetime | None, zones: Zones) -> timedelta | None:
    """How long before the start the first alarm is that counts from the start."""
    for alarm in event.parts("VALARM"):
        trigger = alarm.get("TRIGGER")
        if trigger is None or trigger.params.get("RELATED", "").upper() == "END":
            continue
        length = parse_duration(trigger.value)
        moment = usable(moment_of(trigger))
        if length is None and moment and start:
            length = zones.instant(moment).astimezone(UTC) - start.astimezone(UTC)
        if length is not None and length <= timedelta():
            return -length
    return None


def _natural(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
