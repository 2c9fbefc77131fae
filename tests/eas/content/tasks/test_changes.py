"""Single elements of tasks: what devices may say, what it means that they do not, and what is refused."""

from __future__ import annotations

import base64

import pytest

from gateway.eas.content.preferences import HTML, PLAIN, BodyPreference
from gateway.eas.content.tasks.elements import TABLE
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.pim.tasks.writing import PLACES
from tests.eas.content.shelf import NOW, Shelf, arrived, body, ical, tree
from tests.eas.content.tasks.support import CONTENT, properties, shelf
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Tasks

WEEKLY = properties(Type=1, Start="2026-03-05T00:00:00.000Z", DayOfWeek=16, Interval=1)
DAY = properties(
    StartDate="2026-03-05T00:00:00.000Z",
    UtcStartDate="2026-03-04T23:00:00.000Z",
    DueDate="2026-03-06T00:00:00.000Z",
    UtcDueDate="2026-03-05T23:00:00.000Z",
)


def told(shown: Shelf, *names: str) -> tuple[object, ...]:
    values = tree(shown.shown(BodyPreference(PLAIN)))
    return tuple(values.get(name) for name in names)


def made(*more: Element, version: Version = Version.V14_1) -> Shelf:
    return shelf(version).add(*properties(Subject="Pay", Complete=0), *more)


# --- dates ---------------------------------------------------------------------------------------------


def test_one_of_a_pair_is_in_the_users_zone() -> None:
    local = made(*properties(DueDate="2026-07-01T00:00:00.000Z"))
    assert told(local, "DueDate", "UtcDueDate") == ("2026-07-01T00:00:00.000Z", "2026-06-30T22:00:00.000Z")
    assert "DUE;VALUE=DATE:20260701\r\n" in local.text
    instant = made(*properties(UtcDueDate="2026-07-01T10:00:00.000Z"))
    assert told(instant, "DueDate", "UtcDueDate") == ("2026-07-01T12:00:00.000Z", "2026-07-01T10:00:00.000Z")
    assert "DUE;TZID=Europe/Berlin:20260701T120000\r\n" in instant.text


def test_one_of_a_pair_is_in_the_zone_of_the_task() -> None:
    there = made(*properties(DueDate="2026-07-01T20:00:00.000Z", UtcDueDate="2026-07-01T10:00:00.000Z"))
    moved = there.change(*properties(DueDate="2026-07-02T20:00:00.000Z"))
    assert told(moved, "UtcDueDate") == ("2026-07-02T10:00:00.000Z",)


def test_a_rule_by_another_calendar_is_kept_by_devices_that_cannot_be_told() -> None:
    rule = properties(
        Type=5, Interval=1, DayOfMonth=5, MonthOfYear=3, CalendarType=8, Start="2026-03-05T00:00:00.000Z"
    )
    task = made(*DAY, *properties(Recurrence=rule))
    old = task.speaking(Version.V12_1)
    (shown,) = told(old, "Recurrence")
    assert shown is None
    changed = old.change(*DAY, *properties(Subject="Pay now", Complete=0)).speaking(Version.V14_1)
    (shown,) = told(changed, "Recurrence")
    assert isinstance(shown, dict)
    assert shown["CalendarType"] == "8"


def test_dates_that_mean_none_are_none() -> None:
    none = {"UtcDueDate": "4500-12-31T23:00:00.000Z", "DueDate": "4501-01-01T00:00:00.000Z"}
    rings = {"ReminderSet": 1, "ReminderTime": "4501-01-01T00:00:00.000Z"}
    task = made(*DAY[:2], *properties(**none, **rings))
    shown = ("StartDate", "DueDate", "UtcDueDate", "ReminderSet", "ReminderTime")
    assert told(task, *shown) == ("2026-03-05T00:00:00.000Z", None, None, "1", "2026-03-04T23:00:00.000Z")
    task = made(*DAY).change(*properties(Subject="Pay", Complete=0, **none))
    assert told(task, *shown[:3]) == (None, None, None)


def test_a_distance_that_no_clock_has_is_a_mistake() -> None:
    odd = made(*properties(DueDate="2026-07-04T00:00:00.000Z", UtcDueDate="2026-07-01T10:00:00.000Z"))
    assert told(odd, "DueDate", "UtcDueDate") == ("2026-07-04T00:00:00.000Z", "2026-07-03T22:00:00.000Z")


