"""What devices are told of events: order, states of meetings, what only some versions have."""

from __future__ import annotations

import pytest

from gateway.eas.content.preferences import HTML, PLAIN, RTF, BodyPreference
from gateway.eas.versions import Version
from tests.eas.content.calendar.support import (
    ANN,
    BOB,
    CONTENT,
    DAILY,
    NEW,
    OLD,
    TIMES,
    Shelf,
    attendee,
    body,
    calendar,
    item,
    properties,
    scene,
    told,
    tree,
)
from wbxml import Element
from wbxml.pages import AirSyncBase, Calendar


def event(*lines: str, alarms: tuple[str, ...] = ()) -> str:
    return calendar(
        "BEGIN:VEVENT",
        "UID:u1",
        "DTSTAMP:20260301T080000Z",
        "DTSTART:20260305T080000Z",
        "DTEND:20260305T090000Z",
        *lines,
        *alarms,
        "END:VEVENT",
    )


def shown(text: str, version: Version, *preferences: BodyPreference) -> dict[str, object]:
    found = tree(Shelf.of(text, version).shown(*preferences))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", Version)
def test_the_order_that_some_devices_need(version: Version) -> None:
    shelf = Shelf(version).add(
        *TIMES, *DAILY, *properties(Attendees=[attendee(BOB)], OrganizerEmail=ANN, MeetingStatus=1)
    )
    order = [one.tag for one in shelf.shown()]
    for first, second in (
        (Calendar.Timezone, Calendar.AllDayEvent),
        (Calendar.StartTime, Calendar.AllDayEvent),
        (Calendar.OrganizerEmail, Calendar.Recurrence),
        (Calendar.Attendees, Calendar.Recurrence),
    ):
        assert order.index(first) < order.index(second)
    assert order[-1] is Calendar.Recurrence
    assert Calendar.UID in order


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("lines", "status", "response"),
    [
        ((), "0", "0"),
        (("ORGANIZER:mailto:ann@example.test", "ATTENDEE:mailto:bob@example.test"), "1", "1"),
        (
            (
                "STATUS:CANCELLED",
                "ORGANIZER:mailto:ann@example.test",
                "ATTENDEE:mailto:bob@example.test",
            ),
            "5",
            "1",
        ),
        (("ORGANIZER:mailto:bob@example.test", "ATTENDEE:mailto:ann@example.test"), "3", "5"),
        (
            ("ORGANIZER:mailto:bob@example.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:ANN@example.test"),
            "3",
            "4",
        ),
        (
            (
                "STATUS:CANCELLED",
                "ORGANIZER:mailto:bob@example.test",
                "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.test",
            ),
            "7",
            "3",
        ),
    ],
)
def test_the_state_of_a_meeting(version: Version, lines: tuple[str, ...], status: str, response: str) -> None:
    found = shown(event(*lines), version)
    assert found["MeetingStatus"] == status
    assert found.get("ResponseType") == (response if version >= Version.V14_0 else None)


