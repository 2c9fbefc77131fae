"""What a phone makes of a series by the time zone we tell it, against when the series really is.

The phone's side is computed here by itself, as phones do: they know the start in UTC, the 172 octets, and the
pattern. The zones and years that the octets cannot tell are listed beside the tests of `timezones`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import instances
from gateway.pim.events.model import Event, EventPatch
from gateway.pim.recurrence import ALL_DAYS, Pattern, Recurrence
from gateway.pim.timezones import pack, rules_at, unpack, zone_for
from tests.pim.events.made import ANN, DAY, HOUR, NOW
from tests.pim.test_recurrence import patterns
from tests.pim.timezones.test_changes import NOT_FOR_A_YEAR, ZONES, PhoneZone, is_told_once, quarter_hours
from tests.support.events import new_event

YEAR = 350 * DAY
"""For how long the rules of the start are right at least: a weekday of a month has another date each year."""


def phone_days(pattern: Recurrence, first: date) -> Iterator[date]:
    """The days of a series in the year after its first, as MS-ASCAL describes the patterns."""
    week = first - (first.weekday() + 1 - pattern.first_day) % 7 * DAY
    for number in range(YEAR // DAY):
        day = first + number * DAY
        months = (day.year - first.year) * 12 + day.month - first.month
        on_weekday = bool(pattern.days & 1 << (day.weekday() + 1) % 7)
        match pattern.pattern:
            case Pattern.DAILY:
                fits = number % pattern.interval == 0
            case Pattern.WEEKLY:
                fits = on_weekday and (day - week).days // 7 % pattern.interval == 0
            case Pattern.MONTHLY | Pattern.MONTHLY_NTH:
                fits = months % pattern.interval == 0 and in_month(pattern, day)
            case _:
                years = day.year - first.year
                fits = years % pattern.interval == 0 and day.month == pattern.month and in_month(pattern, day)
        if fits:
            yield day


def in_month(pattern: Recurrence, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if pattern.day_of_month:
        return day.day == min(pattern.day_of_month, length)
    fitting = [
        one
        for one in range(1, length + 1)
        if pattern.days & 1 << (calendar.weekday(day.year, day.month, one) + 1) % 7
    ]
    week = pattern.week or 1
    if week == 5:
        return day.day == fitting[-1]
    return len(fitting) >= week and day.day == fitting[week - 1]


def phone_times(found: Event, blob: str, pattern: Recurrence, zone: tzinfo) -> list[datetime]:
    """When a phone shows the series, but for clock times that are not there, or twice."""
    phone = PhoneZone(blob)
    begin = found.start.astimezone(UTC)
    local = phone.local(begin)
    times = [datetime.combine(day, local.time()) for day in phone_days(pattern, local.date())]
    return [phone.utc(one) for one in times if is_told_once(one, zone)]


def our_times(found: Event, zone: tzinfo) -> list[datetime]:
    clocks = [
        (one.start, one.start.replace(tzinfo=None))
        for one in instances(found, found.start, found.start + YEAR)
    ]
    return [start.astimezone(UTC) for start, clock in clocks if is_told_once(clock, zone)]


series = st.builds(
    lambda base, interval, first: Recurrence(
        base.pattern, interval, None, None, base.days, base.day_of_month, base.week, base.month, first
    ),
    patterns,
    st.integers(1, 3),
    st.integers(0, 6),
)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([*ZONES, "Etc/UTC"]), series, quarter_hours)
def test_a_phone_shows_a_series_of_any_zone_when_it_is(
    name: str, pattern: Recurrence, start: datetime
) -> None:
    assume(start.year not in NOT_FOR_A_YEAR.get(name, ()))
    zone = ZoneInfo(name)
    local = start.astimezone(zone)
    assume(is_told_once(local.replace(tzinfo=None), zone))
    made = new_event(EventPatch(start=local, end=local + HOUR, recurrence=pattern), "u", ANN, NOW)
    found = read_event(made, ANN)
    blob = pack(rules_at(found.zone, found.start.astimezone(UTC)))
    assert our_times(found, zone) == phone_times(found, blob, pattern, zone)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*ZONES, "Etc/UTC"]), series, quarter_hours)
def test_a_series_of_a_phone_is_when_the_phone_shows_it(
    name: str, pattern: Recurrence, start: datetime
) -> None:
    """The zone is told by the octets alone: what we take it for has the same clocks."""
    assume(start.year not in NOT_FOR_A_YEAR.get(name, ()))
    zone = ZoneInfo(name)
    blob = pack(rules_at(zone, start))
    ours = zone_for(unpack(blob), start)
    local = start.astimezone(ours)
    assume(is_told_once(local.replace(tzinfo=None), zone) and is_told_once(local.replace(tzinfo=None), ours))
    made = new_event(EventPatch(start=local, end=local, recurrence=pattern, blob=blob), "u", ANN, NOW)
    found = read_event(made, ANN)
    assert found.blob == blob
    shown = phone_times(found, blob, pattern, zone)
    told_once = [
        one for one in our_times(found, ours) if is_told_once(one.astimezone(zone).replace(tzinfo=None), zone)
    ]
    assert told_once == [
        one for one in shown if is_told_once(one.astimezone(ours).replace(tzinfo=None), ours)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berlin",
        "Europe/Dublin",
        "America/St_Johns",
        "America/Havana",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Asia/Tehran",
        "Asia/Beirut",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Pacific/Apia",
        "America/Asuncion",
        "Antarctica/Troll",
    ],
)
@pytest.mark.parametrize(
    "pattern", [Recurrence(Pattern.DAILY), Recurrence(Pattern.MONTHLY_NTH, days=ALL_DAYS, week=5)]
)
def test_special_zones_day_by_day(name: str, pattern: Recurrence) -> None:
    """Half hours and quarters, the south, negative daylight time, midnights, two hours at once, Ramadan."""
    zone = ZoneInfo(name)
    for month in (1, 4, 7, 10):
        local = datetime(2026, month, 12, 9, 40, tzinfo=zone)
        made = new_event(EventPatch(start=local, end=local + HOUR, recurrence=pattern), "u", ANN, NOW)
        found = read_event(made, ANN)
        blob = pack(rules_at(found.zone, found.start.astimezone(UTC)))
        assert our_times(found, zone) == phone_times(found, blob, pattern, zone)