def test_days_of_another_zone_keep_their_distance_from_utc() -> None:
    there = made(*properties(DueDate="2026-07-02T00:00:00.000Z", UtcDueDate="2026-07-01T12:00:00.000Z"))
    assert "DUE;VALUE=DATE;X-ACTIVESYNC-OFFSET=+1200:20260702\r\n" in there.text
    # By a program that knows nothing of it.
    moved = there.holding(there.text.replace(":20260702", ":20260709"))
    assert told(moved, "DueDate", "UtcDueDate") == ("2026-07-09T00:00:00.000Z", "2026-07-08T12:00:00.000Z")


def test_a_date_may_go_alone() -> None:
    task = made(*DAY).change(*properties(Subject="Pay", Complete=0), *DAY[2:])
    assert told(task, "StartDate", "DueDate") == (None, "2026-03-06T00:00:00.000Z")
    assert told(task.change(*properties(Subject="Pay")), "DueDate") == (None,)


# --- reminders -----------------------------------------------------------------------------------------


def test_a_reminder_stays_where_it_is_when_the_date_moves() -> None:
    task = made(*DAY)
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VTODO"
    task = task.holding(task.text.replace("END:VTODO", alarm))
    before = told(task, "ReminderTime")
    later = properties(StartDate="2026-03-12T00:00:00.000Z", DueDate="2026-03-13T00:00:00.000Z")
    assert told(task.change(*properties(Subject="Pay"), *later), "ReminderSet", "ReminderTime") == (
        "1",
        *before,
    )


def test_a_reminder_without_a_time_rings_when_the_task_is_due() -> None:
    assert told(made(*DAY, *properties(ReminderSet=1)), "ReminderTime") == ("2026-03-05T23:00:00.000Z",)
    assert told(made(*properties(ReminderSet=1)), "ReminderSet") == ("0",)


def test_a_reminder_that_is_turned_off_leaves_mails_alone() -> None:
    task = made(*DAY, *properties(ReminderSet=1, ReminderTime="2026-03-05T08:00:00.000Z"))
    mail = "BEGIN:VALARM\r\nACTION:EMAIL\r\nTRIGGER:-P1D\r\nEND:VALARM\r\n"
    task = task.holding(task.text.replace("BEGIN:VALARM", f"{mail}BEGIN:VALARM", 1))
    quiet = task.change(*properties(Subject="Pay", ReminderSet=0), *DAY)
    assert told(quiet, "ReminderSet", "ReminderTime") == ("0", None)
    assert (quiet.text.count("BEGIN:VALARM"), "ACTION:EMAIL" in quiet.text) == (1, True)


# --- what is left out ----------------------------------------------------------------------------------

FULL = [
    *DAY,
    *properties(Importance=2, Sensitivity=3, ReminderSet=1, ReminderTime="2026-03-05T08:00:00.000Z"),
    *properties(Categories=[element(Tasks.Category, "Home")], OrdinalDate="2026-03-01T00:00:00.000Z"),
    *properties(SubOrdinalDate="5555", Recurrence=[*WEEKLY, *properties(Occurrences=10)]),
    body("written"),
]


def test_what_a_change_leaves_out_goes_but_for_what_stays() -> None:
    """MS-ASTASK 3.2.5.3, MS-ASCMD 2.2.3.24."""
    task = made(*FULL).change(*properties(Subject="Pay", Complete=0))
    gone = ("StartDate", "DueDate", "Categories", "Recurrence", "OrdinalDate", "SubOrdinalDate")
    assert told(task, *gone) == (None,) * 6
    kept = ("Importance", "ReminderSet", "ReminderTime", "Sensitivity")
    assert told(task, *kept) == ("2", "1", "2026-03-05T08:00:00.000Z", "0")
    assert "DESCRIPTION:written" in task.text


def test_what_a_device_does_not_support_stays() -> None:
    task = made(*FULL)
    before = tree(task.shown(BodyPreference(PLAIN)))
    ghosting = task.speaking(Version.V14_1, supported={"Subject", "Complete"})
    assert tree(ghosting.change(*properties(Subject="Pay")).shown(BodyPreference(PLAIN))) == before
    named = task.speaking(Version.V14_1, supported={"Subject", "Categories"})
    assert told(named.change(*properties(Subject="Pay")), "Categories", "Sensitivity") == (None, "3")


def test_empty_elements_remove() -> None:
    task = made(*FULL).change(
        *properties(Subject=None, StartDate=None, UtcStartDate=None, Categories=None, Recurrence=None),
        *DAY[2:],
    )
    assert told(task, "Subject", "StartDate", "Categories", "Recurrence") == ("", None, None, None)


