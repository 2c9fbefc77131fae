"""Zones by what calendars call them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.timezones import RuleZone, ZoneRules, described_zone, named_zone

JULY = datetime(2026, 7, 2, 10)  # noqa: DTZ001 - a clock time


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ('"Europe/Berlin"', "Europe/Berlin"),
        ("/mozilla.org/20070129_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/softwarestudio.org/Olson_20011030_5/America/New York", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Pacific Daylight Time", "America/Los_Angeles"),
        ("India Standard Time", "Asia/Kolkata"),
        ("US/Pacific", "US/Pacific"),
        ("UTC", "Etc/UTC"),
        ("GMT", "Etc/UTC"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
    ],
)
def test_names(name: str, zone: str) -> None:
    assert named_zone(name) == ZoneInfo(zone)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Customized Time Zone",
        "Europe",
        "Nowhere/Nothing",
        "../../etc/passwd",
        "/etc/localtime",
        "(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien",
        "x" * 1000,
        "\0",
        "some/where/EST",
    ],
)
def test_what_is_no_name(name: str) -> None:
    assert named_zone(name) is None


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(GMT-05.00) Eastern Time (US & Canada) / New York", "America/New_York"),
        ("(UTC+02:00) Nowhere; Athens", "Europe/Athens"),
        ("GMT+0530 Kolkata", "Asia/Kolkata"),
    ],
)
def test_a_description_with_a_place(text: str, zone: str) -> None:
    assert described_zone(text, JULY) == ZoneInfo(zone)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("GMT -0300 (Standard)", -180),
        ("UTC+1", 60),
        ("utc - 3:30", -210),
        ("(UTC+05:00) Berlin", 300),
        ("(UTC+01:00) Unheard-of", 60),
    ],
)
def test_a_description_with_an_offset_alone(text: str, minutes: int) -> None:
    assert described_zone(text, JULY) == RuleZone(ZoneRules.fixed(minutes))


@pytest.mark.parametrize("text", ["", "Customized Time Zone", "UTC", "UTC+99", "UTC+01:75", "+01:00"])
def test_no_description(text: str) -> None:
    assert described_zone(text, JULY) is None


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_none(text: str) -> None:
    assert named_zone(text) is None or text.strip()
    described_zone(f"UTC+{text}", JULY)
