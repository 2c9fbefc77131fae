"""What the text of an event says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.pim.events.document import read_event
from gateway.pim.events.model import (
    BadEvent,
    Body,
    Busy,
    EventPatch,
    File,
    Response,
    Sensitivity,
)
from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.tree import BadText
from tests.pim.events.made import (
    ANN,
    BERLIN,
    DAY,
    HOUR,
    NEW_YORK,
    NOW,
    OLD_BERLIN,
    berlin,
    event,
    text,
)
from tests.support.events import new_event, patch_event, stored_event
from tests.support.invitations import SHAPES


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        (("SUMMARY:a\\, b\\nc",), "subject", "a, b\nc"),
        (("DESCRIPTION: a\\n",), "body", Body(" a\n")),
        (("DESCRIPTION:a", "X-ALT-DESC;FMTTYPE=text/html:<p>a\\, b</p>"), "body", Body("a", "<p>a, b</p>")),
        (("X-ALT-DESC;FMTTYPE=text/rtf:a",), "body", None),
        (("CATEGORIES:a\\,b, c,,c", "CATEGORIES:d"), "categories", ("a,b", "c", "d")),
        (("CLASS:PRIVATE",), "sensitivity", Sensitivity.PRIVATE),
        (("CLASS:X-PERSONAL",), "sensitivity", Sensitivity.PERSONAL),
        (("CLASS:X-OURS-ALONE",), "sensitivity", Sensitivity.PRIVATE),
        (("CLASS:PUBLIC",), "sensitivity", Sensitivity.NORMAL),
        (("TRANSP:TRANSPARENT",), "busy", Busy.FREE),
        (("STATUS:TENTATIVE",), "busy", Busy.TENTATIVE),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF",), "busy", Busy.OUT_OF_OFFICE),
        (("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "TRANSP:TRANSPARENT"), "busy", Busy.ELSEWHERE),
        # Another program, which knows TRANSP alone, has changed it.
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:TRANSPARENT"), "busy", Busy.FREE),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "TRANSP:OPAQUE"), "busy", Busy.BUSY),
        (("STATUS:CANCELLED",), "cancelled", True),
        (("X-MICROSOFT-DISALLOW-COUNTER:TRUE",), "may_counter", False),
        (("X-MICROSOFT-CDO-REPLYTIME:20260301T090000Z",), "reply_time", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (
            ("CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/a",),
            "external_link",
            "https://meet.example.org/a",
        ),
        (("X-MICROSOFT-ONLINEMEETINGCONFLINK:conf:sip:a",), "conference_link", "conf:sip:a"),
        (("SEQUENCE:7",), "sequence", 7),
        (("SEQUENCE:-7",), "sequence", 0),
        (("ORGANIZER;CN=Bob:mailto:bob@example.org",), "received", True),
        (("ORGANIZER;CN=Ann:MAILTO:Ann@Example.org",), "received", False),
        (
            ("ATTACH;MANAGED-ID=7;FILENAME=a.txt;FMTTYPE=text/plain;SIZE=9:x-activesync-file:7",),
            "files",
            (File(7, "a.txt", "text/plain", 9),),
        ),
        (("ATTACH:https://example.org/a.txt", "ATTACH:x-activesync-file:x"), "files", ()),
    ],
)
def test_values(lines: tuple[str, ...], name: str, value: object) -> None:
    assert getattr(event(*lines), name) == value


@pytest.mark.parametrize(
    ("alarm", "reminder"),
    [
        (("ACTION:DISPLAY", "TRIGGER:-PT15M"), timedelta(minutes=15)),
        (("ACTION:AUDIO", "TRIGGER:PT0S"), timedelta()),
        (("TRIGGER;RELATED=START:-P1D",), timedelta(days=1)),
        (("ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20260302T083000Z"), timedelta(minutes=30)),
        (("ACTION:DISPLAY", "TRIGGER:PT15M"), None),
        (("ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT15M"), None),
        (("ACTION:EMAIL", "TRIGGER:-PT15M"), None),
        (("ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z"), None),
        (("ACTION:DISPLAY",), None),
    ],
)
def test_reminders(alarm: tuple[str, ...], reminder: timedelta | None) -> None:
    assert event("BEGIN:VALARM", *alarm, "END:VALARM").reminder == reminder


@pytest.mark.parametrize(
    ("start", "end", "expected", "all_day"),
    [
        ("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", (9, 10), False),
        ("DTSTART:20260302T090000", "DTEND:20260302T100000", (9, 10), False),
        ("DTSTART:20260302T090000Z", "DURATION:PT90M", (9, 10.5), False),
        ("DTSTART:20260302T090000Z", "", (9, 9), False),
        ("DTSTART:20260302T090000Z", "DTEND:20260302T080000Z", (9, 9), False),
        ("DTSTART:20260302T090000Z", "DTEND:nonsense", (9, 9), False),
        ("DTSTART:20260302T090000Z", "DURATION:-PT1H", (9, 9), False),
        ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303", (0, 24), True),
        ("DTSTART;VALUE=DATE:20260302", "", (0, 24), True),
        ("DTSTART;VALUE=DATE:20260302", "DURATION:P2D", (0, 48), True),
        ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260302", (0, 24), True),
        ("DTSTART:20260302", "DTEND:20260304", (0, 48), True),
    ],
)
def test_times(start: str, end: str, expected: tuple[float, float], all_day: bool) -> None:
    found = event(start=start, end=end)
    day = datetime(2026, 3, 2, tzinfo=UTC)
    assert (found.start, found.end) == tuple(day + hours * HOUR for hours in expected)
    assert found.all_day is all_day


def test_an_end_in_another_zone() -> None:
    found = event(end="DTEND;TZID=America/New_York:20260302T100000")
    assert found.end == berlin(2026, 3, 2, 16)
    assert found.end.tzinfo is BERLIN


def test_days_across_a_change_of_the_clocks() -> None:
    by_clock = event(start="DTSTART;TZID=Europe/Berlin:20260328T100000", end="DURATION:P1D")
    by_what_passes = event(start="DTSTART;TZID=Europe/Berlin:20260328T100000", end="DURATION:PT24H")
    assert by_clock.end == berlin(2026, 3, 29, 10)
    assert by_what_passes.end == berlin(2026, 3, 29, 11)


def test_times_in_no_zone_are_in_that_of_the_reader() -> None:
    floating = text(start="DTSTART:20260302T090000", end="")
    assert read_event(floating, ANN, NEW_YORK).start == datetime(2026, 3, 2, 9, tzinfo=NEW_YORK)
    dated = text(start="DTSTART;VALUE=DATE:20260302", end="")
    assert read_event(dated, ANN, NEW_YORK).start == datetime(2026, 3, 2, tzinfo=NEW_YORK)


def test_a_definition_that_has_grown_old_does_not_move_an_event() -> None:
    """Laws change between the day it was stored and the day it happens; the name says what is meant."""
    found = read_event(text(start="DTSTART;TZID=Europe/Berlin:20260702T100000", end="", more=OLD_BERLIN), ANN)
    assert found.start.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Asia/Tehran", "Europe/Dublin", "Australia/Lord_Howe"])
def test_all_times_of_a_series_are_in_one_zone(zone: str) -> None:
    """Also in years for which the definition, made for its start, is not right."""
    at = ZoneInfo(zone)
    start = datetime(2026, 3, 2, 10, tzinfo=at)
    rule = Recurrence(Pattern.WEEKLY, days=2)
    gone = [start + 7 * number * DAY for number in range(30, 110, 7)]
    patch = EventPatch(
        start=start, end=start + HOUR, recurrence=rule, occurrences=tuple((one, None) for one in gone)
    )
    found = read_event(new_event(patch, "u", ANN, NOW), ANN)
    assert [one.original for one in found.occurrences] == gone
    assert {one.original.tzinfo for one in found.occurrences} == {at}


@pytest.mark.parametrize(
    ("lines", "response"),
    [
        ((), Response.NONE),
        (("ATTENDEE:mailto:x@example.org",), Response.ORGANIZER),
        (("ORGANIZER:mailto:ann@example.org", "ATTENDEE:mailto:x@example.org"), Response.ORGANIZER),
        (("ORGANIZER:mailto:bob@example.org",), Response.NOT_RESPONDED),
        (("ORGANIZER:mailto:bob@example.org", "X-ACTIVESYNC-RESPONSE:TENTATIVE"), Response.TENTATIVE),
        (
            ("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:Ann@example.org"),
            Response.DECLINED,
        ),
        (
            ("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=DELEGATED:mailto:ann@example.org"),
            Response.NOT_RESPONDED,
        ),
    ],
)
def test_responses(lines: tuple[str, ...], response: Response) -> None:
    assert event(*lines).response is response


@pytest.mark.parametrize("name", SHAPES)
def test_what_programs_send_is_read(name: str) -> None:
    found = read_event(SHAPES[name], ANN)
    assert found.uid
    assert found.start <= found.end
    stored = stored_event(SHAPES[name])
    assert stored.uid == found.uid
    assert stored.starts is not None


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR",
        text(start=""),
        text(start="DTSTART:nonsense"),
        text(start="DTSTART:00010101T000000Z"),
        text(start="DTSTART:99990101T000000Z"),
    ],
)
def test_what_is_no_event(broken: str) -> None:
    with pytest.raises(BadEvent):
        read_event(broken, ANN)
    with pytest.raises(BadText):
        patch_event(broken, EventPatch(subject="a"), ANN, NOW)