@pytest.mark.parametrize("version", Version)
def test_when_the_user_answered(version: Version) -> None:
    meeting = ("ORGANIZER:mailto:bob@example.test", "X-MICROSOFT-CDO-REPLYTIME:20260302T100000Z")
    answered = shown(event(*meeting, "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@example.test"), version)
    expected = "20260302T100000Z" if version >= Version.V14_0 else None
    assert answered.get("AppointmentReplyTime") == expected
    silent = shown(event(*meeting, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.test"), version)
    assert "AppointmentReplyTime" not in silent


@pytest.mark.parametrize("version", Version)
def test_who_is_elsewhere_is_free_for_old_devices(version: Version) -> None:
    found = shown(event("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"), version)
    assert found["BusyStatus"] == ("4" if version >= Version.V16_0 else "0")


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("trigger", "minutes"),
    [("-PT15M", "15"), ("PT0S", "0"), ("-PT90S", "2"), ("-P1W", "10080"), ("PT5M", None)],
)
def test_reminders_are_whole_minutes_before_the_start(
    version: Version, trigger: str, minutes: str | None
) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", f"TRIGGER:{trigger}", "END:VALARM")
    found = shown(event(alarms=alarm), version)
    assert found.get("Reminder") == (minutes if minutes or version in OLD else "")


@pytest.mark.parametrize("version", Version)
def test_links_to_join(version: Version) -> None:
    found = shown(event("CONFERENCE;VALUE=URI:https://meet.example.test/1"), version)
    expected = "https://meet.example.test/1" if version >= Version.V14_1 else None
    assert found.get("OnlineMeetingExternalLink") == expected
    assert "OnlineMeetingConfLink" not in found


@pytest.mark.parametrize("version", Version)
def test_texts_of_any_length_and_kind(version: Version) -> None:
    found = shown(event("SUMMARY:one\\ntwo\x07", "LOCATION:" + "here " * 10_000), version)
    assert found["Subject"] == "one two"
    long = calendar("BEGIN:VEVENT", f"UID:{'x' * 500}", "DTSTART:20260305T080000Z", "END:VEVENT")
    assert shown(long, version)["UID"] == "x" * 300


@pytest.mark.parametrize("version", Version)
def test_of_too_many_exceptions_the_latest_are_told(version: Version) -> None:
    days = [f"20{26 + n // 336}{n // 28 % 12 + 1:02}{n % 28 + 1:02}T080000Z" for n in range(70, 1270)]
    text = event("RRULE:FREQ=DAILY", *(f"EXDATE:{day}" for day in days))
    listed = shown(text, version)["Exceptions"]
    assert isinstance(listed, dict)
    keys = [one.get("InstanceId") or one.get("ExceptionStartTime") for one in listed["Exception"]]
    assert keys == days[-1000:]


@pytest.mark.parametrize("version", [one for one in Version if one >= Version.V14_0])
def test_an_answer_to_one_occurrence(version: Version) -> None:
    meeting = ("ORGANIZER:mailto:bob@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.test")
    one = (
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:u1",
        "RECURRENCE-ID:20260306T080000Z",
        "DTSTART:20260306T080000Z",
        "DTEND:20260306T090000Z",
        "ORGANIZER:mailto:bob@example.test",
        "X-MICROSOFT-CDO-REPLYTIME:20260302T100000Z",
    )
    for partstat, number, time in (("TENTATIVE", "2", "20260302T100000Z"), ("DECLINED", "4", None)):
        attendee_line = f"ATTENDEE;PARTSTAT={partstat}:mailto:ann@example.test"
        text = event("RRULE:FREQ=DAILY", *meeting, *one, attendee_line)
        listed = shown(text, version)["Exceptions"]
        assert isinstance(listed, dict)
        (exception,) = listed["Exception"]
        assert exception["ResponseType"] == number
        assert exception.get("AppointmentReplyTime") == time


# --- texts -------------------------------------------------------------------------------------------------


def bodies(version: Version, *preferences: BodyPreference) -> dict[str, object]:
    shelf = Shelf(version).add(*TIMES, body("<p>Hello <b>world</b></p>", 2))
    found = tree(shelf.shown(*preferences).find(AirSyncBase.Body))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("version", [one for one in Version if one >= Version.V12_0])
class TestBodies:
    """In the form a device prefers."""

    def test_as_it_was_written_if_that_is_taken(self, version: Version) -> None:
        found = bodies(version, BodyPreference(PLAIN), BodyPreference(HTML))
        assert (found["Type"], found["Data"]) == ("2", "<p>Hello <b>world</b></p>")

    def test_converted(self, version: Version) -> None:
        found = bodies(version, BodyPreference(PLAIN))
        assert (found["Type"], found["Data"]) == ("1", "Hello world")

    def test_without_a_preference_it_is_plain(self, version: Version) -> None:
        assert bodies(version)["Type"] == "1"

    def test_all_or_none(self, version: Version) -> None:
        found = bodies(version, BodyPreference(HTML, 12, all_or_none=True), BodyPreference(PLAIN, 50))
        assert (found["Type"], found["Data"]) == ("1", "Hello world")
        found = bodies(version, BodyPreference(HTML, 5, all_or_none=True))
        assert (found["Type"], found["Truncated"]) == ("2", "1")
        assert "Data" not in found

    def test_a_preview(self, version: Version) -> None:
        found = bodies(version, BodyPreference(HTML, 0, preview=5))
        assert found.get("Preview") == ("Hello" if version >= Version.V14_0 else None)

    def test_rich_text_is_for_old_devices(self, version: Version) -> None:
        assert bodies(version, BodyPreference(RTF))["Type"] == ("3" if version in OLD else "2")

    def test_mime_is_for_mail(self, version: Version) -> None:
        assert bodies(version, BodyPreference(4))["Type"] == "2"


# --- what cannot be shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
def test_a_stub(version: Version) -> None:
    shelf = Shelf.of("no calendar", version)
    assert shelf.stored is not None
    made: list[Element] = list(CONTENT.stub(item(shelf.stored), scene(version)))
    stands = Element(Calendar.Exceptions, None, made)
    assert "cannot be shown" in (told(stands, Calendar.Subject) or "")
    start, end = told(stands, Calendar.StartTime), told(stands, Calendar.EndTime)
    assert (start, end) == ("20260302T091000Z", "20260302T094000Z")


@pytest.mark.parametrize("version", NEW)
def test_what_is_not_there_is_said_to_be_empty(version: Version) -> None:
    found = tree(Shelf(version).add(*TIMES).shown())
    assert isinstance(found, dict)
    assert [found[name] for name in ("Location", "Attendees", "Categories", "Reminder")] == [""] * 4
