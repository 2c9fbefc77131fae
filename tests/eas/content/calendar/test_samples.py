"""Calendars as other programs write them, with what devices see of them, and what is left of them afterwards.

Written after the formats' documentation: which properties and parameters each program uses, and how it names
time zones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from gateway.eas.content.preferences import HTML, PLAIN, BodyPreference
from gateway.eas.versions import Version
from gateway.pim.timezones import rules_at, unpack
from gateway.pim.timezones.names import named_zone
from tests.eas.content.calendar.support import ANN, NEW, OLD, Shelf, calendar, properties, tree
from tests.support.timezones import BERLIN
from wbxml.pages import AirSyncBase, Calendar

OUTLOOK_ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Eastern Standard Time",
    "BEGIN:STANDARD",
    "DTSTART:16011104T020000",
    "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
    "TZOFFSETFROM:-0400",
    "TZOFFSETTO:-0500",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010311T020000",
    "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
    "TZOFFSETFROM:-0500",
    "TZOFFSETTO:-0400",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


@dataclass(frozen=True)
class Sample:
    """An event of some program: what every version is told, what those up to 14.1, and those since.

    `exceptions` counts those that are told, `kept` are lines that survive every edit by a device.
    """

    lines: tuple[str, ...]
    told: dict[str, object] = field(default_factory=dict)
    old: dict[str, object] = field(default_factory=dict)
    new: dict[str, object] = field(default_factory=dict)
    zone: str = ""
    exceptions: int = 0
    kept: tuple[str, ...] = ()


def event(*lines: str, before: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> tuple[str, ...]:
    return (*before, "BEGIN:VEVENT", *lines, "END:VEVENT", *more)


SAMPLES = {
    "Google, a weekly meeting with a video link": Sample(
        event(
            "DTSTART;TZID=Europe/Berlin:20260305T100000",
            "DTEND;TZID=Europe/Berlin:20260305T103000",
            "RRULE:FREQ=WEEKLY;UNTIL=20260702T215959Z;BYDAY=TH",
            "EXDATE;TZID=Europe/Berlin:20260319T100000",
            "DTSTAMP:20260301T080000Z",
            "ORGANIZER;CN=Bob:mailto:bob@example.test",
            "UID:7kukuqrfedlm2f9t0vr5eabcde@google.com",
            "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ann;X-",
            " NUM-GUESTS=0:mailto:ann@example.test",
            "ATTENDEE;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Room 5;X-",
            " NUM-GUESTS=0:mailto:room5@example.test",
            "X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij",
            "CREATED:20260228T120000Z",
            "DESCRIPTION:Agenda\\n1. Numbers\\, plans",
            "LAST-MODIFIED:20260301T080000Z",
            "LOCATION:Room 5",
            "SEQUENCE:2",
            "STATUS:CONFIRMED",
            "SUMMARY:Weekly\\; all of us",
            "TRANSP:OPAQUE",
            before=("X-WR-CALNAME:Ann", "X-WR-TIMEZONE:Europe/Berlin", *BERLIN),
        ),
        told={
            "Subject": "Weekly; all of us",
            "StartTime": "20260305T090000Z",
            "EndTime": "20260305T093000Z",
            "MeetingStatus": "3",
            "OrganizerEmail": "bob@example.test",
            "BusyStatus": "2",
        },
        old={"Location": "Room 5"},
        new={"Location": {"DisplayName": "Room 5"}, "ResponseType": "3"},
        zone="Europe/Berlin",
        exceptions=1,
        kept=("X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij", "X-NUM-GUESTS=0", "SEQUENCE:2"),
    ),
    "Google, a birthday": Sample(
        event(
            "DTSTART;VALUE=DATE:20260412",
            "DTEND;VALUE=DATE:20260413",
            "DTSTAMP:20260301T080000Z",
            "RRULE:FREQ=YEARLY",
            "UID:2026_BIRTHDAY_abc@google.com",
            "CLASS:PUBLIC",
            "SUMMARY:Cy's birthday",
            "TRANSP:TRANSPARENT",
        ),
        told={"AllDayEvent": "1", "BusyStatus": "0", "StartTime": "20260412T000000Z"},
        kept=("CLASS:PUBLIC", "TRANSP:TRANSPARENT", "DTSTART;VALUE=DATE:20260412"),
    ),
    "Outlook, whole days out of office": Sample(
        event(
            "CLASS:PRIVATE",
            "CREATED:20260301T080000Z",
            "DESCRIPTION:See you\\n",
            "DTEND;VALUE=DATE:20260404",
            "DTSTAMP:20260301T080000Z",
            "DTSTART;VALUE=DATE:20260330",
            "LAST-MODIFIED:20260301T080000Z",
            "PRIORITY:5",
            "SEQUENCE:0",
            "SUMMARY;LANGUAGE=en-us:Away",
            "TRANSP:OPAQUE",
            "UID:040000008200E00074C5B7101A82E00800000000B0C1D2E3F4A5DB01000000000000000",
            " 010000000AABBCCDDEEFF00112233445566778899",
            "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>See <b>you</b></p></body></html>",
            "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
            "X-MICROSOFT-CDO-IMPORTANCE:1",
            "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
            before=("METHOD:PUBLISH", "X-MS-OLK-FORCEINSPECTOROPEN:TRUE"),
        ),
        told={
            "AllDayEvent": "1",
            "BusyStatus": "3",
            "Sensitivity": "2",
            "Subject": "Away",
            "StartTime": "20260330T000000Z",
            "EndTime": "20260404T000000Z",
            "NativeBodyType": "2",
        },
        kept=("X-MICROSOFT-CDO-IMPORTANCE:1", "SUMMARY;LANGUAGE=en-us:Away", "<b>you</b>", "PRIORITY:5"),
    ),
    "Outlook, the second Tuesday of a month in its own zone": Sample(
        event(
            "ATTENDEE;CN=Bob;RSVP=TRUE:mailto:bob@example.test",
            "CLASS:PUBLIC",
            'DTEND;TZID="Eastern Standard Time":20260310T150000',
            "DTSTAMP:20260301T080000Z",
            'DTSTART;TZID="Eastern Standard Time":20260310T140000',
            'ORGANIZER;CN="Ann":mailto:ann@example.test',
            "RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=2TU",
            "SUMMARY:Board",
            "UID:0400000082000000000000000000000000000000000000000000000000000000000000",
            "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
            "BEGIN:VALARM",
            "TRIGGER:-PT15M",
            "ACTION:DISPLAY",
            "DESCRIPTION:Reminder",
            "END:VALARM",
            before=OUTLOOK_ZONE,
            more=(
                "BEGIN:VEVENT",
                'RECURRENCE-ID;TZID="Eastern Standard Time":20260414T140000',
                'DTSTART;TZID="Eastern Standard Time":20260415T140000',
                'DTEND;TZID="Eastern Standard Time":20260415T150000',
                "DTSTAMP:20260301T080000Z",
                "SUMMARY:Board\\, later",
                "UID:0400000082000000000000000000000000000000000000000000000000000000000000",
                "END:VEVENT",
            ),
        ),
        told={
            "Subject": "Board",
            "StartTime": "20260310T180000Z",
            "BusyStatus": "1",
            "Reminder": "15",
            "MeetingStatus": "1",
        },
        zone="America/New_York",
        exceptions=1,
        kept=("RSVP=TRUE", "ACTION:DISPLAY", "TZID:Eastern Standard Time"),
    ),
    "Apple, a place, a travel time and an alarm of its own": Sample(
        event(
            "CREATED:20260301T080000Z",
            "DTEND;TZID=Europe/Berlin:20260705T120000",
            "DTSTAMP:20260301T080000Z",
            "DTSTART;TZID=Europe/Berlin:20260705T110000",
            "LAST-MODIFIED:20260301T080000Z",
            "LOCATION:Zoo\\nBudapester Str. 32\\, Berlin",
            "SEQUENCE:1",
            "SUMMARY:Zoo",
            "TRANSP:OPAQUE",
            "UID:2F6A0E1C-3C8E-4B0B-9D0E-0A1B2C3D4E5F",
            "URL;VALUE=URI:https://zoo.example.test/",
            "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M",
            "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=Budapester Str. 32;X-APPLE-",
            " RADIUS=70;X-TITLE=Zoo:geo:52.508,13.337",
            "BEGIN:VALARM",
            "X-WR-ALARMUID:9A0B",
            "UID:9A0B",
            "TRIGGER:-PT1H",
            "ACTION:AUDIO",
            "ATTACH;VALUE=URI:Chord",
            "END:VALARM",
            before=("CALSCALE:GREGORIAN", *BERLIN),
        ),
        told={"Subject": "Zoo", "StartTime": "20260705T090000Z", "Reminder": "60"},
        zone="Europe/Berlin",
        kept=("X-APPLE-TRAVEL-DURATION", "X-WR-ALARMUID:9A0B", "geo:52.508", "URL;VALUE=URI:https://zoo"),
    ),
    "Apple, floating time every second weekday": Sample(
        event(
            "DTSTART:20260306T070000",
            "DURATION:PT45M",
            "DTSTAMP:20260301T080000Z",
            "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU",
            "SUMMARY:Run",
            "UID:3F6A0E1C-3C8E-4B0B-9D0E-0A1B2C3D4E5F",
        ),
        told={"StartTime": "20260306T070000Z", "EndTime": "20260306T074500Z"},
        kept=("INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU",),
    ),
    "Thunderbird, categories and a snoozed alarm": Sample(
        event(
            "CREATED:20260301T080000Z",
            "LAST-MODIFIED:20260301T081500Z",
            "DTSTAMP:20260301T081500Z",
            "UID:0b2f5c1e-7d7e-4a5c-8d0a-3e5f6a7b8c9d",
            "SUMMARY:Dentist",
            "PRIORITY:1",
            "STATUS:TENTATIVE",
            "CATEGORIES:Personal,Health\\, teeth",
            "DTSTART;TZID=Europe/Berlin:20260330T083000",
            "DTEND;TZID=Europe/Berlin:20260330T091500",
            "CLASS:CONFIDENTIAL",
            "X-MOZ-LASTACK:20260301T081500Z",
            "X-MOZ-GENERATION:3",
            "SEQUENCE:1",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER;VALUE=DURATION:-P1D",
            "DESCRIPTION:Mozilla standardbeschreibung",
            "END:VALARM",
            before=BERLIN,
        ),
        told={
            "Subject": "Dentist",
            "StartTime": "20260330T063000Z",
            "Reminder": "1440",
            "Sensitivity": "3",
            "Categories": {"Category": ["Personal", "Health, teeth"]},
        },
        zone="Europe/Berlin",
        kept=("X-MOZ-GENERATION:3", "PRIORITY:1", "STATUS:TENTATIVE"),
    ),
    "a rule that no device knows": Sample(
        event(
            "DTSTART;TZID=Europe/Berlin:20260306T090000",
            "DTEND;TZID=Europe/Berlin:20260306T100000",
            "DTSTAMP:20260301T080000Z",
            "RRULE:FREQ=YEARLY;BYWEEKNO=10,20,30;BYDAY=FR",
            "SUMMARY:Quarterly",
            "UID:weeks",
            before=BERLIN,
        ),
        told={"Subject": "Quarterly", "StartTime": "20260306T080000Z"},
        zone="Europe/Berlin",
        kept=("RRULE:FREQ=YEARLY;BYWEEKNO=10,20,30;BYDAY=FR",),
    ),
    "the last working day of each month, and two dates more": Sample(
        event(
            "DTSTART;TZID=Europe/Berlin:20260331T160000",
            "DTEND;TZID=Europe/Berlin:20260331T170000",
            "DTSTAMP:20260301T080000Z",
            "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "RDATE;TZID=Europe/Berlin:20260415T160000,20260515T160000",
            "SUMMARY:Pay",
            "UID:pay",
            before=BERLIN,
        ),
        told={"Subject": "Pay", "StartTime": "20260331T140000Z"},
        zone="Europe/Berlin",
        kept=("BYSETPOS=-1", "RDATE;TZID=Europe/Berlin:20260415T160000,20260515T160000"),
    ),
}


def unfolded(text: str) -> str:
    return text.replace("\r\n ", "")


def shown(shelf: Shelf) -> dict[str, object]:
    found = tree(shelf.shown(BodyPreference(HTML), BodyPreference(PLAIN)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_device_is_told(name: str, version: Version) -> None:
    sample = SAMPLES[name]
    found = shown(Shelf.of(calendar(*sample.lines), version))
    expected = sample.told | (sample.new if version in NEW else sample.old)
    if version < Version.V12_0:
        expected = {tag: one for tag, one in expected.items() if tag != "NativeBodyType"}
    if version < Version.V14_1:
        expected.pop("ResponseType", None)
    assert {tag: found.get(tag) for tag in expected} == expected
    listed = found.get("Exceptions", {"Exception": []})
    assert isinstance(listed, dict)
    assert len(listed["Exception"]) == sample.exceptions
    if sample.zone:
        start = datetime.strptime(str(found["StartTime"]), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        zone = named_zone(sample.zone)
        assert zone is not None
        told = unpack(str(found["Timezone"]))
        assert (told.standard, told.daylight) == (
            rules_at(zone, start).standard,
            rules_at(zone, start).daylight,
        )


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_device_that_sends_it_back_changes_nothing(name: str, version: Version) -> None:
    shelf = Shelf.of(calendar(*SAMPLES[name].lines), version)
    before = shelf.text
    sent = [
        one for one in shelf.shown(BodyPreference(HTML), BodyPreference(PLAIN)) if _may_say(one.tag, version)
    ]
    assert shelf.change(*sent).text == before


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", SAMPLES)
def test_an_edit_leaves_what_no_device_knows(name: str, version: Version) -> None:
    """A new reminder in the hands of a device that sends all, or that sends what changed."""
    sample = SAMPLES[name]
    shelf = Shelf.of(calendar(*sample.lines), version)
    everything = [one for one in shelf.shown(BodyPreference(PLAIN)) if _may_say(one.tag, version)]
    sent = [one for one in everything if one.tag is not Calendar.Reminder] if version in OLD else []
    shelf.change(*sent, *properties(Reminder=7))
    assert shown(shelf)["Reminder"] == "7"
    text = unfolded(shelf.text)
    for line in sample.kept:
        assert line in text, line
    before = shown(Shelf.of(calendar(*sample.lines), version))
    after = shown(shelf)
    for one in (before, after):
        one.pop("DtStamp", None)
        one.pop("Reminder", None)
    for one in (before, after):
        listed = one.get("Exceptions")
        if isinstance(listed, dict):
            for occurrence in listed["Exception"]:
                occurrence.pop("DtStamp", None)
                occurrence.pop("Reminder", None)
    assert after == before


def test_the_user_is_who_the_samples_take_her_for() -> None:
    assert all(
        ANN in unfolded("\r\n".join(one.lines)) for one in SAMPLES.values() if "MeetingStatus" in one.told
    )


def _may_say(tag: object, version: Version) -> bool:
    """Whether a device could send it in a Change."""
    return version in OLD or tag not in {Calendar.Exceptions, Calendar.UID, AirSyncBase.Attachments}