def test_an_old_device_does_not_remove_what_it_does_not_know() -> None:
    task = made(*FULL).speaking(Version.V2_5).change(*properties(Subject="Pay", Complete=0, Body="written"))
    assert told(task.speaking(Version.V14_1), "OrdinalDate") == ("2026-03-01T00:00:00.000Z",)


# --- texts ---------------------------------------------------------------------------------------------


def test_a_body_of_version_2_5_and_its_truncation() -> None:
    task = shelf(Version.V2_5).add(*properties(Subject="Pay", Body="x" * 1000))
    shown = tree(task.shown(truncation=1))
    assert (shown["Body"], shown["BodySize"], shown["BodyTruncated"]) == ("x" * 512, "1000", "1")
    cut = task.change(*properties(Subject="Pay", Body="x" * 512, BodySize=1000, BodyTruncated=1))
    assert tree(cut.shown())["Body"] == "x" * 1000


def test_rich_text_of_version_2_5() -> None:
    rich = base64.b64encode(rb"{\rtf1\ansi Pay \b now\b0 .}").decode()
    task = shelf(Version.V2_5).add(*properties(Subject="Pay", CompressedRTF=rich))
    assert "Pay now." in str(tree(task.shown())["Body"])


def test_a_body_is_cut_in_the_form_that_is_asked_for() -> None:
    task = made(body("<p>one <b>two</b></p>", HTML))
    shown = task.shown(BodyPreference(PLAIN, 3)).find(AirSyncBase.Body)
    assert shown is not None
    values = tree(shown)
    assert (values["Type"], values["Data"], values["Truncated"]) == ("1", "one", "1")
    assert told(task, "NativeBodyType") == ("2",)
    assert (
        "<b>two</b>"
        in task.change(*properties(Subject="Pay"), body("one", PLAIN, element(AirSyncBase.Truncated, 1))).text
    )


# --- completion ----------------------------------------------------------------------------------------


def test_a_task_is_completed_now_when_no_time_is_said() -> None:
    task = made().change(*properties(Subject="Pay", Complete=1))
    assert told(task, "Complete", "DateCompleted") == ("1", "2026-03-02T09:10:00.000Z")
    assert task.stored is not None
    assert task.stored.ends == NOW
    again = task.change(*properties(Subject="Pay", Complete=0))
    assert told(again, "Complete", "DateCompleted") == ("0", None)
    assert again.stored is not None
    assert again.stored.ends is None
    assert "COMPLETED" not in again.text


def test_a_time_of_completion_that_nobody_noted_is_not_news_when_it_comes_back() -> None:
    lines = ("BEGIN:VTODO", "UID:u", "STATUS:COMPLETED", "DUE;VALUE=DATE:20260302", "END:VTODO")
    seen = shelf(Version.V14_1).holding(ical(*lines))
    before = seen.text
    shown = seen.shown(BodyPreference(PLAIN))
    assert shown.child_text(Tasks.DateCompleted) == "2026-03-02T09:10:00.000Z"  # when it was stored
    assert seen.change(*shown).text == before


def test_the_occurrence_of_a_series_that_is_done_becomes_a_task_of_its_own() -> None:
    task = made(*FULL)
    done = task.change(
        *properties(Subject="Paid", Complete=1, DateCompleted="2026-03-06T07:00:00.000Z"), *FULL
    )
    assert done.beside is not None
    other = task.holding(done.beside.text)
    names = ("Subject", "Complete", "DateCompleted", "StartDate", "DueDate", "ReminderSet")
    assert told(other, *names) == (
        *("Paid", "1", "2026-03-06T07:00:00.000Z"),
        *("2026-03-05T00:00:00.000Z", "2026-03-06T00:00:00.000Z", "0"),
    )
    assert told(done, *names) == (
        *("Paid", "0", None, "2026-03-12T00:00:00.000Z", "2026-03-13T00:00:00.000Z", "1"),
    )
    assert told(done, "ReminderTime") == ("2026-03-12T08:00:00.000Z",)
    (series,), (dead,) = told(done, "Recurrence"), told(other, "Recurrence")
    assert isinstance(series, dict)
    assert isinstance(dead, dict)
    assert (series["Start"], series["Occurrences"], series["DeadOccur"]) == (
        "2026-03-12T00:00:00.000Z",
        "9",
        "0",
    )
    assert (dead["Start"], dead["Occurrences"], dead["DeadOccur"]) == ("2026-03-05T00:00:00.000Z", "10", "1")
    assert "RRULE" not in done.beside.text


