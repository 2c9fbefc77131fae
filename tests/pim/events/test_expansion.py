"""Occurrences: which there are, at what instants, and at what cost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import (
    bounds_of,
    has_occurrences,
    instances,
    original_of,
    originals_of,
    starts,
)
from gateway.pim.events.model import Event
from gateway.pim.recurrence import write_rule
from gateway.pim.rules import Work, WorkDone, read_expandable
from tests.pim.events.made import BERLIN, DAY, HOUR, NOW, berlin, changed, event, text
from tests.pim.test_recurrence import recurrences

START = datetime(2026, 3, 2, 10)  # noqa: DTZ001 - a clock time


def days(found: Event, first: datetime, last: datetime) -> list[str]:
    return [f"{one.start:%m-%d %H:%M}" for one in instances(found, first, last)]


def test_clocks_of_the_zone_count() -> None:
    found = event("RRULE:FREQ=WEEKLY")
    at = [one.start.astimezone(UTC).hour for one in instances(found, berlin(2026, 3, 16), berlin(2026, 4, 7))]
    assert at == [9, 9, 8, 8]


def test_an_hour_that_is_left_out_is_told_by_the_clock_before() -> None:
    found = event("RRULE:FREQ=DAILY", start="DTSTART;TZID=Europe/Berlin:20260328T023000", end="")
    instants = [
        one.start.astimezone(UTC) for one in instances(found, berlin(2026, 3, 28), berlin(2026, 3, 31))
    ]
    assert [f"{one:%d %H:%M}" for one in instants] == ["28 01:30", "29 01:30", "30 00:30"]


@pytest.mark.parametrize(
    ("end", "until"),
    [
        # Whoever works eight hours does so in the night, too, in which the clocks are changed.
        ("DTEND;TZID=Europe/Berlin:20260328T060000", berlin(2026, 3, 29, 7)),
        ("DURATION:PT8H", berlin(2026, 3, 29, 7)),
        ("DURATION:P1D", berlin(2026, 3, 29, 22)),
        ("DURATION:P1W", berlin(2026, 4, 4, 22)),
        ("DURATION:P1DT2H", berlin(2026, 3, 30)),
        ("DURATION:PT24H", berlin(2026, 3, 29, 23)),
    ],
)
def test_hours_pass_and_days_are_counted_when_the_clocks_are_changed(end: str, until: datetime) -> None:
    found = event("RRULE:FREQ=DAILY;COUNT=2", start="DTSTART;TZID=Europe/Berlin:20260327T220000", end=end)
    first, second = instances(found, berlin(2026, 3, 27), berlin(2026, 3, 30))
    assert second.end == until
    assert bounds_of(found)[1] == until
    assert found.length.about == first.end.replace(tzinfo=None) - first.start.replace(tzinfo=None)


def test_a_window_shows_what_is_partly_in_it() -> None:
    found = event("RRULE:FREQ=DAILY")
    assert days(found, berlin(2026, 3, 4, 10, 30), berlin(2026, 3, 5, 10)) == ["03-04 10:00"]
    assert days(found, berlin(2026, 3, 4, 11), berlin(2026, 3, 5, 10)) == []
    assert days(found, berlin(2026, 3, 4, 11), berlin(2026, 3, 5, 10, 1)) == ["03-05 10:00"]
    assert days(found, berlin(2026, 3, 5), berlin(2026, 3, 5)) == []


def test_what_has_no_length_is_there_when_it_starts_there() -> None:
    found = event(end="")
    assert days(found, berlin(2026, 3, 2, 10), berlin(2026, 3, 2, 11)) == ["03-02 10:00"]
    assert days(found, berlin(2026, 3, 2, 9), berlin(2026, 3, 2, 10)) == []


def test_exceptions_are_where_they_are() -> None:
    later = ("DTSTART;TZID=Europe/Berlin:20260310T150000", "DTEND;TZID=Europe/Berlin:20260310T160000")
    found = read_event(
        text(
            "RRULE:FREQ=WEEKLY;COUNT=4",
            "EXDATE;TZID=Europe/Berlin:20260316T100000",
            "RDATE;TZID=Europe/Berlin:20260312T100000",
            more=changed("20260309T100000", *later, "SUMMARY:later"),
        ),
        "",
    )
    listed = list(instances(found, berlin(2026, 3, 1), berlin(2026, 4, 1)))
    assert [f"{one.start:%d %H}" for one in listed] == ["02 10", "10 15", "12 10", "23 10"]
    assert [one.original.day for one in listed] == [2, 9, 12, 23]
    assert [one.event.subject for one in listed] == ["", "later", "", ""]
    # Moved out of a window, and into it.
    assert days(found, berlin(2026, 3, 9), berlin(2026, 3, 10)) == []
    assert days(found, berlin(2026, 3, 10), berlin(2026, 3, 11)) == ["03-10 15:00"]


def test_dates_alone_begin_with_the_start() -> None:
    found = event("RDATE;TZID=Europe/Berlin:20260305T100000,20260303T100000")
    assert days(found, NOW, NOW + 30 * DAY) == ["03-02 10:00", "03-03 10:00", "03-05 10:00"]


def test_whole_days_last_whole_days() -> None:
    found = event(
        "RRULE:FREQ=MONTHLY;COUNT=2", start="DTSTART;VALUE=DATE:20260228", end="DTEND;VALUE=DATE:20260302"
    )
    shown = [(one.start.day, one.end.day) for one in instances(found, NOW - 9 * DAY, NOW + 90 * DAY)]
    assert shown == [(28, 2), (28, 30)]


def test_the_31st_of_phones_is_the_last_day() -> None:
    found = event("RRULE:FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1")
    shown = [one.day for one in islice(starts(found), 4)]
    assert shown == [31, 30, 31, 30]


def test_the_29th_of_february() -> None:
    born = {"start": "DTSTART;VALUE=DATE:20240229", "end": ""}
    leap = event("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", **born)
    assert [one.year for one in islice(starts(leap), 3)] == [2024, 2028, 2032]
    every = event("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1", **born)
    assert [one.day for one in islice(starts(every), 5)] == [29, 28, 28, 28, 29]


def test_another_calendar_is_taken_for_ours() -> None:
    found = event("RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=14;SKIP=BACKWARD;COUNT=3")
    assert [f"{one:%Y-%m-%d}" for one in starts(found)] == ["2026-03-02", "2027-03-02", "2028-03-02"]


@settings(max_examples=120, deadline=None)
@given(recurrences, st.integers(0, 4000))
def test_the_rules_of_phones_are_expanded_as_everybody_does(recurrence: object, after: int) -> None:
    """Also from a time in the middle, where our own way goes another way than dateutil's."""
    rule = write_rule(recurrence)  # type: ignore[arg-type]
    ours = read_expandable(rule, START.replace(tzinfo=UTC))
    assert ours
    begin = START + timedelta(days=after)
    theirs = rrulestr(rule, dtstart=START.replace(tzinfo=UTC), ignoretz=False)
    expected = islice(theirs.xafter(begin.replace(tzinfo=UTC), inc=True), 5)
    in_reach = [one.replace(tzinfo=None) for one in expected if one.year < 4500]
    assert list(islice(ours.times(begin, Work(10**6)), len(in_reach))) == in_reach


