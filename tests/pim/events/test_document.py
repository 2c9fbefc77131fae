"""The text of events: what a change touches, and what it leaves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import icalendar
import pytest

from gateway.pim.events.document import read_event
from gateway.pim.events.model import (
    UNSET,
    Attendee,
    AttendeeType,
    BadEvent,
    Body,
    Busy,
    EventPatch,
    File,
    Location,
    Participation,
    Person,
    Response,
    Sensitivity,
)
from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.timezones import RuleZone, ZoneRules, pack, rules_at
from gateway.pim.tree import BadText
from tests.pim.events.made import (
    ANN,
    BERLIN,
    DAY,
    HOUR,
    LATER,
    NEW_YORK,
    NOW,
    NOWHERE,
    OLD_BERLIN,
    berlin,
    event,
    text,
)
from tests.support.events import bounds, new_event, patch_event, stored_event

WEEKLY = Recurrence(Pattern.WEEKLY, days=2)


def change(before: str, **values: object) -> str:
    return patch_event(before, EventPatch(**values), ANN, LATER)  # type: ignore[arg-type]


def difference(before: str, after: str) -> list[str]:
    """Lines that went and came, without the notes of when."""
    old, new = (Counter(one.split("\r\n")) for one in (before, after))
    found = [f"- {line}" for line in old - new] + [f"+ {line}" for line in new - old]
    return [line for line in found if line[2:].partition(":")[0] not in {"DTSTAMP", "LAST-MODIFIED"}]


FOREIGN = (
    'X-UNKNOWN;X-PARAM="a;b":c',
    "SUMMARY;LANGUAGE=de;X-A=b:Besprechung mit einem so langen Titel",
    " , dass er umbrochen wird",
    "PRIORITY:3",
    "URL:https://example.org/a",
    "COMMENT:a\\,b",
    "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:YQ==",
    'ATTENDEE;CN=Carol;DIR="ldap://example.org/c";X-NUM-GUESTS=2;PARTSTAT=ACCEPTED:mailto:carol@example.org',
    "not a line",
    "BEGIN:VALARM",
    "ACTION:EMAIL",
    "TRIGGER:-P1D",
    "SUMMARY:a",
    "END:VALARM",
    "BEGIN:VALARM",
    "X-WR-ALARMUID:1",
    "ACTION:DISPLAY",
    "TRIGGER:-PT15M",
    "ACKNOWLEDGED:20260301T000000Z",
    "END:VALARM",
    "BEGIN:X-COMPONENT",
    "X:1",
    "END:X-COMPONENT",
)


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        (
            {"subject": "Neu"},
            [
                "- SUMMARY;LANGUAGE=de;X-A=b:Besprechung mit einem so langen Titel",
                "-  , dass er umbrochen wird",
                "+ SUMMARY;LANGUAGE=de;X-A=b:Neu",
            ],
        ),
        (
            {"subject": None},
            [
                "- SUMMARY;LANGUAGE=de;X-A=b:Besprechung mit einem so langen Titel",
                "-  , dass er umbrochen wird",
            ],
        ),
        (
            {"reminder": timedelta(minutes=5)},
            ["- TRIGGER:-PT15M", "- ACKNOWLEDGED:20260301T000000Z", "+ TRIGGER:-PT5M"],
        ),
        (
            {"reminder": None},
            [
                "- BEGIN:VALARM",
                "- END:VALARM",
                "- X-WR-ALARMUID:1",
                "- ACTION:DISPLAY",
                "- TRIGGER:-PT15M",
                "- ACKNOWLEDGED:20260301T000000Z",
            ],
        ),
        ({"categories": ("a,b", "c")}, ["+ CATEGORIES:a\\,b,c"]),
        ({"location": Location("Room")}, ["+ LOCATION:Room"]),
        ({"sensitivity": Sensitivity.PRIVATE}, ["+ CLASS:PRIVATE"]),
        ({"busy": Busy.FREE}, ["+ X-MICROSOFT-CDO-BUSYSTATUS:FREE", "+ TRANSP:TRANSPARENT"]),
        ({"cancelled": True}, ["+ STATUS:CANCELLED"]),
        ({"body": Body("a", "<b>a</b>")}, ["+ DESCRIPTION:a", "+ X-ALT-DESC;FMTTYPE=text/html:<b>a</b>"]),
        ({"sequence": 3}, ["+ SEQUENCE:3"]),
        ({"may_counter": False}, ["+ X-MICROSOFT-DISALLOW-COUNTER:TRUE"]),
        (
            {"files": (File(7, "a b.txt", size=3),)},
            ['+ ATTACH;MANAGED-ID=7;FILENAME="a b.txt";SIZE=3:x-activesync-file:7'],
        ),
        (
            {"end": berlin(2026, 3, 2, 12)},
            ["- DTEND;TZID=Europe/Berlin:20260302T110000", "+ DTEND;TZID=Europe/Berlin:20260302T120000"],
        ),
    ],
)
def test_a_change_touches_what_it_names_alone(values: dict[str, object], changed: list[str]) -> None:
    before = text(*FOREIGN, more=OLD_BERLIN)
    assert difference(before, change(before, **values)) == changed


def test_attendees_keep_what_phones_do_not_know() -> None:
    before = text(*FOREIGN)
    carol = Attendee(Person("Carol@example.org"), AttendeeType.OPTIONAL)
    dave = Attendee(Person("dave@example.org", "Dave, D."), AttendeeType.RESOURCE, wanted=True)
    after = change(before, attendees=(carol, dave))
    found = read_event(after, ANN)
    assert [one.status for one in found.attendees] == [Participation.ACCEPTED, None]
    assert [one.person.name for one in found.attendees] == ["Carol", "Dave, D."]
    assert [one.type for one in found.attendees] == [AttendeeType.OPTIONAL, AttendeeType.RESOURCE]
    unfolded = after.replace("\r\n ", "")
    assert 'DIR="ldap://example.org/c";X-NUM-GUESTS=2;PARTSTAT=ACCEPTED' in unfolded
    assert 'ATTENDEE;CN="Dave, D.";ROLE=NON-PARTICIPANT;CUTYPE=RESOURCE;RSVP=TRUE:mailto:dave@exa' in unfolded
    assert read_event(change(after, attendees=None), ANN).attendees == ()


def test_the_html_stays_where_its_text_does() -> None:
    before = text("DESCRIPTION:a", "X-ALT-DESC;FMTTYPE=text/html:<b>a</b>")
    assert change(before, body=Body("a")) == before
    assert read_event(change(before, body=Body("b")), ANN).body == Body("b")
    assert read_event(change(before, body=None), ANN).body is None


def test_the_own_answer() -> None:
    listed = text(
        "ORGANIZER:mailto:bob@example.org", "ATTENDEE;X-A=b;PARTSTAT=NEEDS-ACTION:mailto:ANN@example.org"
    )
    after = change(listed, response=Response.ACCEPTED, reply_time=NOW)
    assert "ATTENDEE;X-A=b;PARTSTAT=ACCEPTED:mailto:ANN@example.org" in after
    found = read_event(after, ANN)
    assert (found.response, found.reply_time) == (Response.ACCEPTED, NOW)
    not_listed = change(text("ORGANIZER:mailto:bob@example.org"), response=Response.TENTATIVE)
    assert read_event(not_listed, ANN).response is Response.TENTATIVE


def test_the_stamp_of_what_others_organize_is_theirs() -> None:
    """It tells which of two messages of theirs is the newer one."""
    own, theirs = text(), text("ORGANIZER:mailto:bob@example.org")
    assert read_event(change(own, subject="a"), ANN).stamp == LATER
    assert read_event(change(theirs, subject="a"), ANN).stamp == NOW
    assert read_event(change(theirs, subject="a", stamp=NOW + DAY), ANN).stamp == NOW + DAY
    assert read_event(change(theirs, subject="a"), ANN).modified == LATER


@pytest.mark.parametrize(
    ("zone", "line"),
    [
        (BERLIN, "DTSTART;TZID=Europe/Berlin:20260702T100000"),
        (UTC, "DTSTART:20260702T100000Z"),
        (ZoneInfo("Etc/UTC"), "DTSTART:20260702T100000Z"),
        (ZoneInfo("Asia/Kathmandu"), "DTSTART;TZID=Asia/Kathmandu:20260702T100000"),
        (NOWHERE, 'DTSTART;TZID="Rules/+0123/+0223.2.1.1.3600/+0123.9.3.2.18000":20260702T100000'),
        (RuleZone(ZoneRules.fixed(-83)), "DTSTART;TZID=Rules/-0123:20260702T100000"),
    ],
)
def test_times_are_written_in_their_zone(zone: tzinfo, line: str) -> None:
    start = datetime(2026, 7, 2, 10, tzinfo=zone)
    made = new_event(EventPatch(start=start, end=start + HOUR, recurrence=WEEKLY), "u", ANN, NOW)
    assert line.replace('"', "") in made.replace("\r\n ", "").replace('"', "")
    found = read_event(made, ANN)
    january = start.replace(month=1)
    assert found.start == start
    assert january.replace(tzinfo=found.zone).utcoffset() == january.utcoffset()
    assert made.count("BEGIN:VTIMEZONE") == ("TZID=" in line)
    # What is written is what is read: naming it again changes nothing.
    assert change(made, start=start, end=start + HOUR) == made
    others = icalendar.Calendar.from_ical(made)
    theirs = others.events[0].start
    assert isinstance(theirs, datetime)
    assert theirs.utcoffset() == start.utcoffset()


def test_definitions_come_and_go_with_the_times() -> None:
    start = datetime(2026, 7, 2, 10, tzinfo=NEW_YORK)
    before = new_event(EventPatch(start=start, end=start + HOUR), "u", ANN, NOW)
    after = change(before, start=start.astimezone(BERLIN), end=(start + HOUR).astimezone(BERLIN))
    assert "TZID:Europe/Berlin" in after
    assert "America/New_York" not in after
    foreign = text(more=OLD_BERLIN + tuple(line.replace("Berlin", "Paris") for line in OLD_BERLIN))
    kept = change(foreign, start=start, end=start + HOUR)
    # The one that nothing used before is none of our business.
    assert "TZID:Europe/Paris" in kept
    assert "TZID:Europe/Berlin" not in kept


def test_the_second_of_two_like_hours() -> None:
    start = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    found = read_event(new_event(EventPatch(start=start, end=start), "u", ANN, NOW), ANN)
    assert found.start.astimezone(UTC) == start.astimezone(UTC) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_whole_days() -> None:
    patch = EventPatch(start=berlin(2026, 3, 2), end=berlin(2026, 3, 4), all_day=True, blob="blob")
    made = new_event(patch, "u", ANN, NOW)
    assert "DTSTART;VALUE=DATE:20260302\r\nDTEND;VALUE=DATE:20260304\r\n" in made
    assert "VTIMEZONE" not in made
    found = read_event(made, ANN)
    assert (found.start, found.end, found.blob) == (berlin(2026, 3, 2), berlin(2026, 3, 4), "blob")
    timed = change(made, all_day=False, start=berlin(2026, 3, 2, 9), end=berlin(2026, 3, 2, 10))
    assert "DTSTART;TZID=Europe/Berlin:20260302T090000" in timed
    assert read_event(timed, ANN).blob == "blob"


@pytest.mark.parametrize(("end", "last"), [(2, 3), (3, 3), (4, 4)], ids=["no day", "one day", "two days"])
def test_whole_days_last_one_at_least(end: int, last: int) -> None:
    patch = EventPatch(start=berlin(2026, 3, 2), end=berlin(2026, 3, end), all_day=True)
    found = read_event(new_event(patch, "u", ANN, NOW), ANN)
    assert found.end.day == last


def test_a_day_begun_is_a_day() -> None:
    patch = EventPatch(start=berlin(2026, 3, 2, 9), end=berlin(2026, 3, 3, 0, 30), all_day=True)
    found = read_event(new_event(patch, "u", ANN, NOW), ANN)
    assert (found.start.day, found.end.day) == (2, 4)


def test_no_length_needs_no_end() -> None:
    made = new_event(EventPatch(start=NOW, end=NOW), "u", ANN, NOW)
    assert "DTEND" not in made
    assert read_event(made, ANN).end == NOW


def test_a_length_gives_way_to_an_end() -> None:
    before = text(end="DURATION:PT1H", more=OLD_BERLIN)
    assert difference(before, change(before, end=berlin(2026, 3, 2, 12))) == [
        "- DURATION:PT1H",
        "+ DTEND;TZID=Europe/Berlin:20260302T120000",
    ]


@pytest.mark.parametrize(
    "patch",
    [
        EventPatch(start=NOW, end=NOW - HOUR),
        EventPatch(start=NOW, end=NOW - 2 * DAY, all_day=True),
        EventPatch(start=NOW),
        EventPatch(end=NOW),
        EventPatch(start=datetime(1600, 1, 1, tzinfo=UTC), end=NOW),
        EventPatch(start=NOW, end=datetime(4501, 1, 1, tzinfo=UTC)),
        EventPatch(start=datetime(1, 1, 1, tzinfo=BERLIN), end=NOW),
        EventPatch(start=NOW, end=datetime(9999, 12, 31, tzinfo=NEW_YORK)),
        EventPatch(start=NOW, end=NOW, reminder=timedelta(minutes=-1)),
        EventPatch(start=NOW, end=NOW, recurrence=Recurrence(Pattern.DAILY, until=NOW - DAY)),
        EventPatch(start=NOW, end=NOW, recurrence=Recurrence(Pattern.WEEKLY)),
        EventPatch(start=NOW, end=NOW, recurrence=Recurrence(Pattern.DAILY, 0)),
        EventPatch(
            start=NOW, end=NOW, recurrence=Recurrence(Pattern.YEARLY, 999, until=NOW, day_of_month=9, month=5)
        ),
    ],
)
def test_events_that_cannot_be(patch: EventPatch) -> None:
    with pytest.raises(BadEvent):
        new_event(patch, "u", ANN, NOW)


@pytest.mark.parametrize("uid", ["", "u" * 1025])
def test_a_uid_of_some_length(uid: str) -> None:
    with pytest.raises(BadEvent):
        new_event(EventPatch(start=NOW, end=NOW), uid, ANN, NOW)


def test_a_phone_gets_back_the_zone_it_sent() -> None:
    blob = pack(rules_at(BERLIN, NOW))
    made = new_event(
        EventPatch(start=berlin(2026, 3, 2, 9), end=berlin(2026, 3, 2, 9), blob=blob), "u", ANN, NOW
    )
    assert read_event(made, ANN).blob == blob
    assert read_event(change(made, subject="a"), ANN).blob == blob
    # In another zone it is that of before, and goes.
    elsewhere = change(made, start=datetime(2026, 3, 2, 3, tzinfo=NEW_YORK))
    assert read_event(elsewhere, ANN).blob == ""
    elsewhere = made.replace("DTSTART;TZID=Europe/Berlin", "DTSTART;TZID=America/New_York")
    assert read_event(elsewhere, ANN).blob == ""
    assert read_event(change(made, blob=None), ANN).blob == ""
    assert read_event(change(made, blob="other"), ANN).blob == "other"


def test_days_in_a_zone_nobody_knows() -> None:
    patch = EventPatch(
        start=datetime(2026, 7, 2, tzinfo=NOWHERE),
        end=datetime(2026, 7, 3, tzinfo=NOWHERE),
        all_day=True,
        blob=pack(NOWHERE.rules),
    )
    found = read_event(new_event(patch, "u", ANN, NOW), ANN)
    assert found.start.utcoffset() == timedelta(hours=2, minutes=23)


@pytest.mark.parametrize("blob", ["", "rubbish", "AAAA"])
def test_days_with_a_broken_zone(blob: str) -> None:
    found = event(f"X-ACTIVESYNC-TIMEZONE:{blob}", start="DTSTART;VALUE=DATE:20260302", end="")
    assert found.start == datetime(2026, 3, 2, tzinfo=UTC)
    assert found.blob == blob


@pytest.mark.parametrize(
    "values",
    [
        {"body": Body("a" * 1_100_000)},
        {"subject": "a" * 1_100_000},
        {"attendees": (Attendee(Person("a" * 1_100_000)),)},
        {"blob": "a" * 1_100_000},
    ],
)
def test_what_would_be_too_long_to_be_read_again_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadText):
        change(text(), **values)


def test_what_the_store_is_told() -> None:
    patch = EventPatch(
        start=berlin(2026, 3, 2, 9),
        end=berlin(2026, 3, 2, 10),
        recurrence=Recurrence(Pattern.DAILY, occurrences=3),
        files=(File(7, "a"),),
    )
    made = new_event(patch, "u@example.org", ANN, NOW)
    stored = stored_event(made)
    assert (stored.uid, stored.text, stored.files) == ("u@example.org", made, frozenset({7}))
    assert (stored.starts, stored.ends) == (berlin(2026, 3, 2, 9), berlin(2026, 3, 4, 10))
    assert stored.starts
    assert stored.starts.tzinfo is UTC
    assert bounds(made) == (stored.starts, stored.ends)


def test_a_patch_that_says_nothing_changes_nothing() -> None:
    before = text(*FOREIGN, "RRULE:FREQ=DAILY", "EXDATE:20260303")
    assert change(before) == before
    assert EventPatch().subject is UNSET


@pytest.mark.parametrize("line", ["X-A:" + "a" * 1_000_000, "X-A:" + "\r\n " * 10_000])
def test_an_event_that_could_never_be_changed_is_not_stored(line: str) -> None:
    patch = EventPatch(start=berlin(2026, 3, 2, 9), end=berlin(2026, 3, 2, 10))
    made = new_event(patch, "u@example.org", ANN, NOW).replace("END:VEVENT", f"{line}\r\n" * 7 + "END:VEVENT")
    assert stored_event(made).text == patch_event(made, patch, ANN, NOW)
    made = made.replace("END:VEVENT", f"{line}\r\n" * 5 + "END:VEVENT")
    with pytest.raises(BadText):
        patch_event(made, patch, ANN, NOW)
    with pytest.raises(BadText):
        stored_event(made)