@pytest.mark.parametrize("regenerates", [0, 1])
def test_an_occurrence_that_two_devices_complete_is_done_once(regenerates: int) -> None:
    """The second one has its way in all else (Conflict 0)."""
    rule = properties(Recurrence=[*WEEKLY, *properties(Occurrences=3, Regenerate=regenerates)])
    told_both = made(*DAY, *rule).shown()
    done = [one for one in told_both if one.tag not in {Tasks.Complete, Tasks.Subject}]
    first = made(*DAY, *rule).change(*done, *properties(Subject="Pay", Complete=1))
    assert first.beside is not None
    second = first.change(*done, *properties(Subject="PAY", Complete=1))
    assert second.beside is None
    names = ("StartDate", "DueDate", "Complete", "Recurrence")
    assert told(second, *names) == told(first, *names)
    assert told(second, "Subject") == ("PAY",)


def test_the_last_occurrence_completes_the_series() -> None:
    task = made(*DAY, *properties(Recurrence=[*WEEKLY, *properties(Occurrences=1)]))
    ended = task.change(
        *(one for one in task.shown() if one.tag is not Tasks.Complete), *properties(Complete=1)
    )
    assert ended.beside is None
    assert told(ended, "Complete") == ("1",)


@pytest.mark.parametrize(
    ("kind", "interval", "due"),
    [(0, 3, "2026-03-09"), (1, 2, "2026-03-20"), (2, 1, "2026-04-06"), (5, 1, "2027-03-06")],
)
def test_a_task_that_regenerates_is_due_so_long_after_it_was_done(kind: int, interval: int, due: str) -> None:
    rule = properties(
        Type=kind, Start="2026-02-01T00:00:00.000Z", Interval=interval, Regenerate=1, Occurrences=5
    )
    task = made(*properties(DueDate="2026-02-01T00:00:00.000Z"), *properties(Recurrence=rule))
    told_so = [one for one in task.shown() if one.tag is not Tasks.Complete]
    done = task.change(*told_so, *properties(Complete=1, DateCompleted="2026-03-06T12:00:00.000Z"))
    assert done.beside is not None
    assert told(task.holding(done.beside.text), "Recurrence", "Complete", "DueDate") == (
        None,
        "1",
        "2026-02-01T00:00:00.000Z",
    )
    (series,) = told(done, "Recurrence")
    assert isinstance(series, dict)
    assert (told(done, "DueDate"), series["Occurrences"]) == ((f"{due}T00:00:00.000Z",), "4")


def test_a_device_that_moves_the_series_itself_has_its_way() -> None:
    """It adds the occurrence that is done as a dead one, and changes the series (as iOS does)."""
    rule = [*WEEKLY, *properties(Occurrences=10)]
    dead = properties(Recurrence=[*rule, *properties(DeadOccur=1)])
    completed = shelf(Version.V14_1).add(*properties(Subject="Pay", Complete=1), *DAY, *dead)
    assert "RRULE" not in completed.text
    moved = made(*DAY, *properties(Recurrence=rule)).change(
        *properties(Subject="Pay", Complete=0),
        *properties(
            StartDate="2026-03-12T00:00:00.000Z", DueDate="2026-03-13T00:00:00.000Z", Recurrence=rule
        ),
    )
    assert moved.beside is None
    (series,) = told(moved, "Recurrence")
    assert isinstance(series, dict)
    assert (series["Start"], series["Occurrences"]) == ("2026-03-05T00:00:00.000Z", "10")
    assert "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=9\r\n" in moved.text  # as other programs count


def test_a_dead_occurrence_makes_no_series_again() -> None:
    rule = [*WEEKLY, *properties(DeadOccur=1)]
    dead = shelf(Version.V14_1).add(
        *properties(Subject="Pay", Complete=0), *DAY, *properties(Recurrence=rule)
    )
    done = dead.change(
        *(one for one in dead.shown() if one.tag is not Tasks.Complete), *properties(Complete=1)
    )
    assert done.beside is None
    assert told(done, "Complete", "StartDate") == ("1", "2026-03-05T00:00:00.000Z")


