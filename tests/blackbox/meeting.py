"""Users with phones and calendars, who invite each other by real mail."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import TypeVar

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, add, body_preference, commands, options
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, Calendar, ComposeMail, Email
from wbxml.pages import MeetingResponse as Page

PATIENCE = 60.0
"""Seconds that mail may take."""
MONDAY = (datetime.now(UTC) + timedelta(days=14)).replace(hour=9, minute=0, second=0, microsecond=0)
MONDAY -= timedelta(days=MONDAY.weekday())
Found = TypeVar("Found")
ACCEPT, TENTATIVE, DECLINE = 1, 2, 3
INBOX_OPTIONS = options(body_preference(1))


class Person:
    """Somebody with a phone and a fresh mailbox."""

    def __init__(self, name: str, version: str, gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> None:
        self.phone = Phone(
            gateway.host,
            gateway.port,
            f"{name}-{uuid.uuid4().hex[:8]}",
            dovecot.password,
            version=version,
            device=f"{name}PHONE",
        )
        self.post = post
        self.phone.provision()
        folders = self.phone.folders()
        self.calendar, self.inbox, self.trash = (folders[each] for each in ("Calendar", "Inbox", "Trash"))
        self.events: dict[str, Element] = {}
        self.mail: dict[str, Element] = {}
        for folder in (self.calendar, self.inbox):
            self.phone.begin(folder)
        self.sync()
        self.sync_mail()

    @property
    def address(self) -> str:
        return f"{self.phone.user}@example.test"

    def sync(self, *operations: Element) -> list[Element]:
        """A Sync of the calendar, whose events are kept; returns the Responses."""
        served = self.phone.sync(self.calendar, *([commands(*operations)] if operations else []))
        assert served.status == "1"
        for name, data in {**served.added, **served.changed}.items():
            self.events[name] = data
        for name in served.deleted:
            self.events.pop(name, None)
        return served.responses

    def sync_mail(self) -> None:
        """A Sync of the INBOX."""
        served = self.phone.sync(self.inbox, INBOX_OPTIONS)
        self.mail |= served.added
        for name in served.deleted:
            self.mail.pop(name, None)

    @property
    def event(self) -> Element:
        """The only event in the calendar."""
        (only,) = self.events.values()
        return only

    def sees(self, wanted: Callable[[Element], bool]) -> Element:
        """The only event, once a Sync shows what is wanted."""

        def look() -> Element | None:
            self.sync()
            return self.event if len(self.events) == 1 and wanted(self.event) else None

        return eventually(look)

    def invite(self, *people: Person, weekly: bool = False) -> str:
        """Make a meeting, and have it known; returns its ServerId."""
        uid = f"{uuid.uuid4()}"
        data = [
            element(Calendar.StartTime, compact(MONDAY)),
            element(Calendar.EndTime, compact(MONDAY + timedelta(hours=1))),
            element(Calendar.Subject, "Planning"),
            element(Calendar.MeetingStatus, 1),
            attendees(*people),
        ]
        if weekly:
            recurrence = element(
                Calendar.Recurrence,
                element(Calendar.Type, 1),
                element(Calendar.Interval, 1),
                element(Calendar.DayOfWeek, 2),
                element(Calendar.Occurrences, 5),
            )
            data.append(recurrence)
        if self.phone.number < 16:
            data += [
                element(Calendar.UID, uid),
                element(Calendar.OrganizerEmail, self.address),
                element(Calendar.DtStamp, compact(datetime.now(UTC))),
            ]
        (answer,) = self.sync(add("c1", *data))
        assert answer.child_text(AirSync.Status) == "1"
        if self.phone.number < 16:
            self.send("REQUEST", uid, *people, weekly=weekly)
        return answer.child_text(AirSync.ServerId) or ""

    def send(
        self,
        method: str,
        uid: str,
        *people: Person,
        weekly: bool = False,
        start: datetime = MONDAY,
        original: datetime | None = None,
        sequence: int = 0,
    ) -> None:
        """What a phone up to 14.1 mails by itself."""
        lines = [
            "BEGIN:VCALENDAR",
            "PRODID:-//Phone//EN",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            f"DTSTAMP:{compact(datetime.now(UTC))}",
            f"DTSTART:{compact(start)}",
            f"DTEND:{compact(start + timedelta(hours=1))}",
            f"SEQUENCE:{sequence}",
            "SUMMARY:Planning",
            f"ORGANIZER:mailto:{self.address}",
            *(f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{one.address}" for one in people),
            *(["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=5"] if weekly else []),
            *([f"RECURRENCE-ID:{compact(original)}"] if original else []),
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
        self.mail_calendar(method, "\r\n".join(lines), *(one.address for one in people))

    def mail_calendar(self, method: str, calendar: str, *recipients: str) -> None:
        mime = (
            f"From: {self.address}\r\nTo: {', '.join(recipients)}\r\nSubject: Planning\r\n"
            f"Message-ID: <{uuid.uuid4()}@phone>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{calendar}"
        )
        request = element(
            ComposeMail.SendMail,
            element(ComposeMail.ClientId, uuid.uuid4().hex),
            element(ComposeMail.Mime, mime.encode()),
        )
        assert self.phone.post("SendMail", request).empty

    def invitation(self) -> str:
        """The ServerId of the newest invitation in the INBOX, once it is there."""

        def found() -> str | None:
            self.sync_mail()
            names = [
                name
                for name, data in self.mail.items()
                if data.child_text(Email.MessageClass) == "IPM.Schedule.Meeting.Request"
            ]
            return names[-1] if names else None

        return eventually(found)

    def respond(self, answer: int, folder: str, item: str, *more: Element) -> Element:
        """MeetingResponse to a mail or an event; returns the Result."""
        request = element(
            Page.Request,
            element(Page.UserResponse, answer),
            element(Page.CollectionId, folder),
            element(Page.RequestId, item),
            *more,
        )
        root = self.phone.post("MeetingResponse", element(Page.MeetingResponse, request)).root
        (result,) = root.findall(Page.Result)
        return result

    def letters(self) -> list[tuple[str, Message]]:
        """What this person mailed: the subject and the message."""
        mine = [one for one in self.post.received if one.mail_from == self.address]
        return [((mail := message_from_bytes(one.data))["Subject"], mail) for one in mine]


def eventually(look: Callable[[], Found | bool | None]) -> Found:
    """What is found at last; mail takes its time."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            assert found is not True
            return found
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)


def compact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def attendees(*people: Person) -> Element:
    return element(
        Calendar.Attendees,
        *(
            element(
                Calendar.Attendee,
                element(Calendar.Email, one.address),
                element(Calendar.Name, "Somebody"),
                element(Calendar.AttendeeType, 1),
            )
            for one in people
        ),
    )


def status_of(event: Element, person: Person) -> str | None:
    """The AttendeeStatus of a person."""
    listed = event.find(Calendar.Attendees)
    for one in listed or ():
        if one.child_text(Calendar.Email) == person.address:
            return one.child_text(Calendar.AttendeeStatus)
    return None


def exceptions(event: Element) -> list[Element]:
    listed = event.find(Calendar.Exceptions)
    return list(listed) if listed else []
