"""Calendars as programs export them: the shapes of Google, Outlook, Apple, Thunderbird and Nextcloud.

Written for these tests after what the formats say and programs do.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from gateway.pim.events.document import read_event
from gateway.pim.events.model import Event
from gateway.pim.exchange.entries import Entry, entries
from gateway.pim.exchange.scan import Problem, scan
from tests.support.timezones import BERLIN

__all__ = ["SAMPLES", "Sample", "calendar", "event", "event_of", "read"]

ONE_ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Customized Time Zone",
    "BEGIN:STANDARD",
    "DTSTART:16010101T000000",
    "TZOFFSETFROM:+0123",
    "TZOFFSETTO:+0123",
    "END:STANDARD",
    "END:VTIMEZONE",
)
OUTLOOK_BERLIN = tuple(
    line.replace("Europe/Berlin", "W. Europe Standard Time")
    for line in BERLIN
    if not line.startswith(("X-LIC", "TZNAME"))
)


def calendar(*lines: str, head: tuple[str, ...] = ("VERSION:2.0", "PRODID:-//Test//EN")) -> str:
    """A calendar with these lines in it."""
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", *head, *lines, "END:VCALENDAR"))


def event(uid: str, *lines: str, start: str = "DTSTART:20260302T090000Z") -> tuple[str, ...]:
    """An event with these lines."""
    return ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260301T080000Z", start, *lines, "END:VEVENT")


def event_of(entry: Entry) -> Event:
    """What an event of a file says."""
    return read_event(entry.calendar.text, "")


def read(text: str | bytes, default: tzinfo | None = None) -> tuple[list[Entry], list[Problem]]:
    """The events of a file, and what was wrong with it."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    found = list(entries(file, scan(file), default))
    return [one for one in found if isinstance(one, Entry)], [
        one for one in found if isinstance(one, Problem)
    ]


@dataclass(frozen=True)
class Sample:
    """A file, the starts (with their zone or UTC) of its events by UID, and how many exceptions they have.

    `others` counts what is not for calendars; `kept` are lines that are in the store afterwards, `gone` ones
    that are not.
    """

    text: str
    starts: Mapping[str, str]
    exceptions: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


