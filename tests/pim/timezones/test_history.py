"""Definitions of zones whose rules change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.lines import Component, read
from gateway.pim.timezones import Definition, RuleZone, ZoneRules, write_definition, write_zone
from tests.pim.timezones.test_changes import ZONES

DAY = timedelta(days=1)


def component(lines: list[str]) -> Component:
    (calendar,) = read("\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]))
    return calendar.components[0]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 40 * 365))
def test_a_definition_is_right_from_its_start_on(name: str, days: int) -> None:
    """For ten years at least, whatever the zone does."""
    zone, start = ZoneInfo(name), datetime(1995, 1, 1, 11, 30, tzinfo=UTC) + days * DAY
    found = Definition.of(component(write_zone("Ours", zone, start)))
    assert found
    for number in range(0, 3650, 9):
        at = start + number * DAY
        wanted = at.astimezone(zone).utcoffset()
        assert wanted is not None
        if wanted % timedelta(minutes=1) == timedelta():
            assert found.offset_at(at.replace(tzinfo=None)) == wanted, at


@pytest.mark.parametrize(
    ("name", "year", "rules", "dates"),
    [
        ("Europe/Berlin", 2026, 2, 0),
        ("Asia/Tokyo", 2026, 0, 0),
        # The rules of today hold since 2007.
        ("America/New_York", 2004, 2, 4),
        # Once a year by the moon, twice.
        ("Africa/Casablanca", 2026, 0, 60),
        # Summer time was given up in 2022.
        ("Asia/Tehran", 2020, 0, 4),
    ],
)
def test_what_a_definition_has(name: str, year: int, rules: int, dates: int) -> None:
    lines = write_zone(name, ZoneInfo(name), datetime(year, 6, 1, tzinfo=UTC))
    assert sum(line.startswith("RRULE") for line in lines) == rules
    assert sum(line.startswith("RDATE") for line in lines) == dates
    others = icalendar.Calendar.from_ical("\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]))
    assert others.walk("VTIMEZONE")[0]["TZID"] == name


def test_rules_are_written_as_they_are() -> None:
    rules = ZoneRules.fixed(83)
    assert write_zone("x", RuleZone(rules), datetime(2026, 1, 1, tzinfo=UTC)) == write_definition("x", rules)
