"""Meetings of two users of one gateway, by real mail between them: invited, answered, moved, cancelled."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import TypeVar

import pytest

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, add, body_preference, commands, delete, options
from tests.support.smtp_sink import SmtpSink, delivering
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, ComposeMail, Email
from wbxml.pages import MeetingResponse as Page

PATIENCE = 15.0
MONDAY = (datetime.now(UTC) + timedelta(days=14)).replace(hour=9, minute=0, second=0, microsecond=0)
MONDAY -= timedelta(days=MONDAY.weekday())
Found = TypeVar("Found")
ACCEPT, TENTATIVE, DECLINE = 1, 2, 3
INBOX_OPTIONS = options(body_preference(1))


@pytest.fixture(scope="module")
def post(dovecot: Dovecot) -> Iterator[SmtpSink]:
    with SmtpSink(auth=True, deliver=delivering(dovecot)) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot, post: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, post, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


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


VERSIONS = [("16.1", "16.1"), ("16.0", "14.1"), ("14.1", "16.1"), ("14.1", "12.1")]


@pytest.fixture(params=VERSIONS, ids=["-".join(pair) for pair in VERSIONS])
def two(
    request: pytest.FixtureRequest, gateway: Gateway, dovecot: Dovecot, post: SmtpSink
) -> tuple[Person, Person]:
    """Bob, who invites, and Ann."""
    bob, ann = request.param
    return Person("bob", bob, gateway, dovecot, post), Person("ann", ann, gateway, dovecot, post)


@pytest.fixture
def bob(gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> Person:
    return Person("bob", "16.1", gateway, dovecot, post)


@pytest.fixture
def ann(gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> Person:
    return Person("ann", "16.1", gateway, dovecot, post)


def test_an_invitation_is_a_tentative_event_before_any_answer(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    event = ann.sees(lambda _: True)
    assert event.child_text(Calendar.Subject) == "Planning"
    assert event.child_text(Calendar.StartTime) == compact(MONDAY)
    assert event.child_text(Calendar.BusyStatus) == "1"
    assert event.child_text(Calendar.MeetingStatus) == "3"
    assert event.child_text(Calendar.OrganizerEmail) == bob.address
    if ann.phone.number >= 14:
        assert event.child_text(Calendar.ResponseType) == "5"
    assert ann.invitation()
    assert len(ann.events) == 1


def test_it_is_accepted_by_the_mail(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    (name,) = ann.events
    sent = [element(Page.SendResponse)] if ann.phone.number >= 16 else []
    result = ann.respond(ACCEPT, ann.inbox, invitation, *sent)
    assert result.child_text(Page.Status) == "1"
    assert result.child_text(Page.RequestId) == invitation
    assert result.child_text(Page.CalendarId) == name
    event = ann.sees(lambda event: event.child_text(Calendar.BusyStatus) == "2")
    if ann.phone.number >= 14:
        assert event.child_text(Calendar.ResponseType) == "3"
    ann.sync_mail()
    assert invitation not in ann.mail
    again = ann.respond(ACCEPT, ann.inbox, invitation, *sent)
    assert [again.child_text(tag) for tag in (Page.Status, Page.CalendarId)] == ["1", name]
    if ann.phone.number >= 16:
        bob.sees(lambda event: status_of(event, ann) == "3")
        assert [subject for subject, _ in ann.letters()] == ["Accepted: Planning"]
    else:
        assert ann.letters() == []


def test_one_occurrence_is_moved(two: tuple[Person, Person]) -> None:
    bob, ann = two
    name = bob.invite(ann, weekly=True)
    ann.sees(lambda event: event.find(Calendar.Recurrence) is not None)
    week, moved = MONDAY + timedelta(days=7), MONDAY + timedelta(days=8)
    if bob.phone.number >= 16:
        times = (
            element(Calendar.StartTime, compact(moved)),
            element(Calendar.EndTime, compact(moved + timedelta(hours=1))),
        )
        one = element(
            AirSync.Change,
            element(AirSync.ServerId, name),
            element(AirSyncBase.InstanceId, compact(week)),
            element(AirSync.ApplicationData, *times),
        )
        assert all(answer.child_text(AirSync.Status) == "1" for answer in bob.sync(one))
    else:
        uid = ann.event.child_text(Calendar.UID) or ""
        bob.send("REQUEST", uid, ann, start=moved, original=week, sequence=1)
    event = ann.sees(lambda event: bool(exceptions(event)))
    (exception,) = exceptions(event)
    assert exception.child_text(Calendar.StartTime) == compact(moved)
    key = AirSyncBase.InstanceId if ann.phone.number >= 16 else Calendar.ExceptionStartTime
    assert exception.child_text(key) == compact(week)


def test_it_is_cancelled(two: tuple[Person, Person]) -> None:
    bob, ann = two
    name = bob.invite(ann)
    event = ann.sees(lambda _: True)
    assert [one.child_text(AirSync.Status) for one in bob.sync(delete(name))] in ([], ["1"])
    if bob.phone.number < 16:
        bob.send("CANCEL", event.child_text(Calendar.UID) or "", ann, sequence=1)
    event = ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "7")
    assert event.child_text(Calendar.BusyStatus) == "0"


def test_it_is_declined(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    comment = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, "On holiday"))
    sent = [element(Page.SendResponse, comment)] if ann.phone.number >= 16 else []
    for _ in range(2):
        result = ann.respond(DECLINE, ann.inbox, invitation, *sent)
        assert result.child_text(Page.Status) == "1"
        assert result.find(Page.CalendarId) is None
    ann.sync()
    assert ann.events == {}
    if ann.phone.number >= 16:
        bob.sees(lambda event: status_of(event, ann) == "4")
        ((subject, mail),) = ann.letters()
        assert subject == "Declined: Planning"
        text = mail.get_payload()[0].get_payload(decode=True)  # type: ignore[union-attr, index]
        assert b"On holiday" in text