def test_a_rule_that_phones_cannot_be_told_survives_and_goes_on() -> None:
    task = made(*DAY)
    odd = "RRULE:FREQ=YEARLY;BYYEARDAY=100\r\nEND:VTODO"
    task = task.holding(task.text.replace("END:VTODO", odd))
    assert told(task, "Recurrence") == (None,)
    assert "BYYEARDAY=100" in task.change(*properties(Subject="Other"), *DAY).text
    done = task.change(*properties(Subject="Pay", Complete=1), *DAY)
    assert done.beside is not None
    assert told(done, "StartDate") == ("2026-04-10T00:00:00.000Z",)


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        properties(Complete=2),
        properties(ReminderSet=2),
        properties(Sensitivity=4),
        properties(Importance=256),
        properties(Importance=-1),
        properties(DueDate="tomorrow"),
        properties(DueDate="2026-02-30T00:00:00.000Z"),
        properties(Subject="a") + properties(Subject="b"),
        properties(Subject="x" * 40000),
        properties(Categories=[element(Tasks.Category, "x")] * 301),
        properties(Recurrence=properties(Type=1, DayOfWeek=16)),
        properties(Recurrence=properties(Start="2026-03-05T00:00:00.000Z", DayOfWeek=16)),
        properties(Recurrence=properties(Type=4, Start="2026-03-05T00:00:00.000Z")),
        properties(Recurrence=[*WEEKLY, *properties(DayOfMonth=3)]),
        properties(Recurrence=[*WEEKLY, *properties(WeekOfMonth=3)]),
        properties(Recurrence=[*WEEKLY, *properties(MonthOfYear=3)]),
        properties(Recurrence=[*WEEKLY, *properties(CalendarType=1)]),
        properties(Recurrence=[*WEEKLY, *properties(FirstDayOfWeek=7)]),
        properties(Recurrence=[*WEEKLY, *properties(Interval=1)]),
        properties(Recurrence=[*WEEKLY[:3], *properties(Interval=1000)]),
        properties(Recurrence=[*WEEKLY, *properties(Until="2020-01-01T00:00:00.000Z")]),
        properties(
            Recurrence=properties(Type=2, Start="2026-03-05T00:00:00.000Z", DayOfMonth=5, DayOfWeek=1)
        ),
        properties(Recurrence=[*WEEKLY, *properties(Regenerate=2)]),
        [body("x", 4)],
        [body("x"), body("y")],
    ],
)
def test_what_can_be_no_task_is_refused(wrong: list[Element]) -> None:
    scene = shelf(Version.V14_1).scene()
    with pytest.raises(BadItem):
        CONTENT.add("c1", "", arrived(*wrong), scene)
    with pytest.raises(BadItem):
        CONTENT.change(1, "", "", arrived(*wrong), scene)


def test_an_occurrence_has_no_name() -> None:
    scene = shelf(Version.V16_1).scene()
    with pytest.raises(BadItem):
        CONTENT.change(1, "20260305T000000Z", "", arrived(), scene)
    with pytest.raises(BadItem):
        CONTENT.delete(1, "20260305T000000Z", scene)


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"])
def test_what_is_no_task_is_shown_as_a_stub(text: str) -> None:
    broken = shelf(Version.V16_1).holding(text)
    with pytest.raises(Refused):
        broken.shown()
    with pytest.raises(Refused):
        broken.change(*properties(Subject="x"))
    assert broken.stored is not None
    stub = CONTENT.stub(broken.item, broken.scene())
    assert {one.tag for one in stub} >= {Tasks.Subject, Tasks.Complete}


def test_the_bounds_of_a_rule_are_bounds_of_work() -> None:
    """A rule that comes to nothing for ages: the task stays where it is, and is completed as a whole."""
    task = made(*DAY)
    rule = "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\r\nEXDATE;VALUE=DATE:20260305\r\nEND:VTODO"
    task = task.holding(task.text.replace("END:VTODO", rule))
    assert told(task, "Complete", "StartDate") == ("0", "2026-03-05T00:00:00.000Z")
    assert task.change(*properties(Subject="Pay", Complete=1), *DAY).beside is None


# --- the table -----------------------------------------------------------------------------------------


def test_the_table_has_every_element_of_the_page() -> None:
    listed = [tag for one in TABLE for tag in one.elements]
    assert len(set(listed)) == len(listed)
    page = set(Tasks.tokens.values())
    assert page <= set(listed)


def test_the_table_names_every_property_that_is_written() -> None:
    written = {name for place in PLACES.values() for name in place.properties}
    assert written == {name for one in TABLE for name in one.properties}
