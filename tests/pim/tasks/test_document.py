"""The text of tasks: what is written where, what survives, and that anything can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.pim.properties import Body
from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.tasks.document import advance, new_task, patch_task, read_task, stored_task
from gateway.pim.tasks.model import BadTask, Repetition, Sensitivity, TaskPatch
from gateway.pim.tasks.writing import PLACES, Dates, Done
from gateway.pim.tree import Node, parse_calendar
from tests.eas.content.shelf import NOW, examples, ical
from tests.eas.content.tasks.test_samples import APPLE, NEXTCLOUD, OPENTASKS, OUTLOOK, THUNDERBIRD

BERLIN = ZoneInfo("Europe/Berlin")
DAY = datetime(2026, 3, 5, tzinfo=BERLIN)
TOKYO = timezone(timedelta(hours=9))


def weekly(start: datetime, **named: int | bool) -> Repetition:
    rule = Recurrence(Pattern.WEEKLY, days=16, occurrences=int(named.get("count", 4)))
    return Repetition(rule, start, bool(named.get("regenerates")), bool(named.get("dead")))


def test_a_series_is_done_one_after_the_other_until_none_is_left() -> None:
    text = new_task(TaskPatch(subject="x", due=DAY, repetition=weekly(DAY)), "uid", NOW, BERLIN)
    done: list[datetime | None] = []
    for number in range(3):
        gone_on = advance(text, NOW, f"u{number}", NOW, BERLIN)
        assert gone_on is not None
        copy = read_task(gone_on.done, BERLIN)
        assert (copy.completed, copy.uid, copy.rule) == (True, f"u{number}", "")
        done.append(copy.due)
        text = gone_on.series
    assert done == [DAY + timedelta(days=7 * number) for number in range(3)]
    assert read_task(text, BERLIN).due == DAY + timedelta(days=21)
    assert advance(text, NOW, "u4", NOW, BERLIN) is None


def test_a_series_keeps_its_time_of_day_over_a_change_of_the_clocks() -> None:
    start = datetime(2026, 3, 26, 9, tzinfo=BERLIN)
    patch = TaskPatch(
        start=start, reminder=start.astimezone(UTC) - timedelta(hours=1), repetition=weekly(start)
    )
    gone_on = advance(new_task(patch, "uid", NOW, BERLIN), NOW, "u", NOW, BERLIN)
    assert gone_on is not None
    task = read_task(gone_on.series, BERLIN)
    assert task.start == datetime(2026, 4, 2, 9, tzinfo=BERLIN)
    assert task.reminder == datetime(2026, 4, 2, 6, tzinfo=UTC)


def test_a_day_that_is_done_is_done_whatever_the_rule_has_in_it() -> None:
    dates = ("DUE;VALUE=DATE:20260322", "RRULE:FREQ=HOURLY;INTERVAL=6;COUNT=9")
    gone_on = advance(ical("BEGIN:VTODO", "UID:a", *dates, "END:VTODO"), NOW, "u", NOW, BERLIN)
    assert gone_on is not None
    assert "DUE;VALUE=DATE:20260323\r\nRRULE:FREQ=HOURLY;INTERVAL=6;COUNT=5\r\n" in gone_on.series


def test_an_alarm_that_goes_by_the_dates_stays_as_it_is() -> None:
    """A day before a start across a change of the clocks is another time of day."""
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT24H", "END:VALARM")
    dates = ("DTSTART;TZID=Europe/Berlin:20260322T090000", "RRULE:FREQ=WEEKLY")
    text = ical("BEGIN:VTODO", "UID:a", *dates, *alarm, "END:VTODO")
    gone_on = advance(text, NOW, "u", NOW, BERLIN)
    assert gone_on is not None
    assert "TRIGGER:-PT24H\r\n" in gone_on.series
    task = read_task(gone_on.series, BERLIN)
    assert task.reminder == datetime(2026, 3, 28, 7, tzinfo=UTC)


def test_what_other_programs_made_of_a_series_counts() -> None:
    began = DAY - timedelta(days=14)
    text = new_task(TaskPatch(due=DAY, repetition=weekly(began, count=10)), "uid", NOW, BERLIN)
    known = read_task(text, BERLIN).repetition
    assert known is not None
    assert (known.start, known.rule.occurrences) == (began, 10)
    assert "COUNT=8" in text
    other = text.replace("COUNT=8", "COUNT=5", 1)
    changed = read_task(other, BERLIN).repetition
    assert changed is not None
    assert (changed.start, changed.rule.occurrences) == (DAY, 5)


_VALUES: dict[str, object] = {
    "dates": None,
    "repetition": weekly(DAY),
    "subject": "other",
    "body": Body("other", "<b>other</b>"),
    "done": Done(completed=True, at=NOW),
    "importance": 7,
    "sensitivity": Sensitivity.CONFIDENTIAL,
    "categories": ("other",),
    "reminder": NOW,
    "ordinal": NOW,
    "sub_ordinal": "other",
}


@pytest.mark.parametrize("name", sorted(PLACES))
@pytest.mark.parametrize("text", [APPLE, THUNDERBIRD, NEXTCLOUD, OPENTASKS, OUTLOOK])
def test_a_value_is_written_where_the_table_says(text: str, name: str) -> None:
    node = next(parse_calendar(text).nodes("VTODO"))
    before = _parts(node)
    PLACES[name].write(node, _VALUES[name], Dates(DAY, DAY, dated=False, default=BERLIN))
    after = _parts(node)
    assert before != after
    touched = {what for what, _ in set(before) ^ set(after)}
    assert touched <= set(PLACES[name].properties)


def _parts(node: Node) -> list[tuple[str, str]]:
    return [(one.name, one.text if isinstance(one, Node) else one.raw) for one in node.parts]


@pytest.mark.parametrize(
    ("moment", "line"),
    [
        (DAY, "DUE;VALUE=DATE:20260305"),
        (DAY.replace(hour=9), "DUE;TZID=Europe/Berlin:20260305T090000"),
        (datetime(2026, 3, 5, tzinfo=TOKYO), "DUE;VALUE=DATE;X-ACTIVESYNC-OFFSET=+0900:20260305"),
        (datetime(2026, 3, 5, 17, tzinfo=TOKYO), "DUE;X-ACTIVESYNC-OFFSET=+0900:20260305T080000Z"),
        (datetime(2026, 3, 5, 8, tzinfo=UTC), "DUE;X-ACTIVESYNC-OFFSET=+0000:20260305T080000Z"),
        (
            datetime(2026, 3, 5, 8, tzinfo=timezone(timedelta(seconds=-3601))),
            "DUE;X-ACTIVESYNC-OFFSET=-010001:20260305T090001Z",
        ),
    ],
)
def test_a_date_is_written_with_what_tells_its_zone(moment: datetime, line: str) -> None:
    text = new_task(TaskPatch(due=moment), "uid", NOW, BERLIN)
    assert f"\r\n{line}\r\n" in text
    due = read_task(text, BERLIN).due
    assert due is not None
    assert (due, due.utcoffset()) == (moment, moment.utcoffset())


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("STATUS:COMPLETED", True),
        ("STATUS:CANCELLED", True),
        ("STATUS:NEEDS-ACTION\r\nPERCENT-COMPLETE:100", False),
        ("STATUS:IN-PROCESS\r\nCOMPLETED:20260301T000000Z", False),
        ("COMPLETED:20260301T000000Z", True),
        ("PERCENT-COMPLETE:100", True),
        ("PERCENT-COMPLETE:99", False),
        ("STATUS:WHATEVER", False),
    ],
)
def test_what_is_done(line: str, completed: bool) -> None:
    text = ical("BEGIN:VTODO", "UID:u", line, "END:VTODO")
    assert read_task(text).completed is completed
    assert (stored_task(text).ends is not None) is completed


@pytest.mark.parametrize("uid", ["", "x" * 2000])
def test_a_task_has_a_uid_of_some_length(uid: str) -> None:
    with pytest.raises(BadTask):
        new_task(TaskPatch(), uid, NOW)


_LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            lambda name, value: f"{name}:{value}",
            st.sampled_from(
                [
                    *(
                        "DTSTART",
                        "DUE",
                        "DURATION",
                        "RRULE",
                        "EXDATE",
                        "RECURRENCE-ID",
                        "COMPLETED",
                        "STATUS",
                    ),
                    *("PRIORITY", "PERCENT-COMPLETE", "BEGIN", "END", "TRIGGER", "ACTION", "UID", "SEQUENCE"),
                    *("X-ACTIVESYNC-SERIES", "X-ACTIVESYNC-DEAD-SERIES;X-ACTIVESYNC-SERIES=20260305T000000"),
                    *("DUE;X-ACTIVESYNC-OFFSET=+2400", "DTSTART;TZID=Nowhere", "DUE;VALUE=DATE"),
                ]
            ),
            st.one_of(
                st.sampled_from(
                    [
                        *("20260305T090000", "20260305", "99991231T235959Z", "00010101T000000Z", "P99999D"),
                        *("FREQ=DAILY", "FREQ=SECONDLY;COUNT=999999999", "FREQ=YEARLY;BYMONTH=13", "VALARM"),
                        *("FREQ=MONTHLY;BYDAY=5MO;UNTIL=99991231", "VTODO", "DISPLAY", "-PT15M", "100", "1"),
                    ]
                ),
                st.text(max_size=20),
            ),
        ),
    ),
    max_size=12,
)


@given(_LINES)
@examples(150)
def test_anything_is_read_or_refused(lines: list[str]) -> None:
    text = ical("BEGIN:VTODO", *lines, "END:VTODO")
    try:
        read_task(text, BERLIN)
        stored_task(patch_task(text, TaskPatch(subject="x", due=DAY), NOW, BERLIN))
        advance(text, NOW, "u", NOW, BERLIN)
    except Refused:
        return