rules = st.builds(
    lambda freq, interval, parts, days: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *parts, *days]),
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]),
    st.integers(1, 5),
    st.lists(
        st.sampled_from(
            [
                "BYMONTH=3,11",
                "BYMONTHDAY=1,-1,15",
                "BYHOUR=0,10,23",
                "BYMINUTE=0,30",
                "BYDAY=MO,WE",
                "BYDAY=SU",
            ]
        ),
        max_size=2,
        unique_by=lambda part: part.partition("=")[0],
    ),
    st.sampled_from([[], ["WKST=SU"]]),
)


yearly = st.sampled_from(
    [
        "FREQ=YEARLY;BYWEEKNO=1,20,-1;BYDAY=MO,SU",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH;WKST=SU",
        "FREQ=YEARLY;BYYEARDAY=1,100,-1",
        "FREQ=YEARLY;BYDAY=1MO,-2FR,20WE",
        "FREQ=YEARLY;BYMONTH=1,2;BYDAY=-1SU,2TU;BYHOUR=9,17",
        "FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYDAY=1MO,-1FR;INTERVAL=2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1,7",
        "FREQ=MONTHLY;BYMONTHDAY=1,2;BYHOUR=6,18;BYSETPOS=2,-1",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO",
        "FREQ=DAILY;BYHOUR=8,12;BYMINUTE=0,15;BYSETPOS=-1",
        "FREQ=HOURLY;BYMINUTE=5,50;BYHOUR=3",
        "FREQ=MINUTELY;BYSECOND=0,30;INTERVAL=11",
        "FREQ=SECONDLY;INTERVAL=3601",
        "FREQ=SECONDLY;BYHOUR=4;BYMINUTE=59;BYSECOND=58,59",
    ]
)


