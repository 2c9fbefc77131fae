"""What a phone makes of our time zones, computed as a phone does, against what the zones really do."""

from __future__ import annotations

import base64
import calendar
import struct
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.timezones import RuleZone, ZoneRules, pack, rules_at
from gateway.pim.timezones.changes import changes
from gateway.pim.timezones.names import zone_names

ZONES = sorted(zone_names())
NOT_FOR_A_YEAR = {
    # More than two changes within a year.
    "Africa/Casablanca": range(2012, 2019),
    "Africa/El_Aaiun": range(2012, 2019),
    "America/Araguaina": range(2012, 2014),
    "America/Coyhaique": range(2014, 2020),
    "America/Santiago": range(2014, 2020),
    "America/Punta_Arenas": range(2014, 2020),
    "Pacific/Easter": range(2014, 2020),
    "Antarctica/Palmer": range(2014, 2020),
    "Antarctica/Casey": range(2012, 2024),
    "Asia/Choibalsan": range(2014, 2018),
    "Asia/Ulaanbaatar": range(2014, 2018),
    "Asia/Ulan_Bator": range(2014, 2018),
    "Asia/Hovd": range(2014, 2018),
    "Asia/Gaza": range(2012, 2040),
    "Asia/Hebron": range(2012, 2040),
    "Africa/Cairo": range(2012, 2016),
    "America/Port-au-Prince": range(2015, 2018),
}
"""Starts for which the structure, with its two changes a year, cannot tell the year that follows."""
NOT_FOR_TEN_YEARS = {
    # By the moon.
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Asia/Gaza",
    "Asia/Hebron",
    # On the day before a Sunday that is counted: its own number in the month varies.
    "America/Godthab",
    "America/Nuuk",
    "America/Scoresbysund",
    "Asia/Jerusalem",
    "Asia/Tel_Aviv",
}
"""Zones of today whose rules no pair of weekdays tells for good."""


class PhoneZone:
    """A time zone structure as devices use it: two dates of each year, compared with a local time."""

    def __init__(self, text: str) -> None:
        octets = base64.b64decode(text)
        bias, _, standard, standard_bias, _, daylight, daylight_bias = struct.unpack(
            "<i64s16si64s16si", octets
        )
        self._biases = bias + standard_bias, bias + daylight_bias
        self._dates = [struct.unpack("<8H", date) for date in (standard, daylight)]

    def utc(self, local: datetime) -> datetime:
        standard_bias, daylight_bias = self._biases
        bias = standard_bias
        if all(date[1] for date in self._dates):
            to_standard, to_daylight = (self._date(date, local.year) for date in self._dates)
            if to_daylight < to_standard:
                summer = to_daylight <= local < to_standard
            else:
                summer = not to_standard <= local < to_daylight
            bias = daylight_bias if summer else standard_bias
        return (local + timedelta(minutes=bias)).replace(tzinfo=UTC)

    def local(self, instant: datetime) -> datetime:
        """The clock time of an instant: the one that is it."""
        for bias in self._biases:
            local = instant.replace(tzinfo=None) - timedelta(minutes=bias)
            if self.utc(local) == instant:
                return local
        raise AssertionError("no clock shows it")

    def _date(self, date: tuple[int, ...], year: int) -> datetime:
        _, month, weekday, week, hour, minute, second, millisecond = date
        days = [
            day
            for day in range(1, calendar.monthrange(year, month)[1] + 1)
            if (calendar.weekday(year, month, day) + 1) % 7 == weekday
        ]
        return datetime(  # noqa: DTZ001 - a clock time
            year, month, (days[-1] if week == 5 else days[week - 1]), hour, minute, second, millisecond * 1000
        )


def is_told_once(local: datetime, zone: tzinfo) -> bool:
    """Whether a clock time exists, and once only: of others every device thinks for itself."""
    there = local.replace(tzinfo=zone)
    back = there.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return back == local and there.utcoffset() == there.replace(fold=1).utcoffset()


def wrong_weeks(zone: ZoneInfo, start: datetime, weeks: int) -> list[int]:
    """Which occurrences of a weekly series the phone would show at another time."""
    phone = PhoneZone(pack(rules_at(zone, start)))
    first = start.astimezone(zone).replace(tzinfo=None)
    wrong = []
    for week in range(weeks):
        local = first + timedelta(weeks=week)
        is_right = phone.utc(local) == local.replace(tzinfo=zone).astimezone(UTC)
        if not is_right and is_told_once(local, zone):
            wrong.append(week)
    return wrong


quarter_hours = st.integers(0, 28 * 365 * 96 - 1).map(
    lambda quarters: datetime(2012, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), quarter_hours, st.integers(0, 49))
def test_a_series_of_any_zone_is_right_for_the_year_that_follows(
    name: str, start: datetime, weeks: int
) -> None:
    if start.year not in NOT_FOR_A_YEAR.get(name, ()):
        assert wrong_weeks(ZoneInfo(name), start, weeks + 1) == []


@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 11, 20, 18, tzinfo=UTC)]
)
def test_a_series_of_every_zone_is_right_for_the_year_that_follows(start: datetime) -> None:
    wrong = [name for name in ZONES if wrong_weeks(ZoneInfo(name), start, 50)]
    assert [name for name in wrong if start.year not in NOT_FOR_A_YEAR.get(name, ())] == []


def test_a_series_of_a_zone_with_steady_rules_is_right_for_years() -> None:
    start = datetime(2027, 1, 11, 12, 30, tzinfo=UTC)
    wrong = {name for name in ZONES[::3] if wrong_weeks(ZoneInfo(name), start, 520)}
    assert wrong <= NOT_FOR_TEN_YEARS


