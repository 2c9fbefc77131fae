"""Tasks as other programs write them, and what a phone in Berlin sees of them and changes."""

from __future__ import annotations

import pytest

from gateway.eas.content.preferences import PLAIN, BodyPreference
from gateway.eas.versions import Version
from tests.eas.content.shelf import Shelf, ical, tree
from tests.eas.content.tasks.support import properties, shelf
from wbxml.pages import AirSyncBase, Tasks

_BERLIN_RULES = (
    *("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:DAYLIGHT", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200"),
    *("DTSTART:19700329T020000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT", "BEGIN:STANDARD"),
    *("TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "DTSTART:19701025T030000"),
    *("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "END:VTIMEZONE"),
)
APPLE = ical(
    *_BERLIN_RULES,
    *("BEGIN:VTODO", "CREATED:20260220T101500Z", "UID:5E0F", "DTSTAMP:20260220T101501Z", "SEQUENCE:0"),
    *("LAST-MODIFIED:20260220T101501Z", "SUMMARY:Pay the rent", "PRIORITY:1", "X-APPLE-SORT-ORDER:793275301"),
    *("DTSTART;TZID=Europe/Berlin:20260301T090000", "DUE;TZID=Europe/Berlin:20260301T090000"),
    *("RRULE:FREQ=MONTHLY", "STATUS:NEEDS-ACTION", "BEGIN:VALARM", "X-WR-ALARMUID:1", "UID:1"),
    *("TRIGGER;VALUE=DATE-TIME:20260301T080000Z", "DESCRIPTION:Event reminder", "ACTION:DISPLAY"),
    *("END:VALARM", "END:VTODO"),
)
THUNDERBIRD = ical(
    *_BERLIN_RULES,
    *("BEGIN:VTODO", "UID:tb1", "DTSTAMP:20260105T080000Z", "SUMMARY:Water the plants", "CLASS:PRIVATE"),
    *("RRULE:FREQ=WEEKLY;COUNT=10", "DTSTART;TZID=Europe/Berlin:20260105T180000"),
    *("DUE;TZID=Europe/Berlin:20260105T190000", "CATEGORIES:Home,Garden\\, balcony", "X-MOZ-GENERATION:3"),
    *("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;VALUE=DURATION:-PT15M", "DESCRIPTION:x", "END:VALARM"),
    "END:VTODO",
    *("BEGIN:VTODO", "UID:tb1", "DTSTAMP:20260105T180000Z", "SUMMARY:Water the plants", "STATUS:COMPLETED"),
    *("RECURRENCE-ID;TZID=Europe/Berlin:20260105T180000", "COMPLETED:20260105T173000Z"),
    *("DTSTART;TZID=Europe/Berlin:20260105T180000", "DUE;TZID=Europe/Berlin:20260105T190000"),
    *("PERCENT-COMPLETE:100", "END:VTODO"),
)
NEXTCLOUD = ical(
    *("BEGIN:VTODO", "UID:nc1", "CREATED:20260210T120000", "LAST-MODIFIED:20260211T120000"),
    *("DTSTAMP:20260211T120000", "SUMMARY:Sub task", "DUE;VALUE=DATE:20260305", "PERCENT-COMPLETE:40"),
    *("STATUS:IN-PROCESS", "PRIORITY:9", "RELATED-TO:parent", "DESCRIPTION:- [ ] one\\n- [x] two"),
    *("X-OC-HIDESUBTASKS:1", "END:VTODO"),
)
OPENTASKS = ical(
    *("BEGIN:VTODO", "DTSTAMP:20260211T120000Z", "UID:ot1", "SUMMARY:Call Bob", "PRIORITY:5"),
    *("DTSTART:20260310T100000Z", "DURATION:PT1H", "COMPLETED:20260310T111213Z", "COLOR:red"),
    *("X-UNKNOWN-PROP;VALUE=X:y", "END:VTODO"),
)
OUTLOOK = ical(
    "METHOD:PUBLISH",
    *("BEGIN:VTODO", "CLASS:X-PERSONAL", "DTSTAMP:20260211T120000Z", "UID:04000000", "SUMMARY:Report"),
    *("DTSTART;VALUE=DATE:20260302", "DUE;VALUE=DATE:20260306", "STATUS:CANCELLED", "SEQUENCE:0"),
    "X-ALT-DESC;FMTTYPE=text/html:<html><body><b>Quarter</b></body></html>",
    *("DESCRIPTION:Quarter\\n", "LAST-MODIFIED:20260212T120000Z"),
    *("BEGIN:VALARM", "TRIGGER;RELATED=END:-P1DT15H", "ACTION:AUDIO", "END:VALARM", "END:VTODO"),
)


def seen(text: str, version: Version = Version.V14_1) -> dict[str, object]:
    shown = tree(shelf(version).holding(text).shown(BodyPreference(PLAIN)))
    if isinstance(body := shown.get("Body"), dict):
        body.pop("EstimatedDataSize", None)
    return {name: value for name, value in shown.items() if name not in {"NativeBodyType", "Sensitivity"}}


def test_a_reminder_of_apples() -> None:
    shown = seen(APPLE)
    assert shown.pop("Recurrence") == {
        "Type": "2",
        "Interval": "1",
        "Start": "2026-03-01T09:00:00.000Z",
        "DayOfMonth": "1",
        "CalendarType": "0",
        "Regenerate": "0",
        "DeadOccur": "0",
    }
    assert shown == {
        "Subject": "Pay the rent",
        "Body": {"Type": "1", "Data": ""},
        "UtcStartDate": "2026-03-01T08:00:00.000Z",
        "StartDate": "2026-03-01T09:00:00.000Z",
        "UtcDueDate": "2026-03-01T08:00:00.000Z",
        "DueDate": "2026-03-01T09:00:00.000Z",
        "Complete": "0",
        "Importance": "2",
        "ReminderSet": "1",
        "ReminderTime": "2026-03-01T08:00:00.000Z",
    }


def test_a_series_of_thunderbirds_stands_at_what_is_not_done() -> None:
    shown = seen(THUNDERBIRD)
    recurrence = shown["Recurrence"]
    assert isinstance(recurrence, dict)
    assert (recurrence["Start"], recurrence["Occurrences"]) == ("2026-01-05T18:00:00.000Z", "10")
    assert (shown["StartDate"], shown["DueDate"]) == ("2026-01-12T18:00:00.000Z", "2026-01-12T19:00:00.000Z")
    assert shown["ReminderTime"] == "2026-01-12T16:45:00.000Z"
    assert shown["Categories"] == {"Category": ["Home", "Garden, balcony"]}


def test_a_series_of_thunderbirds_goes_on_when_an_occurrence_is_done() -> None:
    changed = (
        shelf(Version.V14_1)
        .holding(THUNDERBIRD)
        .change(
            *(
                one
                for one in shelf(Version.V14_1).holding(THUNDERBIRD).shown()
                if one.tag is not Tasks.Complete
            ),
            *properties(Complete=1, DateCompleted="2026-01-13T07:00:00.000Z"),
        )
    )
    assert changed.beside is not None
    done, series = seen(changed.beside.text), seen(changed.text)
    assert (done["StartDate"], done["Complete"]) == ("2026-01-12T18:00:00.000Z", "1")
    assert done["DateCompleted"] == "2026-01-13T07:00:00.000Z"
    assert (series["StartDate"], series["Complete"]) == ("2026-01-19T18:00:00.000Z", "0")
    assert series["ReminderTime"] == "2026-01-19T16:45:00.000Z"
    assert "RRULE:FREQ=WEEKLY;COUNT=8" in changed.text
    assert "TRIGGER;VALUE=DURATION:-PT15M" in changed.text


def test_a_series_of_which_all_is_done_is_completed() -> None:
    second = THUNDERBIRD.replace("20260105T180000\r\nCOMPLETED", "20260112T180000\r\nCOMPLETED")
    both = THUNDERBIRD.replace("COUNT=10", "COUNT=2").replace(
        "END:VCALENDAR", second[second.rindex("BEGIN:VTODO") :]
    )
    shown = seen(both.replace("COMPLETED:20260105T173000Z", "COMPLETED:20260113T173000Z", 1))
    assert (shown["Complete"], shown["DateCompleted"]) == ("1", "2026-01-13T17:30:00.000Z")


def test_a_sub_task_of_nextclouds_that_is_begun() -> None:
    shown = seen(NEXTCLOUD)
    assert (shown["DueDate"], shown["UtcDueDate"]) == ("2026-03-05T00:00:00.000Z", "2026-03-04T23:00:00.000Z")
    assert (shown["Complete"], shown["Importance"], shown["ReminderSet"]) == ("0", "0", "0")
    assert shown["Body"] == {"Type": "1", "Data": "- [ ] one\r\n- [x] two"}
    done = shelf(Version.V14_1).holding(NEXTCLOUD).change(*properties(Complete=1, Subject="Sub task"))
    assert "PERCENT-COMPLETE:100" in done.text
    assert "STATUS:COMPLETED" in done.text
    assert "RELATED-TO:parent" in done.text


def test_a_task_of_opentasks_with_a_duration() -> None:
    shown = seen(OPENTASKS)
    assert (shown["UtcStartDate"], shown["StartDate"]) == (
        "2026-03-10T10:00:00.000Z",
        "2026-03-10T11:00:00.000Z",
    )
    assert shown["UtcDueDate"] == "2026-03-10T11:00:00.000Z"
    assert (shown["Complete"], shown["DateCompleted"]) == ("1", "2026-03-10T11:12:13.000Z")


def test_a_task_that_outlook_exported() -> None:
    shown = seen(OUTLOOK)
    assert (shown["Complete"], shown["DateCompleted"]) == ("1", "2026-02-12T12:00:00.000Z")
    assert shown["ReminderTime"] == "2026-03-04T08:00:00.000Z"
    assert shown["Body"] == {"Type": "1", "Data": "Quarter\r\n"}
    html = shelf(Version.V14_1).holding(OUTLOOK).shown(BodyPreference(2)).find(AirSyncBase.Body)
    assert html is not None
    assert html.child_text(AirSyncBase.Data) == "<html><body><b>Quarter</b></body></html>"


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("text", [APPLE, THUNDERBIRD, NEXTCLOUD, OPENTASKS, OUTLOOK])
def test_nothing_is_lost_whatever_a_phone_changes(text: str, version: Version) -> None:
    """Every line that a change is not about stays as it was written."""
    seen_by = shelf(version).holding(text)
    shown = seen_by.shown(BodyPreference(PLAIN))
    assert seen_by.change(*shown).text == text
    told = [one for one in shown if one.tag is not Tasks.Subject]
    changed = Shelf(version, seen_by.stored, zone=seen_by.zone, content=seen_by.content)
    after = changed.change(*told, *properties(Subject="Other")).text
    stamps = ("SUMMARY", "DTSTAMP", "LAST-MODIFIED")
    lines = [line for line in text.split("\r\n") if not line.startswith(stamps)]
    assert [line for line in lines if line not in after.split("\r\n")] == []


def test_a_day_that_is_moved_stays_a_day() -> None:
    moved = (
        shelf(Version.V16_1)
        .holding(NEXTCLOUD)
        .change(
            *(
                one
                for one in shelf(Version.V16_1).holding(NEXTCLOUD).shown()
                if not one.tag.name.endswith("DueDate")
            ),
            *properties(DueDate="2026-03-09T00:00:00.000Z", UtcDueDate="2026-03-08T23:00:00.000Z"),
        )
    )
    assert "DUE;VALUE=DATE:20260309\r\n" in moved.text