@settings(max_examples=200, deadline=None)
@given(rules | yearly)
def test_rules_of_other_programs_are_expanded_as_everybody_does(rule: str) -> None:
    ours = read_expandable(rule, START.replace(tzinfo=UTC))
    assert ours
    wanted = list(islice(rrulestr(rule, dtstart=START), 25))
    assert list(islice(ours.times(START, Work(10**6)), len(wanted))) == wanted
    if wanted:
        middle = wanted[len(wanted) // 2]
        later = [one for one in wanted if one >= middle]
        assert list(islice(ours.times(middle, Work(10**6)), len(later))) == later


BOMBS = [
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;COUNT=1000000000",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;BYHOUR=3;BYMONTH=1",
    "FREQ=SECONDLY;INTERVAL=7;BYSECOND=59;BYMINUTE=59;BYHOUR=23;BYMONTHDAY=31;BYMONTH=12",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MINUTELY;INTERVAL=1440;BYHOUR=3",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;COUNT=1000000000",
    "FREQ=DAILY;UNTIL=99991231T235959Z",
    "FREQ=DAILY;INTERVAL=99999",
    "FREQ=WEEKLY;BYDAY=MO;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6",
    "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=YEARLY;INTERVAL=99999",
    "FREQ=YEARLY;BYMONTH=" + ",".join(str(one) for one in range(1, 13)) + ";BYDAY=MO,TU,WE,TH,FR,SA,SU",
    "FREQ=DAILY;BYHOUR="
    + ",".join(str(one) for one in range(24))
    + ";BYMINUTE="
    + ",".join(str(one) for one in range(60)),
    "FREQ=DAILY;BYHOUR="
    + ",".join(str(one) for one in range(24))
    + ";BYMINUTE="
    + ",".join(str(one) for one in range(60))
    + ";BYSECOND="
    + ",".join(str(one) for one in range(60)),
    "FREQ=YEARLY;BYSETPOS=" + ",".join(str(one) for one in range(-366, 367)) + ";BYDAY=MO,TU,WE,TH,FR,SA,SU",
    "FREQ=DAILY;BYMONTHDAY=" + ",".join(["30"] * 100_000),
]


@pytest.mark.parametrize("rule", BOMBS)
def test_no_rule_costs_much(rule: str) -> None:
    found = event(f"RRULE:{rule}", start="DTSTART;TZID=Europe/Berlin:20000101T100000", end="")
    began = time.process_time()
    has_occurrences(found)
    bounds_of(found)
    list(islice(instances(found, berlin(2026, 3, 1), berlin(2026, 5, 1)), 10**6))
    original_of(found, berlin(2026, 3, 4, 10))
    assert time.process_time() - began < 2.5


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;UNTIL=20260301",
        "FREQ=DAILY;UNTIL=x",
        "FREQ=DAILY;COUNT=x",
        "FREQ=FORTNIGHTLY",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYDAY=XX",
        "nonsense",
    ],
)
def test_rules_that_never_come_to_anything(rule: str) -> None:
    found = event(f"RRULE:{rule}")
    assert not has_occurrences(found)
    assert list(instances(found, NOW, NOW + 30 * DAY)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=1;BYMONTHDAY=31;BYDAY=SU",
        "FREQ=SECONDLY",
    ],
)
def test_rules_that_rarely_come_to_something(rule: str) -> None:
    assert has_occurrences(event(f"RRULE:{rule}"))


def test_many_dates_cost_little() -> None:
    gone = ",".join(f"{START + number * DAY:%Y%m%dT%H%M%S}" for number in range(10_000))
    began = time.process_time()
    found = event(f"EXDATE;TZID=Europe/Berlin:{gone}", "RRULE:FREQ=DAILY")
    assert len(found.occurrences) == 10_000
    assert days(found, berlin(2053, 7, 17), berlin(2053, 7, 19, 12)) == ["07-18 10:00", "07-19 10:00"]
    assert time.process_time() - began < 2


def test_events_share_what_they_may_cost() -> None:
    found = event("RRULE:FREQ=SECONDLY", end="")
    work = Work(5000)
    first = list(instances(found, berlin(2026, 3, 2), berlin(2026, 3, 3), work))
    assert 1000 < len(first) < 5000
    assert list(instances(found, berlin(2026, 3, 2), berlin(2026, 3, 3), work)) == []


