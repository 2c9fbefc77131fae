"""Rules as iCalendar writes them and as phones know them."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.recurrence import (
    ALL_DAYS,
    Pattern,
    Recurrence,
    read_rule,
    with_calendar_type,
    write_rule,
)

START = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Europe/Berlin"))
"""The first Monday of a month."""


@pytest.mark.parametrize(
    ("rule", "recurrence"),
    [
        ("FREQ=DAILY", Recurrence(Pattern.DAILY)),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", Recurrence(Pattern.DAILY, 3, 5)),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", Recurrence(Pattern.WEEKLY, days=62)),
        ("freq=weekly", Recurrence(Pattern.WEEKLY, days=2)),
        ("FREQ=WEEKLY;BYDAY=SU,SA;WKST=SU", Recurrence(Pattern.WEEKLY, days=65, first_day=0)),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE", Recurrence(Pattern.WEEKLY, 2, days=8)),
        ("FREQ=MONTHLY", Recurrence(Pattern.MONTHLY, day_of_month=2)),
        ("FREQ=MONTHLY;BYMONTHDAY=15", Recurrence(Pattern.MONTHLY, day_of_month=15)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", Recurrence(Pattern.MONTHLY, day_of_month=31)),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", Recurrence(Pattern.MONTHLY, day_of_month=30)),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", Recurrence(Pattern.MONTHLY_NTH, days=ALL_DAYS, week=5)),
        ("FREQ=MONTHLY;BYDAY=2TU", Recurrence(Pattern.MONTHLY_NTH, days=4, week=2)),
        ("FREQ=MONTHLY;BYDAY=+2TU", Recurrence(Pattern.MONTHLY_NTH, days=4, week=2)),
        ("FREQ=MONTHLY;BYDAY=-1FR", Recurrence(Pattern.MONTHLY_NTH, days=32, week=5)),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", Recurrence(Pattern.MONTHLY_NTH, days=4, week=2)),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", Recurrence(Pattern.MONTHLY_NTH, days=62, week=5)),
        ("FREQ=YEARLY", Recurrence(Pattern.YEARLY, day_of_month=2, month=3)),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
            Recurrence(Pattern.YEARLY, day_of_month=29, month=2),
        ),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", Recurrence(Pattern.YEARLY_NTH, days=16, week=4, month=11)),
        (
            "FREQ=DAILY;UNTIL=20260401T120000Z",
            Recurrence(Pattern.DAILY, until=datetime(2026, 4, 1, 12, tzinfo=UTC)),
        ),
        ("FREQ=DAILY;UNTIL=20260401", Recurrence(Pattern.DAILY, until=datetime(2026, 4, 1, 8, tzinfo=UTC))),
        (
            "FREQ=DAILY;UNTIL=20260401T100000",
            Recurrence(Pattern.DAILY, until=datetime(2026, 4, 1, 8, tzinfo=UTC)),
        ),
        ("FREQ=DAILY;UNTIL=99991231T235959", Recurrence(Pattern.DAILY)),
        ("FREQ=DAILY;COUNT=5000", Recurrence(Pattern.DAILY, occurrences=999)),
        ("FREQ=DAILY;COUNT=5;UNTIL=20260401", Recurrence(Pattern.DAILY, occurrences=5)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0;BYSECOND=0", Recurrence(Pattern.WEEKLY, days=2)),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=9", Recurrence(Pattern.MONTHLY, day_of_month=9)),
        (
            "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=14;SKIP=BACKWARD",
            Recurrence(Pattern.YEARLY, day_of_month=14, month=5, calendar_type=8, leap_month=True),
        ),
        (
            "RSCALE=CHINESE;FREQ=MONTHLY;BYMONTHDAY=30",
            Recurrence(Pattern.MONTHLY, day_of_month=30, calendar_type=15),
        ),
        (
            "RSCALE=ISLAMIC-CIVIL;FREQ=YEARLY;BYMONTH=9;BYDAY=1FR;SKIP=BACKWARD",
            Recurrence(Pattern.YEARLY_NTH, days=32, week=1, month=9, calendar_type=6),
        ),
    ],
)
def test_what_phones_can_be_told(rule: str, recurrence: Recurrence) -> None:
    assert read_rule(rule, START) == recurrence


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=SOMETIMES",
        "FREQ=SECONDLY",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;UNTIL=x",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=DAILY;BYHOUR=8,12",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYDAY=-2MO",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=1MO,3MO",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,2",
        "FREQ=YEARLY;BYMONTH=3,9",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=YEARLY;BYWEEKNO=20",
        "RSCALE=CHINESE;FREQ=YEARLY",
        "RSCALE=CHINESE;FREQ=YEARLY;BYMONTH=1",
        "RSCALE=CHINESE;FREQ=YEARLY;BYMONTH=14;BYMONTHDAY=1",
        "RSCALE=CHINESE;FREQ=WEEKLY;BYDAY=MO",
        "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1",
        "RSCALE=GREGORIAN;FREQ=YEARLY;BYYEARDAY=100",
    ],
)
def test_what_phones_cannot_be_told(rule: str) -> None:
    assert read_rule(rule, START) is None


weeks, days = st.integers(1, 5), st.integers(1, 126)
patterns = st.one_of(
    st.just(Recurrence(Pattern.DAILY)),
    days.map(lambda mask: Recurrence(Pattern.WEEKLY, days=mask)),
    st.integers(1, 31).map(lambda day: Recurrence(Pattern.MONTHLY, day_of_month=day)),
    st.builds(lambda mask, week: Recurrence(Pattern.MONTHLY_NTH, days=mask, week=week), days, weeks),
    st.just(Recurrence(Pattern.MONTHLY_NTH, days=ALL_DAYS, week=5)),
    st.builds(
        lambda day, month: Recurrence(Pattern.YEARLY, day_of_month=day, month=month),
        st.integers(1, 31),
        st.integers(1, 12),
    ),
    st.builds(
        lambda mask, week, month: Recurrence(Pattern.YEARLY_NTH, days=mask, week=week, month=month),
        days,
        weeks,
        st.integers(1, 12),
    ),
)
ends = st.one_of(
    st.just((None, None)),
    st.integers(1, 999).map(lambda count: (count, None)),
    st.integers(0, 10**6).map(lambda hours: (None, datetime.fromtimestamp(hours * 3600 + 1772443800, UTC))),
)
recurrences = st.builds(
    lambda base, interval, end, first: Recurrence(
        base.pattern, interval, end[0], end[1], base.days, base.day_of_month, base.week, base.month, first
    ),
    patterns,
    st.integers(1, 999),
    ends,
    st.integers(0, 6),
)
by_other_calendars = st.builds(
    lambda base, kind, leap: replace(base, calendar_type=kind, leap_month=leap and base.month is not None),
    recurrences.filter(lambda one: one.pattern not in {Pattern.DAILY, Pattern.WEEKLY}),
    st.sampled_from([6, 8, 14, 15, 20]),
    st.booleans(),
)


@given(recurrences)
def test_what_is_written_is_read(recurrence: Recurrence) -> None:
    assert read_rule(write_rule(recurrence), START) == recurrence


@given(by_other_calendars)
def test_what_is_written_by_another_calendar_is_read(recurrence: Recurrence) -> None:
    found = read_rule(write_rule(recurrence), START)
    assert found
    assert with_calendar_type(found, recurrence.calendar_type) == recurrence


@pytest.mark.parametrize(
    ("rule", "noted", "calendar_type"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=9", 3, 3),
        ("FREQ=MONTHLY;BYMONTHDAY=9", 8, 0),
        ("FREQ=MONTHLY;BYMONTHDAY=9", 13, 0),
        ("RSCALE=CHINESE;FREQ=MONTHLY;BYMONTHDAY=9", 14, 14),
        ("RSCALE=CHINESE;FREQ=MONTHLY;BYMONTHDAY=9", 1, 15),
    ],
)
def test_a_calendar_noted_beside_a_rule_counts_where_it_fits(
    rule: str, noted: int, calendar_type: int
) -> None:
    found = read_rule(rule, START)
    assert found
    assert with_calendar_type(found, noted).calendar_type == calendar_type


@settings(max_examples=60, deadline=None)
@given(patterns, st.integers(1, 4))
def test_others_take_what_we_write_as_phones_take_it(base: Recurrence, interval: int) -> None:
    """A phone shows the last day of a month where the day it has to be is missing."""
    recurrence = Recurrence(
        base.pattern, interval, 8, None, base.days, base.day_of_month, base.week, base.month
    )
    found = list(rrulestr(write_rule(recurrence), dtstart=datetime(2026, 1, 1, 10)))  # noqa: DTZ001 - clock times
    assert len(found) == 8
    for moment in found:
        weekday = 1 << (moment.weekday() + 1) % 7
        assert not recurrence.days or weekday & recurrence.days
        assert not recurrence.month or moment.month == recurrence.month
        if recurrence.day_of_month:
            longest = calendar.monthrange(moment.year, moment.month)[1]
            assert moment.day == min(recurrence.day_of_month, longest)


def test_dates_end_at_dates() -> None:
    recurrence = Recurrence(Pattern.DAILY, until=datetime(2026, 4, 1, tzinfo=UTC))
    assert write_rule(recurrence, dated=True) == "FREQ=DAILY;UNTIL=20260401"
    assert write_rule(recurrence) == "FREQ=DAILY;UNTIL=20260401T000000Z"


def test_days_of_a_daily_pattern_make_it_weekly() -> None:
    """MS-ASCAL 2.2.2.45: bound to weekdays where they are given."""
    assert write_rule(Recurrence(Pattern.DAILY, days=62)) == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


@given(st.text("FREQ=DAILYWKMONTHBYSETPOSUNTIL;,0123456789-+Z", max_size=80))
def test_any_text_is_a_rule_or_none(text: str) -> None:
    for rule in (text, f"FREQ=MONTHLY;{text}"):
        found = read_rule(rule, START)
        assert found is None or write_rule(found)