def test_the_zones_listed_as_beyond_the_format_are_so() -> None:
    starts = [datetime(year, 1, 11, 12, 30, tzinfo=UTC) for year in range(2026, 2036)]
    for name in NOT_FOR_TEN_YEARS:
        assert any(wrong_weeks(ZoneInfo(name), start, 520) for start in starts), name


@pytest.mark.parametrize(
    ("name", "standard", "daylight", "to_standard", "to_daylight"),
    [
        ("Europe/Berlin", 60, 120, "last Sunday 10 3:00", "last Sunday 3 2:00"),
        ("Europe/Dublin", 0, 60, "last Sunday 10 2:00", "last Sunday 3 1:00"),
        ("America/New_York", -300, -240, "first Sunday 11 2:00", "second Sunday 3 2:00"),
        ("Australia/Sydney", 600, 660, "first Sunday 4 3:00", "first Sunday 10 2:00"),
        ("Australia/Lord_Howe", 630, 660, "first Sunday 4 2:00", "first Sunday 10 2:00"),
        ("America/St_Johns", -210, -150, "first Sunday 11 2:00", "second Sunday 3 2:00"),
        ("Pacific/Chatham", 765, 825, "first Sunday 4 3:45", "last Sunday 9 2:45"),
        ("Africa/Casablanca", 0, 60, "first Sunday 2 3:00", "fourth Sunday 3 2:00"),
        ("Africa/Cairo", 120, 180, "last Thursday 10 23:59:59.999000", "last Friday 4 0:00"),
        ("Asia/Kathmandu", 345, 345, "", ""),
        ("Asia/Kolkata", 330, 330, "", ""),
        ("Etc/UTC", 0, 0, "", ""),
    ],
)
def test_rules(name: str, standard: int, daylight: int, to_standard: str, to_daylight: str) -> None:
    rules = rules_at(ZoneInfo(name), datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert (rules.standard, rules.daylight) == (standard, daylight)
    assert (described(rules, "standard"), described(rules, "daylight")) == (to_standard, to_daylight)


def described(rules: ZoneRules, which: str) -> str:
    onset = rules.standard_onset if which == "standard" else rules.daylight_onset
    if onset is None:
        return ""
    week = ("first", "second", "third", "fourth", "last")[onset.week - 1]
    weekday = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")[onset.weekday]
    return f"{week} {weekday} {onset.month} {str(onset.time).removesuffix(':00')}"


def test_the_rules_are_those_of_their_time() -> None:
    moscow = ZoneInfo("Europe/Moscow")
    assert rules_at(moscow, datetime(2008, 6, 1, tzinfo=UTC)).daylight == 240
    assert rules_at(moscow, datetime(2012, 6, 1, tzinfo=UTC)) == ZoneRules.fixed(240)
    assert rules_at(moscow, datetime(2020, 6, 1, tzinfo=UTC)) == ZoneRules.fixed(180)
    new_york = ZoneInfo("America/New_York")
    before, after = (rules_at(new_york, datetime(year, 6, 1, tzinfo=UTC)) for year in (2005, 2008))
    assert before.daylight_onset
    assert after.daylight_onset
    assert (before.daylight_onset.month, after.daylight_onset.month) == (4, 3)


def test_a_change_for_good_is_told_to_a_series_that_begins_before() -> None:
    """Kazakhstan went from UTC+6 to UTC+5 on 1 March 2024."""
    almaty = ZoneInfo("Asia/Almaty")
    start = datetime(2023, 10, 2, 4, tzinfo=UTC)
    phone = PhoneZone(pack(rules_at(almaty, start)))
    first = datetime(2023, 10, 2, 10)  # noqa: DTZ001 - a clock time
    assert phone.utc(first) == start
    assert phone.utc(first + timedelta(weeks=26)).hour == 5


def test_changes_are_found_to_the_second() -> None:
    assert [(one.at, one.local) for one in changes(ZoneInfo("Europe/Berlin"), 2026)] == [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 2)),  # noqa: DTZ001 - a clock time
        (datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 25, 3)),  # noqa: DTZ001 - a clock time
    ]
    assert changes(ZoneInfo("Asia/Tokyo"), 2026) == ()


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_at_the_ends_of_the_calendar(moment: datetime) -> None:
    for name in ("Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"):
        assert pack(rules_at(ZoneInfo(name), moment))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), quarter_hours)
def test_a_zone_made_of_rules_keeps_the_contract_of_tzinfo(name: str, at: datetime) -> None:
    zone = RuleZone(rules_at(ZoneInfo(name), at))
    local = at.astimezone(zone)
    assert local.astimezone(UTC) == at
    assert local.replace(tzinfo=None) == at.replace(tzinfo=None) + zone.offset_at(at.replace(tzinfo=None))


def test_an_hour_that_comes_twice_and_one_that_does_not_come() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    zone = RuleZone(rules_at(berlin, datetime(2026, 1, 1, tzinfo=UTC)))
    for clock in (datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)):  # noqa: DTZ001 - clock times
        for fold in (0, 1):
            ours, theirs = (clock.replace(tzinfo=one, fold=fold).utcoffset() for one in (zone, berlin))
            assert ours == theirs
    assert zone.tzname(datetime(2026, 7, 1, tzinfo=zone)) == "UTC+02:00"


def test_all_zones_are_there() -> None:
    assert len(ZONES) > 400
    assert set(ZONES) <= zoneinfo.available_timezones()