def test_too_much_work_is_told() -> None:
    found = event("RRULE:FREQ=DAILY")
    with pytest.raises(WorkDone):
        list(starts(found))


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ((), berlin(2026, 3, 2, 11)),
        (("RRULE:FREQ=DAILY",), None),
        (("RRULE:FREQ=DAILY;COUNT=3",), berlin(2026, 3, 4, 11)),
        (("RRULE:FREQ=DAILY;COUNT=1000000000",), None),
        (("RRULE:FREQ=DAILY;UNTIL=20260310T090000Z",), berlin(2026, 3, 10, 11)),
        (("RRULE:FREQ=DAILY;UNTIL=20260310T085959Z",), berlin(2026, 3, 9, 11)),
        (("RRULE:FREQ=YEARLY;UNTIL=20300401",), berlin(2030, 3, 2, 11)),
        (("RRULE:FREQ=DAILY;UNTIL=44990101T000000Z",), berlin(4498, 12, 31, 11)),
        (("RRULE:FREQ=DAILY;UNTIL=99991231",), None),
        (("RDATE;TZID=Europe/Berlin:20260401T100000",), berlin(2026, 4, 1, 11)),
        (("RRULE:FREQ=DAILY;COUNT=3", "RDATE;TZID=Europe/Berlin:20260401T100000"), berlin(2026, 4, 1, 11)),
        (("RRULE:nonsense",), berlin(2026, 3, 2, 11)),
    ],
)
def test_bounds(lines: tuple[str, ...], last: datetime | None) -> None:
    assert bounds_of(event(*lines)) == (berlin(2026, 3, 2, 10), last)


def test_exceptions_move_the_bounds() -> None:
    early = changed("20260303T100000", "DTSTART:20260110T080000Z", "DTEND:20260110T090000Z")
    late = changed("20260304T100000", "DTSTART:20271010T080000Z", "DTEND:20271010T090000Z")
    found = read_event(text("RRULE:FREQ=DAILY;COUNT=5", more=(*early, *late)), "")
    assert bounds_of(found) == (datetime(2026, 1, 10, 8, tzinfo=UTC), datetime(2027, 10, 10, 9, tzinfo=UTC))


def test_the_occurrence_somebody_means() -> None:
    found = event("RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20260316T100000")
    wanted = berlin(2026, 3, 9, 10)
    assert original_of(found, wanted) == wanted
    # A device that is an hour off, or knows the day alone.
    assert original_of(found, wanted + HOUR) == wanted
    assert original_of(found, berlin(2026, 3, 9)) == wanted
    assert original_of(found, wanted + DAY) is None
    assert original_of(found, berlin(2026, 3, 16, 10)) == berlin(2026, 3, 16, 10)
    hourly = event("RRULE:FREQ=HOURLY", end="")
    assert original_of(hourly, berlin(2026, 3, 9, 7)) == berlin(2026, 3, 9, 7)
    assert original_of(hourly, berlin(2026, 3, 9, 7, 30)) is None


@pytest.mark.parametrize(
    "rule", ["RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;COUNT=20", "RRULE:FREQ=HOURLY;COUNT=300", "X-NONE:"]
)
def test_several_that_somebody_means_are_those_each_by_itself(rule: str) -> None:
    dates = "RDATE;TZID=Europe/Berlin:20260311T230000"
    found = event(rule, "EXDATE;TZID=Europe/Berlin:20260316T100000", dates, end="")
    moments = [berlin(2026, 3, day, hour) for day in range(1, 32) for hour in (0, 9, 10, 23)]
    moments += [one.astimezone(UTC) + timedelta(minutes=30) for one in moments]
    assert list(originals_of(found, moments)) == [original_of(found, one) for one in moments]
    assert list(originals_of(found, [])) == []


def test_very_many_that_somebody_means_are_looked_for_once() -> None:
    found = event("RRULE:FREQ=DAILY;COUNT=5000", end="")
    moments = [berlin(2026, 3, 2, 10) + number * DAY for number in range(5000)]
    began = time.process_time()
    assert list(originals_of(found, moments)) == moments
    assert time.process_time() - began < 2.5


@given(st.text("FREQ=DAILYWKMONTHBYSETPOSUNTILCOUNT;,0123456789-+ZT", max_size=60))
@settings(deadline=None)
def test_any_rule_is_expanded_or_is_none(rule: str) -> None:
    for whole in (rule, f"FREQ=WEEKLY;{rule}"):
        found = read_expandable(whole, START.replace(tzinfo=BERLIN))
        if found:
            try:
                shown = list(islice(found.times(START, Work(3000)), 20))
            except WorkDone:
                continue
            assert all(before < after for before, after in pairwise(shown))
