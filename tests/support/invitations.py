"""Scheduling messages in the shapes of the programs that send them, and the mail around them.

Written for these tests after what the formats say and programs do. Everybody invites ann@example.org; all but
the messages of attendees come from bob@example.org.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Mapping

ANN, BOB = "ann@example.org", "bob@example.org"
OUTLOOK_UID = (
    "040000008200E00074C5B7101A82E00800000000B0C1D2E3F4A5C901"
    "000000000000000010000000000102030405060708090A0B0C0D0E0F"
)


def calendar(*lines: str, method: str = "REQUEST", product: str = "-//Test//EN") -> str:
    """A calendar with these lines in it."""
    head = ("BEGIN:VCALENDAR", f"PRODID:{product}", "VERSION:2.0", f"METHOD:{method}")
    return "\r\n".join((*head, *lines, "END:VCALENDAR", ""))


def event(
    *lines: str, uid: str = "team-1@example.org", start: str = "", attendee: str = ""
) -> tuple[str, ...]:
    """A VEVENT; the organizer is Bob, and Ann is asked unless `attendee` is a line that says otherwise."""
    return (
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260301T080000Z",
        start or "DTSTART:20260302T090000Z",
        "ORGANIZER;CN=Bob:mailto:bob@example.org",
        attendee or "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org",
        "SUMMARY:Team",
        *lines,
        "END:VEVENT",
    )


def observance(name: str, start: str, before: str, after: str, *more: str) -> tuple[str, ...]:
    """STANDARD or DAYLIGHT of a VTIMEZONE."""
    return (
        f"BEGIN:{name}",
        f"DTSTART:{start}",
        f"TZOFFSETFROM:{before}",
        f"TZOFFSETTO:{after}",
        *more,
        f"END:{name}",
    )


def timezone(tzid: str, *lines: str) -> tuple[str, ...]:
    """A VTIMEZONE."""
    return ("BEGIN:VTIMEZONE", f"TZID:{tzid}", *lines, "END:VTIMEZONE")


CENTRAL_EUROPE = (
    *observance("DAYLIGHT", "19700329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
    *observance("STANDARD", "19701025T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
)
CENTRAL_EUROPE_1601 = (
    *observance(
        "STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10"
    ),
    *observance(
        "DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3"
    ),
)
NOWHERE = (
    *observance("STANDARD", "16010101T050000", "+0223", "+0123", "RRULE:FREQ=YEARLY;BYDAY=3TU;BYMONTH=9"),
    *observance("DAYLIGHT", "16010101T010000", "+0123", "+0223", "RRULE:FREQ=YEARLY;BYDAY=1MO;BYMONTH=2"),
)
"""Clocks that go as they do at no place."""

GOOGLE_SINGLE = calendar(
    *event(
        "DTEND:20260302T100000Z",
        "CREATED:20260301T075900Z",
        "DESCRIPTION:Agenda\\n\\nJoin: https://meet.example.org/abc",
        "LAST-MODIFIED:20260301T080000Z",
        "LOCATION:Room 1\\, left",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        uid="1a2b3c4d5e6f@google.com",
        attendee="ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=\r\n"
        " TRUE;CN=ann@example.org;X-NUM-GUESTS=0:mailto:ann@example.org",
    ),
    product="-//Google Inc//Google Calendar 70.9054//EN",
)
GOOGLE_SERIES = calendar(
    *timezone("Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin", *CENTRAL_EUROPE),
    *event(
        "DTEND;TZID=Europe/Berlin:20260302T110000",
        "RRULE:FREQ=WEEKLY;UNTIL=20260629T080000Z;BYDAY=MO,WE",
        "SEQUENCE:2",
        start="DTSTART;TZID=Europe/Berlin:20260302T100000",
        uid="series@google.com",
    ),
    product="-//Google Inc//Google Calendar 70.9054//EN",
)
OUTLOOK_SERIES = calendar(
    *timezone("W. Europe Standard Time", *CENTRAL_EUROPE_1601),
    *event(
        "DTEND;TZID=W. Europe Standard Time:20260302T110000",
        "RRULE:FREQ=MONTHLY;COUNT=10;INTERVAL=2;BYDAY=1MO",
        "CLASS:PRIVATE",
        "PRIORITY:5",
        "TRANSP:OPAQUE",
        "STATUS:CONFIRMED",
        "SEQUENCE:0",
        "LOCATION;LANGUAGE=de-DE:Raum Köln",
        "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
        "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:OOF",
        "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
        "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
        "BEGIN:VALARM",
        "DESCRIPTION:REMINDER",
        "TRIGGER;RELATED=START:-PT15M",
        "ACTION:DISPLAY",
        "END:VALARM",
        start="DTSTART;TZID=W. Europe Standard Time:20260302T100000",
        uid=OUTLOOK_UID,
        attendee="ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Ann:MAILTO:ann@example.org",
    ),
    product="Microsoft Exchange Server 2010",
)
OUTLOOK_EXCEPTION = calendar(
    *timezone("W. Europe Standard Time", *CENTRAL_EUROPE_1601),
    *event(
        "RECURRENCE-ID;TZID=W. Europe Standard Time:20260309T100000",
        "DTEND;TZID=W. Europe Standard Time:20260310T130000",
        "SEQUENCE:1",
        start="DTSTART;TZID=W. Europe Standard Time:20260310T120000",
        uid=OUTLOOK_UID,
    ),
    product="Microsoft Exchange Server 2010",
)
OUTLOOK_CUSTOM_ZONE = calendar(
    *timezone("Customized Time Zone", *NOWHERE),
    *event(
        "DTEND;TZID=Customized Time Zone:20260702T110000",
        "RRULE:FREQ=DAILY;COUNT=5",
        start="DTSTART;TZID=Customized Time Zone:20260702T100000",
    ),
    product="Microsoft Exchange Server 2010",
)
OUTLOOK_NAMELESS_ZONE = calendar(
    *timezone("(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", *CENTRAL_EUROPE_1601),
    *event(
        'DTEND;TZID="(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien":20260702T110000',
        start='DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien":20260702T100000',
    ),
    product="Microsoft Exchange Server 2010",
)
OUTLOOK_ALL_DAY = calendar(
    *timezone("Pacific Standard Time", *observance("STANDARD", "16010101T020000", "-0800", "-0800")),
    *event(
        "DTEND;VALUE=DATE:20260304",
        "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:FREE",
        start="DTSTART;VALUE=DATE:20260302",
    ),
    product="Microsoft Exchange Server 2010",
)
APPLE_ALL_DAY_SERIES = calendar(
    *event(
        "DTEND;VALUE=DATE:20260303",
        "RRULE:FREQ=YEARLY;UNTIL=20300302",
        "TRANSP:TRANSPARENT",
        "SEQUENCE:3",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-P7D",
        "END:VALARM",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT1H",
        "END:VALARM",
        start="DTSTART;VALUE=DATE:20260302",
        uid="6F5A1C0E-93B1-4C57-9D83-2E1B5C5B0A11",
        attendee='ATTENDEE;CN="Ann; of Example";EMAIL=ann@example.org;RSVP=TRUE:urn:uuid:5f0c',
    ),
    product="-//Apple Inc.//macOS 14.4//EN",
)
APPLE_YEARLY = calendar(
    *timezone("America/New_York"),
    *event(
        "DURATION:PT45M",
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
        start="DTSTART;TZID=America/New_York:20261126T120000",
    ),
    product="-//Apple Inc.//iPhone OS 17.4//EN",
)
THUNDERBIRD = calendar(
    *timezone("/mozilla.org/20070129_1/Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin", *CENTRAL_EUROPE),
    *event(
        "DTEND;TZID=/mozilla.org/20070129_1/Europe/Berlin:20260302T110000",
        "RRULE:FREQ=DAILY;INTERVAL=3",
        "CLASS:CONFIDENTIAL",
        start="DTSTART;TZID=/mozilla.org/20070129_1/Europe/Berlin:20260302T100000",
        attendee="ATTENDEE;CN=Ann;RSVP=FALSE:mailto:ann@example.org",
    ),
    product="-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
)
FLOATING = calendar(
    "X-WR-TIMEZONE:Asia/Kolkata",
    *event("DTEND:20260302T110000", start="DTSTART:20260302T100000"),
)
CANCEL = calendar(
    *timezone("Europe/Berlin", *CENTRAL_EUROPE),
    *event(
        "DTEND;TZID=Europe/Berlin:20260302T110000",
        "STATUS:CANCELLED",
        "SEQUENCE:1",
        start="DTSTART;TZID=Europe/Berlin:20260302T100000",
    ),
    method="CANCEL",
)
COUNTER = calendar(
    *event(
        "DTEND:20260303T100000Z",
        "X-MS-OLK-ORIGINALSTART:20260302T090000Z",
        "X-MS-OLK-ORIGINALEND:20260302T100000Z",
        start="DTSTART:20260303T090000Z",
        attendee="ATTENDEE;PARTSTAT=TENTATIVE;CN=Ann:mailto:ann@example.org",
    ),
    method="COUNTER",
    product="Microsoft Exchange Server 2010",
)


def reply(answer: str) -> str:
    """The answer of an attendee."""
    line = f"ATTENDEE;PARTSTAT={answer};CN=Ann:mailto:ann@example.org"
    return calendar(*event("DTEND:20260302T100000Z", attendee=line), method="REPLY")


SHAPES: Mapping[str, str] = {
    "Google, single": GOOGLE_SINGLE,
    "Google, series": GOOGLE_SERIES,
    "Outlook, series": OUTLOOK_SERIES,
    "Outlook, exception": OUTLOOK_EXCEPTION,
    "Outlook, custom zone": OUTLOOK_CUSTOM_ZONE,
    "Outlook, nameless zone": OUTLOOK_NAMELESS_ZONE,
    "Outlook, whole days": OUTLOOK_ALL_DAY,
    "Apple, whole days": APPLE_ALL_DAY_SERIES,
    "Apple, yearly": APPLE_YEARLY,
    "Thunderbird": THUNDERBIRD,
    "floating": FLOATING,
    "cancelled": CANCEL,
    "counter proposal": COUNTER,
    "accepted": reply("ACCEPTED"),
    "tentative": reply("TENTATIVE"),
    "declined": reply("DECLINED"),
}
"""All of them by name."""


# --- mail ------------------------------------------------------------------------------------------------

TEXT = "Content-Type: text/plain; charset=utf-8\r\n\r\nYou are invited.\r\n"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>You are <b>invited</b>.</p>\r\n"


def calendar_text(text: str, method: str = "REQUEST", *fields: str) -> str:
    """The text/calendar part of a calendar, in base64."""
    head = (f"Content-Type: text/calendar; charset=utf-8; method={method}", *fields)
    return "\r\n".join((*head, "Content-Transfer-Encoding: base64", "", _base64(text)))


def calendar_file(text: str) -> str:
    """The copy of a calendar as a file."""
    return "\r\n".join(
        (
            "Content-Type: application/ics; name=invite.ics",
            "Content-Disposition: attachment; filename=invite.ics",
            "Content-Transfer-Encoding: base64",
            "",
            _base64(text),
        )
    )


def multipart(subtype: str, *parts: str) -> str:
    """A multipart of parts."""
    boundary = f"=_{subtype}"
    inner = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'


def message(content: str, subject: str = "Team", sender: str = BOB, recipient: str = ANN) -> bytes:
    """A mail of this content."""
    head = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    return (head + f"Message-ID: <{abs(hash(content))}@example.org>\r\n" + content).encode()


def exchange_mail(text: str, method: str = "REQUEST", **fields: str) -> bytes:
    """As Outlook and Exchange send it: three forms of the same."""
    return message(multipart("alternative", TEXT, HTML, calendar_text(text, method)), **fields)


def google_mail(text: str, method: str = "REQUEST", **fields: str) -> bytes:
    """As Google sends it: the forms of the same, and the calendar once more as a file."""
    forms = multipart("alternative", TEXT, HTML, calendar_text(text, method))
    return message(multipart("mixed", forms, calendar_file(text)), **fields)


def attached_mail(text: str, method: str = "REQUEST", **fields: str) -> bytes:
    """As scripts send it: a text and a file."""
    disposition = "Content-Disposition: attachment; filename=invite.ics"
    return message(multipart("mixed", TEXT, calendar_text(text, method, disposition)), **fields)


def file_mail(text: str, **fields: str) -> bytes:
    """A text, and a calendar that only its content tells to be an invitation."""
    return message(multipart("mixed", TEXT, calendar_file(text)), **fields)


def bare_mail(text: str, method: str = "REQUEST", **fields: str) -> bytes:
    """A calendar and nothing else, in quoted-printable."""
    head = f"Content-Type: text/calendar; charset=utf-8; method={method}"
    body = quopri.encodestring(text.replace("\r\n", "\n").encode()).decode("ascii").replace("\n", "\r\n")
    return message(f"{head}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}", **fields)


def _base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode("ascii").replace("\n", "\r\n")
