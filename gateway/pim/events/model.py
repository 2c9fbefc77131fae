"""What is known of an event, and what is to become of it: values without a text and without a protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum, StrEnum

from gateway.items import FileNumber
from gateway.pim.invitation import Busy, Person, Sensitivity
from gateway.pim.length import Length, later, length_between
from gateway.pim.properties import INHERIT, UNSET, Body, Unset
from gateway.pim.recurrence import Recurrence
from gateway.pim.tree import BadText

__all__ = [
    "INHERIT",
    "UNSET",
    "Attendee",
    "AttendeeType",
    "BadEvent",
    "Body",
    "Busy",
    "Event",
    "EventPatch",
    "File",
    "Location",
    "Occurrence",
    "OccurrencePatch",
    "Participation",
    "Person",
    "Recurrence",
    "Response",
    "Sensitivity",
    "Unset",
]


class BadEvent(BadText):
    """It is no event, or would become one that cannot be: an end before the start, a rule without days."""


class AttendeeType(IntEnum):
    """The values of MS-ASCAL 2.2.2.6."""

    REQUIRED = 1
    OPTIONAL = 2
    RESOURCE = 3


class Participation(StrEnum):
    """What an attendee said: PARTSTAT of an event (RFC 5545 3.2.12)."""

    NEEDS_ACTION = "NEEDS-ACTION"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    TENTATIVE = "TENTATIVE"
    DELEGATED = "DELEGATED"


class Response(IntEnum):
    """What the user answered; the values are those of MS-ASCAL 2.2.2.40."""

    NONE = 0
    ORGANIZER = 1
    TENTATIVE = 2
    ACCEPTED = 3
    DECLINED = 4
    NOT_RESPONDED = 5


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is invited.

    `status` None says that nothing is known; so does `wanted` of whether an answer is wanted (RSVP).
    `proposed` are the start and end he would like better, `replied` is the DTSTAMP of his newest answer. In
    a patch None keeps what is known of the attendee with this address.
    """

    person: Person
    type: AttendeeType = AttendeeType.REQUIRED
    status: Participation | None = None
    wanted: bool | None = None
    proposed: tuple[datetime, datetime] | None = None
    replied: datetime | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where it is (MS-ASAIRS 2.2.2.28): a name, an address, coordinates in degrees and metres (WGS 84)."""

    name: str = ""
    annotation: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    postal_code: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    altitude: float | None = None
    altitude_accuracy: float | None = None
    uri: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the event that the store keeps. `size` counts octets."""

    number: FileNumber
    name: str
    content_type: str = ""
    size: int = 0
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event or a series, as its owner sees it; or (in an `Occurrence`) one occurrence of a series.

    Times are in the zone of the event. Those of an event of whole days are midnights in whatever zone its
    dates are to be seen, the end exclusive. `blob` is the time zone as a phone sent it (172 octets in
    base64), "" when none did; it is that of `zone`.

    `days` are those of its length that are counted by the clock though it has times (DURATION).

    `recurrence` is None for a single event, and for a series that phones cannot be told: `rule` is its RRULE
    as written. `extra` are the starts of occurrences beside the rule (RDATE), `occurrences` the exceptions
    by original start. `original` is set for an occurrence, also for one that is known without its series.

    `received` says that somebody else is the organizer. `response_requested` None is not said.
    """

    uid: str
    start: datetime
    end: datetime
    all_day: bool = False
    days: int = 0
    blob: str = ""
    subject: str = ""
    location: Location | None = None
    body: Body | None = None
    categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    busy: Busy = Busy.BUSY
    reminder: timedelta | None = None
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    received: bool = False
    cancelled: bool = False
    response: Response = Response.NONE
    reply_time: datetime | None = None
    response_requested: bool | None = None
    may_counter: bool = True
    conference_link: str = ""
    external_link: str = ""
    files: tuple[File, ...] = ()
    stamp: datetime | None = None
    created: datetime | None = None
    modified: datetime | None = None
    sequence: int = 0
    recurrence: Recurrence | None = None
    rule: str = ""
    extra: tuple[datetime, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    original: datetime | None = None

    @property
    def zone(self) -> tzinfo:
        """The zone of its times."""
        return self.start.tzinfo or UTC

    @property
    def length(self) -> Length:
        """How long it lasts, and each occurrence."""
        days = (self.end.date() - self.start.date()).days if self.all_day else self.days
        return length_between(self.start, self.end, days=days)

    @property
    def meeting(self) -> bool:
        """Whether others take part."""
        return bool(self.attendees) or self.received

    @property
    def recurring(self) -> bool:
        """Whether it is a series."""
        return bool(self.rule or self.extra)

    def attendee(self, address: str) -> Attendee | None:
        """The one with this address."""
        wanted = address.lower()
        return next((one for one in self.attendees if one.person.address.lower() == wanted), None)

    def instance(self, original: datetime) -> Event:
        """The occurrence of a series at this original start, without what an exception says of it."""
        return replace(
            self,
            start=original,
            end=later(original, self.length),
            days=0,
            blob="",
            recurrence=None,
            rule="",
            extra=(),
            occurrences=(),
            original=original,
        )

    def occurrence(self, original: datetime) -> Occurrence | None:
        """The exception at this original start."""
        return next((one for one in self.occurrences if one.original == original), None)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An exception of a series: the occurrence of this original start is deleted (`event` None), or changed.

    A changed one is given as a whole; what it has like the series, it inherits.
    """

    original: datetime
    event: Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrencePatch:
    """What is to change of an occurrence, or of any event.

    UNSET keeps a value, INHERIT takes that of the series, None removes it. `start` and `end` are in the zone
    that the event is to have; of an event of whole days their dates count alone. `reminder` is how long
    before the start. `response` is the user's own answer. `stamp` is the DTSTAMP; where it is not given,
    that of an event of the user's own becomes the time of the change.
    """

    start: datetime | Unset = UNSET
    end: datetime | Unset = UNSET
    all_day: bool | Unset = UNSET
    subject: str | Unset | None = UNSET
    location: Location | Unset | None = UNSET
    body: Body | Unset | None = UNSET
    categories: tuple[str, ...] | Unset | None = UNSET
    sensitivity: Sensitivity | Unset | None = UNSET
    busy: Busy | Unset | None = UNSET
    reminder: timedelta | Unset | None = UNSET
    attendees: tuple[Attendee, ...] | Unset | None = UNSET
    cancelled: bool | Unset = UNSET
    response: Response | Unset | None = UNSET
    reply_time: datetime | Unset | None = UNSET
    response_requested: bool | Unset | None = UNSET
    may_counter: bool | Unset | None = UNSET
    files: tuple[File, ...] | Unset | None = UNSET
    sequence: int | Unset = UNSET
    stamp: datetime | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPatch(OccurrencePatch):
    """What is to change of an event or a series.

    `occurrences` are changes of exceptions, made after all else: None deletes the occurrence of that original
    start. Exceptions that are not named stay; but where `resets_exceptions`, a change of when the series
    happens removes them all (16.x). `recurrence` None makes it a single event; a rule that phones cannot be
    told stays then, since they did not know of it.
    """

    blob: str | Unset | None = UNSET
    organizer: Person | Unset | None = UNSET
    recurrence: Recurrence | Unset | None = UNSET
    occurrences: tuple[tuple[datetime, OccurrencePatch | None], ...] = ()
    resets_exceptions: bool = False