SAMPLES = {
    "Google: a zone of its own, an exception before its series": Sample(
        calendar(
            *event(
                "weekly@google.com",
                "DTEND;TZID=Europe/Berlin:20260309T123000",
                "RECURRENCE-ID;TZID=Europe/Berlin:20260309T100000",
                "SUMMARY:Later",
                start="DTSTART;TZID=Europe/Berlin:20260309T120000",
            ),
            *BERLIN,
            *event(
                "weekly@google.com",
                "DTEND;TZID=Europe/Berlin:20260302T103000",
                "RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO",
                "EXDATE;TZID=Europe/Berlin:20260316T100000",
                "SUMMARY:Weekly\\, all of us",
                "X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij",
                start="DTSTART;TZID=Europe/Berlin:20260302T100000",
            ),
            *event("utc@google.com", "DTEND:20260302T100000Z"),
            *event("floating@google.com", "DURATION:PT1H", start="DTSTART:20260701T100000"),
            *event("day@google.com", "DTEND;VALUE=DATE:20260413", start="DTSTART;VALUE=DATE:20260412"),
            head=(
                "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
                "VERSION:2.0",
                "CALSCALE:GREGORIAN",
                "METHOD:PUBLISH",
                "X-WR-CALNAME:Ann",
                "X-WR-TIMEZONE:Europe/Berlin",
            ),
        ),
        starts={
            "weekly@google.com": "2026-03-02T10:00:00+01:00 Europe/Berlin",
            "utc@google.com": "2026-03-02T09:00:00+00:00 UTC",
            "floating@google.com": "2026-07-01T10:00:00+02:00 Europe/Berlin",
            "day@google.com": "2026-04-12 day",
        },
        exceptions={"weekly@google.com": 2},
        kept=("X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij", "SUMMARY:Weekly\\, all of us"),
        gone=("METHOD:PUBLISH", "X-WR-CALNAME:Ann"),
    ),
    "Outlook: zones by Windows names, one of them not defined": Sample(
        calendar(
            *OUTLOOK_BERLIN,
            *event(
                "040000008200E00074C5B7101A82E00800000000",
                'DTEND;TZID="W. Europe Standard Time":20260701T110000',
                "CLASS:PRIVATE",
                "X-ALT-DESC;FMTTYPE=text/html:<html><body>Hello</body></html>",
                "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
                "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
                start='DTSTART;TZID="W. Europe Standard Time":20260701T100000',
            ),
            *event("tokyo", "DURATION:PT1H", start="DTSTART;TZID=Tokyo Standard Time:20260701T100000"),
            *event(
                "described",
                "DURATION:PT1H",
                start='DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Rome":20260701T100000',
            ),
            head=(
                "PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN",
                "VERSION:2.0",
                "METHOD:PUBLISH",
            ),
        ),
        starts={
            "040000008200E00074C5B7101A82E00800000000": "2026-07-01T10:00:00+02:00 Europe/Berlin",
            "tokyo": "2026-07-01T10:00:00+09:00 Asia/Tokyo",
            "described": "2026-07-01T10:00:00+02:00 Europe/Berlin",
        },
        kept=(
            "X-ALT-DESC;FMTTYPE=text/html:<html><body>Hello</body></html>",
            "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
        ),
    ),
    "Outlook: a zone somebody made": Sample(
        calendar(
            *ONE_ZONE,
            *event("custom", "DURATION:PT1H", start="DTSTART;TZID=Customized Time Zone:20260701T100000"),
        ),
        starts={"custom": "2026-07-01T10:00:00+01:23 UTC+01:23"},
        kept=("TZID:Customized Time Zone", "TZOFFSETTO:+0123"),
    ),
    "Apple: alarms, travel time, a place, everything lower down": Sample(
        calendar(
            *BERLIN,
            *event(
                "A1B2C3D4-0000-4000-8000-000000000001",
                "TRANSP:OPAQUE",
                "DTEND;TZID=Europe/Berlin:20260302T113000",
                "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
                "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE=Town Hall:geo:52.5,13.4",
                "SEQUENCE:1",
                "BEGIN:VALARM",
                "X-WR-ALARMUID:0001",
                "UID:0001",
                "TRIGGER:-PT15M",
                "ATTACH;VALUE=URI:Chord",
                "ACTION:AUDIO",
                "END:VALARM",
                start="DTSTART;TZID=Europe/Berlin:20260302T103000",
            ),
            head=(
                "CALSCALE:GREGORIAN",
                "PRODID:-//Apple Inc.//macOS 15.1//EN",
                "VERSION:2.0",
                "X-APPLE-CALENDAR-COLOR:#FF0000",
            ),
        ),
        starts={"A1B2C3D4-0000-4000-8000-000000000001": "2026-03-02T10:30:00+01:00 Europe/Berlin"},
        kept=("X-WR-ALARMUID:0001", "ATTACH;VALUE=URI:Chord"),
        gone=("X-APPLE-CALENDAR-COLOR:#FF0000",),
    ),
    "Thunderbird: names of zones as paths, tasks beside events": Sample(
        calendar(
            *(line.replace("TZID:", "TZID:/mozilla.org/20050126_1/") for line in BERLIN),
            *event(
                "thunder-1",
                "DTEND;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260302T110000",
                "X-MOZ-LASTACK:20260301T080000Z",
                "X-MOZ-GENERATION:3",
                start="DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260302T100000",
            ),
            "BEGIN:VTODO",
            "UID:todo-1",
            "SUMMARY:Buy milk",
            "END:VTODO",
            "BEGIN:VJOURNAL",
            "UID:journal-1",
            "END:VJOURNAL",
        ),
        starts={"thunder-1": "2026-03-02T10:00:00+01:00 Europe/Berlin"},
        others={"VTODO": 1, "VJOURNAL": 1},
        kept=("X-MOZ-GENERATION:3",),
    ),
    "Nextcloud: a calendar for each event, one behind the other": Sample(
        calendar(
            *BERLIN,
            *event("nc-1", "CATEGORIES:Work,Trips", start="DTSTART;TZID=Europe/Berlin:20260302T100000"),
        )
        + calendar(
            *event("nc-2", "STATUS:TENTATIVE"), head=("VERSION:2.0", "PRODID:-//IDN nextcloud.com//EN")
        )
        + calendar(
            *BERLIN,
            *event(
                "nc-1",
                "RECURRENCE-ID;TZID=Europe/Berlin:20260302T100000",
                "SUMMARY:Moved",
                start="DTSTART;TZID=Europe/Berlin:20260302T120000",
            ),
        ),
        starts={
            "nc-1": "2026-03-02T10:00:00+01:00 Europe/Berlin",
            "nc-2": "2026-03-02T09:00:00+00:00 UTC",
        },
        exceptions={"nc-1": 1},
        kept=("CATEGORIES:Work,Trips",),
    ),
}
