"""A scheduling message, or an event of the store, taken apart: which VEVENT is about what, and how new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from gateway.pim.clock import tzid_of
from gateway.pim.events.model import BadEvent
from gateway.pim.exchange.times import TIMES, FileZones, by_the_clock
from gateway.pim.invitation import Method, Own, Person, known_as, method_of, read_person
from gateway.pim.limits import LONGEST_UID, MOST_COMPONENTS
from gateway.pim.lines import Property
from gateway.pim.timezones import named_zone
from gateway.pim.tree import BadText, Line, Node, parse_calendar
from gateway.pim.values import FIRST_YEAR, LAST_YEAR, moment_of
from gateway.pim.zones import Zones

__all__ = [
    "Instance",
    "Message",
    "Parts",
    "Revision",
    "attendee_line",
    "is_cancelled",
    "read_message",
    "revision",
    "same_address",
]

Instance = datetime | None
"""Which occurrence: its original start in UTC, of a date its midnight without a zone; None is the series."""
Revision = tuple[int, datetime]
"""SEQUENCE and DTSTAMP: of two versions the greater is the newer (RFC 5546 2.1.5)."""

_OLDEST = datetime.min.replace(tzinfo=UTC)
_MOST_SINGLE = 100
"""Occurrences that one message may cancel or answer by themselves; each costs as much as a change."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The VEVENTs of one UID in a calendar, by the occurrence they are about."""

    calendar: Node
    uid: str
    events: dict[Instance, Node]
    zones: Zones

    @classmethod
    def of(cls, calendar: Node) -> Parts:
        """Take a calendar apart; of several UIDs the first counts.

        Raises `BadText` when there is none, or too many to look at.
        """
        zones = Zones(calendar.component)
        events: dict[Instance, Node] = {}
        uid = ""
        for event in calendar.nodes("VEVENT"):
            own = event.component.text("UID")
            uid = uid or own
            if own and own == uid and _can_be_placed(event):
                events.setdefault(_instance(event, zones), event)
            if len(events) > MOST_COMPONENTS:
                raise BadEvent("an event with too many exceptions")
        if not events or len(uid) > LONGEST_UID:
            raise BadEvent("a calendar without an event that has a name")
        return cls(calendar, uid, events, zones)

    @classmethod
    def read(cls, text: str) -> Parts:
        """Take the text of a calendar apart. Raises `BadText`."""
        return cls.of(parse_calendar(text))

    @property
    def series(self) -> Node | None:
        """The series or the single event; None where only occurrences are known."""
        return self.events.get(None)

    @property
    def main(self) -> Node:
        """The series, or else the first occurrence."""
        return self.series or next(iter(self.events.values()))

    @property
    def instance_of_all(self) -> Instance:
        """What an answer to all of it is about: the series, or the occurrence that alone is known."""
        return None if self.series else next(iter(self.events))

    @property
    def organizer(self) -> Person | None:
        """Who invites."""
        found = self.main.component.get("ORGANIZER")
        return read_person(found) if found else None

    def known_as(self, address: str, own: Own) -> str:
        """By which of his addresses the user takes part; `address` is his first one."""
        attendees = (read_person(one) for one in self.main.component.all("ATTENDEE"))
        return known_as(self.organizer, attendees, address, own)

    @property
    def speaker(self) -> str:
        """Who may speak for the organizer (SENT-BY), in lower case; "" is nobody."""
        found = self.main.component.get("ORGANIZER")
        return found.params.get("SENT-BY", "").lower().removeprefix("mailto:").strip() if found else ""


@dataclass(frozen=True, slots=True)
class Message:
    """A scheduling message: its parts, without the METHOD."""

    method: Method
    parts: Parts


def read_message(text: str, method: str = "", zone: tzinfo = UTC) -> Message | None:
    """The scheduling message in a calendar; None when it is none, or about nothing that can be named.

    One about more occurrences than anybody cancels or answers one by one is none either.

    `method` is that of the Content-Type. Times in no zone come to be in `zone`.
    """
    try:
        calendar = parse_calendar(text)
        found = method_of(calendar.component, method)
        if found is None:
            return None
        calendar.remove("METHOD")
        parts = Parts.of(_settled(calendar, zone))
        if found is not Method.REQUEST and len(parts.events) > _MOST_SINGLE:
            return None
        return Message(found, parts)
    except BadText:
        return None


def _settled(calendar: Node, zone: tzinfo) -> Node:
    """The calendar without times in no zone: what is stored is looked at from everywhere."""
    events = list(calendar.nodes("VEVENT"))
    lines = (line for event in events for line in event.lines(*TIMES))
    definitions = {one.component.text("TZID").lower(): one for one in calendar.nodes("VTIMEZONE")}
    named = {one.tzid for line in lines for one in by_the_clock(line)}
    if not tzid_of(zone) or all(one.lower() in definitions or named_zone(one) for one in named):
        return calendar
    return FileZones(calendar.component.text("X-WR-TIMEZONE"), definitions, zone).settle(events)[0]


def revision(event: Node) -> Revision:
    """How new a VEVENT is."""
    read = event.component
    text = read.text("SEQUENCE")
    sequence = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    return sequence, _stamp(read.get("DTSTAMP"))


def attendee_line(event: Node, address: str) -> Line | None:
    """The ATTENDEE with an address."""
    return next(
        (
            one
            for one in event.lines("ATTENDEE")
            if one.read and same_address(read_person(one.read).address, address)
        ),
        None,
    )


def is_cancelled(event: Node) -> bool:
    """Whether a VEVENT was called off."""
    return event.component.text("STATUS").upper() == "CANCELLED"


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same one, and one at all."""
    return bool(one.strip()) and one.strip().lower() == other.strip().lower()


def _stamp(found: Property | None) -> datetime:
    told = moment_of(found)
    usable = told is not None and FIRST_YEAR <= told.clock.year <= LAST_YEAR
    return told.clock.replace(tzinfo=UTC) if told and usable else _OLDEST


def _can_be_placed(event: Node) -> bool:
    """Whether it is about the series or one occurrence, and not about all occurrences from one on."""
    found = event.component.get("RECURRENCE-ID")
    told = moment_of(found)
    if found is None or told is None:
        return found is None
    return "RANGE" not in found.params and FIRST_YEAR <= told.clock.year <= LAST_YEAR


def _instance(event: Node, zones: Zones) -> Instance:
    told = moment_of(event.component.get("RECURRENCE-ID"))
    if told is None:
        return None
    return told.clock if told.dated else zones.instant(told).astimezone(UTC)
