"""Which zones the times of a calendar are in; the shapes of programs are in test_invitation."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from gateway.pim.lines import read
from gateway.pim.timezones import RuleZone
from gateway.pim.values import Moment
from gateway.pim.zones import Zones
from tests.support.invitations import CENTRAL_EUROPE, NOWHERE, calendar, observance, timezone

JULY = datetime(2026, 7, 2, 10)  # noqa: DTZ001 - a clock time
_MAY, _NOVEMBER = "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1SU", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"
BERLIN, PARIS = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Paris")


def zones(*lines: str, default: tzinfo = UTC) -> Zones:
    (found,) = read(calendar(*lines))
    return Zones(found, default)


def test_a_moment_in_utc_is_in_utc() -> None:
    assert zones("X-WR-TIMEZONE:Europe/Paris").instant(Moment(JULY, utc=True)) == JULY.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "tzid", "zone"),
    [
        ((), "Europe/Paris", PARIS),
        ((), "Romance Standard Time", PARIS),
        ((), "unheard of", UTC),
        ((), "", UTC),
        (("X-WR-TIMEZONE:Europe/Paris",), "", PARIS),
        (("X-WR-TIMEZONE:Europe/Paris",), "unheard of", PARIS),
        (("X-WR-TIMEZONE:Europe/Paris",), "Europe/Berlin", BERLIN),
        (timezone("mine", *CENTRAL_EUROPE), "mine", BERLIN),
        (timezone("mine", *CENTRAL_EUROPE), "MINE", BERLIN),
        (timezone("mine", *CENTRAL_EUROPE), "", BERLIN),
        (timezone("Europe/Paris", *CENTRAL_EUROPE), "Europe/Paris", PARIS),
        (timezone("mine", "X-LIC-LOCATION:Europe/Paris", *CENTRAL_EUROPE), "mine", PARIS),
        ((*timezone("mine", *CENTRAL_EUROPE), *timezone("other", *CENTRAL_EUROPE)), "", UTC),
        (timezone("Europe/Paris"), "Europe/Paris", PARIS),
        (timezone("mine"), "mine", UTC),
    ],
)
def test_names_and_definitions(lines: tuple[str, ...], tzid: str, zone: tzinfo) -> None:
    assert zones(*lines).of(Moment(JULY, tzid=tzid)) == zone


def test_the_first_definition_of_a_name_counts() -> None:
    both = (*timezone("mine", *NOWHERE), *timezone("mine", *CENTRAL_EUROPE))
    assert isinstance(zones(*both).of(Moment(JULY, tzid="mine")), RuleZone)


def test_many_definitions_are_not_all_read() -> None:
    many = [line for number in range(500) for line in timezone(f"zone {number}", *CENTRAL_EUROPE)]
    found = zones(*many, default=PARIS)
    assert found.of(Moment(JULY, tzid="zone 3")) == BERLIN
    assert found.of(Moment(JULY, tzid="zone 400")) == PARIS


def test_very_many_years_of_unknown_zones_are_told_soon() -> None:
    lines = [
        line
        for number in range(50)
        for line in timezone(
            f"zone {number}",
            *observance("STANDARD", "16011101T030000", f"+11{number:02}", f"+10{number:02}", _NOVEMBER),
            *observance("DAYLIGHT", "16010501T030000", f"+10{number:02}", f"+11{number:02}", _MAY),
        )
    ]
    found = zones(*lines)
    began = time.process_time()
    for day in range(4000):
        moment = Moment(JULY + timedelta(days=day), tzid=f"zone {day % 50}")
        summer = (5, 15) < (moment.clock.month, moment.clock.day) < (10, 31)
        if summer or not 4 < moment.clock.month < 12:
            offset = timedelta(hours=11 if summer else 10, minutes=day % 50)
            assert found.instant(moment).utcoffset() == offset
    assert time.process_time() - began < 3


def test_unknown_zones_with_the_offsets_of_many_known_ones_are_told_soon() -> None:
    lines = [
        line
        for number in range(50)
        for line in timezone(
            f"zone {number}",
            *observance(
                "STANDARD",
                "16011101T030000",
                "+0200",
                "+0100",
                f"RRULE:FREQ=YEARLY;BYMONTH=10;BYMONTHDAY={number % 28 + 1}",
            ),
            *observance(
                "DAYLIGHT",
                "16010501T030000",
                "+0100",
                "+0200",
                f"RRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY={number // 2 + 1}",
            ),
        )
    ]
    found = zones(*lines)
    began = time.process_time()
    for number in range(200):
        moment = Moment(JULY.replace(year=1970 + number % 130), tzid=f"zone {number % 50}")
        assert found.instant(moment).utcoffset() == timedelta(hours=2)
    assert time.process_time() - began < 3


def test_definitions_made_to_cost_are_read_soon() -> None:
    weekdays = ",".join(f"{number}{day}" for day in ("SU", "MO", "WE") for number in range(1, 5))
    rule = f"RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY={weekdays}"
    lines = [
        line
        for year in range(64)
        for line in observance(
            "STANDARD",
            f"{1900 + year}0101T{year % 24:02}0000",
            "+0000",
            f"+{year % 12:02}{year % 60:02}",
            rule,
        )
    ]
    began = time.process_time()
    zone = zones(*timezone("mine", *lines)).of(Moment(JULY, tzid="mine"))
    assert isinstance(zone, RuleZone)
    assert time.process_time() - began < 5
