"""Events as other programs store and export them, and what they say.

Written for these tests after what the formats say and programs do.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import instances
from gateway.pim.events.model import (
    Attendee,
    AttendeeType,
    Body,
    Busy,
    EventPatch,
    Location,
    Participation,
    Person,
    Response,
    Sensitivity,
)
from gateway.pim.recurrence import Pattern, Recurrence
from tests.pim.events.made import ANN, LATER, berlin
from tests.support.events import patch_event
from tests.support.invitations import CENTRAL_EUROPE, CENTRAL_EUROPE_1601, timezone


def calendar(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR"))


GOOGLE = calendar(
    "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
    "CALSCALE:GREGORIAN",
    "X-WR-CALNAME:ann@example.org",
    "X-WR-TIMEZONE:Europe/Berlin",
    *timezone("Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin", *CENTRAL_EUROPE),
    "BEGIN:VEVENT",
    "DTSTART;TZID=Europe/Berlin:20260302T100000",
    "DTEND;TZID=Europe/Berlin:20260302T110000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO",
    "EXDATE;TZID=Europe/Berlin:20260309T100000",
    "DTSTAMP:20260301T080000Z",
    "ORGANIZER;CN=Ann:mailto:ann@example.org",
    "UID:abc@google.com",
    "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=bob@exa",
    " mple.org;X-NUM-GUESTS=0:mailto:bob@example.org",
    "X-GOOGLE-CONFERENCE:https://meet.example.org/abc",
    "CREATED:20260228T080000Z",
    "DESCRIPTION:<p>Hello</p>\\nBye",
    "LOCATION:",
    "SEQUENCE:1",
    "STATUS:CONFIRMED",
    "SUMMARY:Team",
    "TRANSP:OPAQUE",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "DESCRIPTION:This is an event reminder",
    "TRIGGER:-P0DT0H30M0S",
    "END:VALARM",
    "END:VEVENT",
)
OUTLOOK = calendar(
    "PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN",
    "METHOD:PUBLISH",
    "X-MS-OLK-FORCEINSPECTOROPEN:TRUE",
    *timezone("W. Europe Standard Time", *CENTRAL_EUROPE_1601),
    "BEGIN:VEVENT",
    "CLASS:CONFIDENTIAL",
    "CREATED:20260228T080000Z",
    "DESCRIPTION:Text\\n",
    'DTEND;TZID="W. Europe Standard Time":20260302T110000',
    "DTSTAMP:20260301T080000Z",
    'DTSTART;TZID="W. Europe Standard Time":20260302T100000',
    "LAST-MODIFIED:20260228T080000Z",
    "LOCATION:Room 1",
    "PRIORITY:5",
    "RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=MO;BYSETPOS=1",
    "SEQUENCE:0",
    "SUMMARY;LANGUAGE=en-us:Board",
    "TRANSP:OPAQUE",
    "UID:040000008200E00074C5B7101A82E008",
    "X-ALT-DESC;FMTTYPE=text/html:<html><body><p class=MsoNormal>Text</p></body></html>",
    "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
    "X-MICROSOFT-CDO-IMPORTANCE:1",
    "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
    "BEGIN:VALARM",
    "TRIGGER:-PT15M",
    "ACTION:DISPLAY",
    "DESCRIPTION:Reminder",
    "END:VALARM",
    "END:VEVENT",
)
APPLE = calendar(
    "CALSCALE:GREGORIAN",
    "PRODID:-//Apple Inc.//macOS 15.0//EN",
    *timezone("Europe/Berlin", *CENTRAL_EUROPE),
    "BEGIN:VEVENT",
    "TRANSP:TRANSPARENT",
    "DTEND;VALUE=DATE:20260304",
    "UID:5A3C7A1E-0000-4000-8000-000000000000",
    "DTSTAMP:20260301T080000Z",
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
    "LOCATION:Park\\nMain Street 1",
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Main Street 1";X-APPLE-RA',
    " DIUS=70;X-TITLE=Park:geo:52.500000,13.400000",
    "SEQUENCE:0",
    "SUMMARY:Trip",
    "DTSTART;VALUE=DATE:20260302",
    "CATEGORIES:Private,Fun",
    "BEGIN:VALARM",
    "X-WR-ALARMUID:1",
    "UID:1",
    "TRIGGER:-PT15H",
    "X-APPLE-DEFAULT-ALARM:TRUE",
    "ATTACH;VALUE=URI:Chord",
    "ACTION:AUDIO",
    "ACKNOWLEDGED:20260301T120000Z",
    "END:VALARM",
    "END:VEVENT",
)
THUNDERBIRD = calendar(
    "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
    *timezone("Europe/Berlin", *CENTRAL_EUROPE),
    "BEGIN:VEVENT",
    "CREATED:20260228T080000Z",
    "DTSTAMP:20260301T080000Z",
    "UID:6d8c-tb",
    "SUMMARY:Yoga",
    "RRULE:FREQ=WEEKLY;UNTIL=20260330T080000Z",
    "X-MOZ-LASTACK:20260301T080000Z",
    "DTSTART;TZID=Europe/Berlin:20260302T100000",
    "DURATION:PT1H30M",
    "CLASS:PRIVATE",
    "X-MOZ-GENERATION:4",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "CREATED:20260228T080000Z",
    "DTSTAMP:20260301T080000Z",
    "UID:6d8c-tb",
    "SUMMARY:Yoga\\, elsewhere",
    "RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000",
    "DTSTART;TZID=Europe/Berlin:20260317T180000",
    "DTEND;TZID=Europe/Berlin:20260317T193000",
    "END:VEVENT",
)
PROTON = calendar(
    "PRODID:-//Proton AG//ProtonCalendar 1.0//EN",
    "BEGIN:VEVENT",
    "UID:p@proton.me",
    "DTSTAMP:20260301T080000Z",
    "SUMMARY:Call",
    "ORGANIZER;CN=Bob:mailto:bob@example.org",
    "DTSTART;TZID=America/New_York:20260302T090000",
    "DTEND;TZID=Europe/London:20260302T150000",
    'ATTENDEE;CN="Ann, A.";ROLE=OPT-PARTICIPANT;RSVP=TRUE;PARTSTAT=TENTATIVE:mailto:ann@example.org',
    "ATTENDEE;CUTYPE=ROOM;CN=Room:mailto:room@example.org",
    "STATUS:CONFIRMED",
    "COLOR:teal",
    "END:VEVENT",
)

SAMPLES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "Google": (
        GOOGLE,
        {
            "subject": "Team",
            "start": berlin(2026, 3, 2, 10),
            "end": berlin(2026, 3, 2, 11),
            "location": None,
            "body": Body("<p>Hello</p>\nBye"),
            "recurrence": Recurrence(Pattern.WEEKLY, days=2),
            "reminder": timedelta(minutes=30),
            "attendees": (
                Attendee(Person("bob@example.org", "bob@example.org"), status=Participation.ACCEPTED),
            ),
            "response": Response.ORGANIZER,
            "external_link": "https://meet.example.org/abc",
            "sequence": 1,
        },
        ["03-02 10:00", "03-16 10:00", "03-23 10:00", "03-30 10:00"],
    ),
    "Outlook": (
        OUTLOOK,
        {
            "subject": "Board",
            "start": berlin(2026, 3, 2, 10),
            "location": Location("Room 1"),
            "body": Body("Text\n", "<html><body><p class=MsoNormal>Text</p></body></html>"),
            "recurrence": Recurrence(Pattern.MONTHLY_NTH, occurrences=10, days=2, week=1),
            "reminder": timedelta(minutes=15),
            "busy": Busy.OUT_OF_OFFICE,
            "sensitivity": Sensitivity.CONFIDENTIAL,
            "may_counter": True,
            "response": Response.NONE,
        },
        ["03-02 10:00"],
    ),
    "Apple": (
        APPLE,
        {
            "subject": "Trip",
            "all_day": True,
            "start": datetime(2026, 3, 2, tzinfo=UTC),
            "end": datetime(2026, 3, 4, tzinfo=UTC),
            "location": Location("Park\nMain Street 1", latitude=52.5, longitude=13.4),
            "categories": ("Private", "Fun"),
            "reminder": timedelta(hours=15),
            "busy": Busy.FREE,
        },
        ["03-02 00:00"],
    ),
    "Thunderbird": (
        THUNDERBIRD,
        {
            "subject": "Yoga",
            "start": berlin(2026, 3, 2, 10),
            "end": berlin(2026, 3, 2, 11, 30),
            "recurrence": Recurrence(Pattern.WEEKLY, until=datetime(2026, 3, 30, 8, tzinfo=UTC), days=2),
            "sensitivity": Sensitivity.PRIVATE,
            "reminder": None,
        },
        ["03-02 10:00", "03-09 10:00", "03-17 18:00", "03-23 10:00", "03-30 10:00"],
    ),
    "Proton": (
        PROTON,
        {
            "start": datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("America/New_York")),
            "end": datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("America/New_York")),
            "organizer": Person("bob@example.org", "Bob"),
            "attendees": (
                Attendee(
                    Person("ann@example.org", "Ann, A."),
                    AttendeeType.OPTIONAL,
                    Participation.TENTATIVE,
                    wanted=True,
                ),
                Attendee(Person("room@example.org", "Room"), AttendeeType.RESOURCE),
            ),
            "received": True,
            "response": Response.TENTATIVE,
        },
        ["03-02 09:00"],
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_they_say(name: str) -> None:
    text, values, times = SAMPLES[name]
    found = read_event(text, ANN)
    assert {key: getattr(found, key) for key in values} == values
    shown = instances(found, berlin(2026, 3, 1), berlin(2026, 4, 1))
    assert [f"{one.start:%m-%d %H:%M}" for one in shown] == times


@pytest.mark.parametrize("name", SAMPLES)
def test_what_stays_when_a_phone_changes_them(name: str) -> None:
    text, *_ = SAMPLES[name]
    patch = EventPatch(subject="New", categories=("a",), reminder=timedelta(minutes=1), busy=Busy.TENTATIVE)
    after = patch_event(text, patch, ANN, LATER)
    changes = (
        "SUMMARY",
        "CATEGORIES",
        "TRIGGER",
        "ACKNOWLEDGED",
        "X-MICROSOFT-CDO-BUSY",
        "TRANSP",
        "DTSTAMP",
    )
    kept = [line for line in text.split("\r\n") if not line.startswith((*changes, "LAST-MODIFIED"))]
    left = iter(after.split("\r\n"))
    # All the other lines are there, in their order.
    assert all(any(line == other for other in left) for line in kept)
