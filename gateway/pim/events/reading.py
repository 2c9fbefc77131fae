"""What a VEVENT says, as an `Event`; tolerant of everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from gateway.pim.clock import Clock
from gateway.pim.events.model import (
    Attendee,
    AttendeeType,
    BadEvent,
    Busy,
    Event,
    File,
    Occurrence,
    Participation,
    Response,
)
from gateway.pim.events.place import read_place
from gateway.pim.invitation import read_person
from gateway.pim.length import later
from gateway.pim.limits import MOST_ATTENDEES, MOST_COMPONENTS
from gateway.pim.lines import Component, Property
from gateway.pim.names import (
    BLOB,
    BLOB_ZONE,
    BUSY,
    CALENDAR_TYPE,
    CONFERENCE_LINK,
    EXTERNAL_LINKS,
    FILE_ID,
    FILE_INLINE,
    FILE_SCHEME,
    NO_COUNTER,
    PROPOSED,
    REPLIED,
    REPLY_TIME,
    RESPONSE,
    RESPONSE_REQUESTED,
)
from gateway.pim.properties import natural, read_body, read_categories, read_sensitivity, read_text
from gateway.pim.recurrence import Recurrence, read_rule, with_calendar_type
from gateway.pim.values import moment_of, parse_duration, parse_moment, utc_text

__all__ = ["BUSY_WORDS", "RESPONSES", "attendee_type", "files_of", "read_component", "reminder_of"]

BUSY_WORDS = {
    Busy.FREE: "FREE",
    Busy.TENTATIVE: "TENTATIVE",
    Busy.BUSY: "BUSY",
    Busy.OUT_OF_OFFICE: "OOF",
    Busy.ELSEWHERE: "WORKINGELSEWHERE",
}
_BUSY = {word: busy for busy, word in BUSY_WORDS.items()}
_STATUS = {one.value: one for one in Participation}
RESPONSES = {
    Participation.ACCEPTED: Response.ACCEPTED,
    Participation.TENTATIVE: Response.TENTATIVE,
    Participation.DECLINED: Response.DECLINED,
}
_TRUTH = {"TRUE": True, "FALSE": False}
_SHOWN_ALARMS = frozenset({"", "DISPLAY", "AUDIO"})


def read_component(calendar: Component, owner: str, default: tzinfo) -> Event:
    """The event of a calendar, with its exceptions. Raises `BadEvent`.

    It is the first VEVENT that is no exception; else the first one there is, which is known without its
    series. Those of another UID do not belong to it. One with thousands of exceptions is refused.
    """
    events = list(calendar.parts("VEVENT"))
    if not events:
        raise BadEvent("no event")
    main = next((one for one in events if one.get("RECURRENCE-ID") is None), events[0])
    reader = _Reader(main, Clock(calendar, default), owner)
    uid = main.text("UID")
    others = [one for one in events if one is not main and one.text("UID") == uid]
    if len(others) > MOST_COMPONENTS:
        raise BadEvent("a series with too many exceptions")
    return reader.with_exceptions(others)


@dataclass(slots=True)
class _Reader:
    main: Component
    clock: Clock
    owner: str
    attendees: dict[int, Attendee] = field(default_factory=dict)
    """Those read already, by the identity of their lines, which exceptions share with their series."""

    def with_exceptions(self, others: list[Component]) -> Event:
        self.clock.settle(self.main)
        event = self.event(self.main)
        rule = self.main.get("RRULE")
        extra = tuple(sorted(set(self._originals(self.main, "RDATE", event))))
        found = {
            original: Occurrence(original, None) for original in self._originals(self.main, "EXDATE", event)
        }
        for other in others:
            original = next(self._originals(other, "RECURRENCE-ID", event), None)
            # Of several for one time the newest counts: the last, as programs append.
            if original:
                found[original] = Occurrence(original, self._exception(other, event, original))
        return replace(
            event,
            rule=rule.value.strip() if rule else "",
            recurrence=self._recurrence(event) if rule else None,
            extra=extra,
            occurrences=tuple(sorted(found.values(), key=lambda one: one.original.astimezone(UTC))),
            original=next(self._originals(self.main, "RECURRENCE-ID", event), None),
        )

    def event(self, component: Component) -> Event:
        """What one VEVENT says by itself."""
        start = self.clock.of(component.get("DTSTART"))
        moment = moment_of(component.get("DTSTART"))
        if start is None or moment is None:
            raise BadEvent("an event without a start")
        length = self.clock.length(component, start, all_day=moment.dated)
        organizer = component.get("ORGANIZER")
        person = read_person(organizer) if organizer else None
        attendees = tuple(self._attendees(component))
        received = bool(
            person and person.address and self.owner and person.address.lower() != self.owner.lower()
        )
        return Event(
            uid=component.text("UID"),
            start=start,
            end=later(start, length),
            all_day=moment.dated,
            days=0 if moment.dated else length.days,
            blob=self._blob(component),
            subject=read_text(component, "SUMMARY"),
            location=read_place(component),
            body=read_body(component),
            categories=tuple(read_categories(component)),
            sensitivity=read_sensitivity(component),
            busy=_busy(component),
            reminder=_reminder(component, start),
            organizer=person,
            attendees=attendees,
            received=received,
            cancelled=component.text("STATUS").upper() == "CANCELLED",
            response=self._response(component, attendees, received=received),
            reply_time=self.clock.instant(component.get(REPLY_TIME)),
            response_requested=_response_requested(component, attendees),
            may_counter=component.text(NO_COUNTER).upper() != "TRUE",
            conference_link=read_text(component, CONFERENCE_LINK),
            external_link=next((text for name in EXTERNAL_LINKS if (text := read_text(component, name))), ""),
            files=tuple(files_of(component)),
            stamp=self.clock.instant(component.get("DTSTAMP")),
            created=self.clock.instant(component.get("CREATED")),
            modified=self.clock.instant(component.get("LAST-MODIFIED")),
            sequence=natural(component.text("SEQUENCE")),
        )

    def _exception(self, component: Component, series: Event, original: datetime) -> Event:
        """An exception; without times of its own it is where the series would have it."""
        if self.clock.of(component.get("DTSTART")) is None:
            start = Property("DTSTART", utc_text(original))
            others = [one for one in component.properties if one.name != "DTSTART"]
            timed = self.event(Component(component.name, [start, *others], component.components))
            end = later(original, series.length)
            moved = replace(timed, start=original, end=end, all_day=series.all_day)
        else:
            moved = self.event(component)
        return replace(moved, original=original)

    def _originals(self, component: Component, name: str, event: Event) -> Iterator[datetime]:
        return self.clock.originals(component, name, event.start, all_day=event.all_day)

    def _blob(self, component: Component) -> str:
        found, start = component.get(BLOB), component.get("DTSTART")
        if found is None or start is None:
            return ""
        taken_for = found.params.get(BLOB_ZONE, "")
        moment = moment_of(start)
        current = moment is not None and (moment.dated or start.params.get("TZID", "") == taken_for)
        return found.value.strip() if current else ""

    def _recurrence(self, event: Event) -> Recurrence | None:
        recurrence = read_rule(self.main.text("RRULE"), event.start)
        if recurrence is None or self.main.get("EXRULE") is not None:
            return None
        return with_calendar_type(recurrence, natural(self.main.text(CALENDAR_TYPE)))

    def _attendees(self, component: Component) -> Iterator[Attendee]:
        for number, found in enumerate(component.all("ATTENDEE")):
            if number == MOST_ATTENDEES:
                return
            key = id(found)
            if key not in self.attendees:
                self.attendees[key] = self._attendee(found)
            yield self.attendees[key]

    def _attendee(self, found: Property) -> Attendee:
        proposed = [parse_moment(text) for text in found.params.get(PROPOSED, "").split("/")]
        times = [self.clock.at(one) for one in proposed if one and one.utc]
        replied = parse_moment(found.params.get(REPLIED, ""))
        return Attendee(
            read_person(found),
            attendee_type(found),
            _STATUS.get(found.params.get("PARTSTAT", "").upper()),
            _TRUTH.get(found.params.get("RSVP", "").upper()),
            (times[0], times[1]) if len(times) == 2 else None,
            self.clock.at(replied) if replied and replied.utc else None,
        )

    def _response(self, component: Component, attendees: tuple[Attendee, ...], *, received: bool) -> Response:
        if not received:
            return Response.ORGANIZER if attendees else Response.NONE
        owner = self.owner.lower()
        own = next((one for one in attendees if one.person.address.lower() == owner), None)
        status = own.status if own else _STATUS.get(component.text(RESPONSE).upper())
        return RESPONSES.get(status, Response.NOT_RESPONDED) if status else Response.NOT_RESPONDED


def reminder_of(alarm: Component, start: datetime) -> timedelta | None:
    """How long before the start an alarm is; None for one that phones do not show."""
    trigger = alarm.get("TRIGGER")
    if trigger is None or alarm.text("ACTION").upper() not in _SHOWN_ALARMS:
        return None
    if trigger.params.get("RELATED", "").upper() == "END":
        return None
    length = parse_duration(trigger.value)
    moment = moment_of(trigger)
    if length is None and moment and moment.utc:
        length = moment.clock - start.astimezone(UTC).replace(tzinfo=None)
    return -length if length is not None and length <= timedelta() else None


def _reminder(component: Component, start: datetime) -> timedelta | None:
    found = (reminder_of(alarm, start) for alarm in component.parts("VALARM"))
    return next((one for one in found if one is not None), None)


def _busy(component: Component) -> Busy:
    """How the time counts; where TRANSP, which every program sets, says otherwise, it was set later."""
    told = _BUSY.get(component.text(BUSY).upper())
    transparent = component.text("TRANSP").upper()
    if told is Busy.ELSEWHERE:
        return told
    if transparent == "TRANSPARENT":
        return Busy.FREE
    if told is not None and not (told is Busy.FREE and transparent == "OPAQUE"):
        return told
    return Busy.TENTATIVE if component.text("STATUS").upper() == "TENTATIVE" else Busy.BUSY


def attendee_type(found: Property) -> AttendeeType:
    """What an ATTENDEE is, as phones tell them apart."""
    if found.params.get("CUTYPE", "").upper() in {"RESOURCE", "ROOM"}:
        return AttendeeType.RESOURCE
    optional = found.params.get("ROLE", "").upper() in {"OPT-PARTICIPANT", "NON-PARTICIPANT"}
    return AttendeeType.OPTIONAL if optional else AttendeeType.REQUIRED


def _response_requested(component: Component, attendees: tuple[Attendee, ...]) -> bool | None:
    told = _TRUTH.get(component.text(RESPONSE_REQUESTED).upper())
    if told is not None:
        return told
    wanted = {one.wanted for one in attendees} - {None}
    return (True in wanted) if wanted else None


def files_of(component: Component) -> Iterator[File]:
    """The files in the store that a VEVENT refers to."""
    for found in component.all("ATTACH"):
        scheme, _, number = found.value.strip().partition(":")
        if scheme.lower() == FILE_SCHEME and number.isascii() and number.isdigit() and len(number) <= 18:
            params = found.params
            yield File(
                int(number),
                params.get("FILENAME", ""),
                params.get("FMTTYPE", ""),
                natural(params.get("SIZE", "")),
                params.get(FILE_ID, ""),
                params.get(FILE_INLINE, "").upper() == "TRUE",
            )
