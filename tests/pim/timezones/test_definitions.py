"""VTIMEZONE as programs write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.lines import Component, read
from gateway.pim.timezones import Definition, RuleZone, ZoneRules, rules_at, write_definition
from tests.pim.timezones.test_blob import all_rules

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


def component(*lines: str) -> Component:
    (calendar,) = read("\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR")))
    return calendar.components[0]


def defined(*lines: str) -> Definition:
    found = Definition.of(component("BEGIN:VTIMEZONE", "TZID:x", *lines, "END:VTIMEZONE"))
    assert found
    return found


def observance(name: str, start: str, before: str, after: str, *more: str) -> tuple[str, ...]:
    return (
        f"BEGIN:{name}",
        f"DTSTART:{start}",
        f"TZOFFSETFROM:{before}",
        f"TZOFFSETTO:{after}",
        *more,
        f"END:{name}",
    )


GOOGLE = (
    *observance("DAYLIGHT", "19700329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
    *observance("STANDARD", "19701025T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
)
OUTLOOK = (
    *observance(
        "STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10"
    ),
    *observance(
        "DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3"
    ),
)
APPLE = (
    *observance("DAYLIGHT", "19810329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
    *observance(
        "STANDARD",
        "19810927T030000",
        "+0200",
        "+0100",
        "RRULE:FREQ=YEARLY;UNTIL=19950924T010000Z;BYMONTH=9;BYDAY=-1SU",
    ),
    *observance("STANDARD", "19961027T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
)
LISTED = (
    *observance("DAYLIGHT", "20250330T020000", "+0100", "+0200", "RDATE:20260329T020000,20270328T020000"),
    *observance(
        "STANDARD", "20251026T030000", "+0200", "+0100", "RDATE:20261025T030000", "RDATE:20271031T030000"
    ),
)
BY_MONTH_DAY = (
    *observance(
        "DAYLIGHT",
        "19700101T020000",
        "+0100",
        "+0200",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYMONTHDAY=25,26,27,28,29,30,31",
    ),
    *observance(
        "STANDARD",
        "19700101T030000",
        "+0200",
        "+0100",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=SU;BYMONTHDAY=-1,-2,-3,-4,-5,-6,-7",
    ),
)


@pytest.mark.parametrize("lines", [GOOGLE, OUTLOOK, APPLE, LISTED, BY_MONTH_DAY])
def test_the_shapes_of_programs(lines: tuple[str, ...]) -> None:
    zone, berlin = defined(*lines), ZoneInfo("Europe/Berlin")
    for day in range(600):
        instant = datetime(2025, 4, 1, 0, 30, tzinfo=UTC) + timedelta(days=day)
        assert instant.astimezone(zone).utcoffset() == instant.astimezone(berlin).utcoffset()
    if lines is not LISTED:
        assert rules_at(zone, MARCH) == rules_at(berlin, MARCH)


def test_history_is_followed() -> None:
    zone = defined(*APPLE)
    october = datetime(1990, 10, 10, tzinfo=UTC)
    assert october.astimezone(zone).utcoffset() == timedelta(hours=1)
    assert october.replace(year=2020).astimezone(zone).utcoffset() == timedelta(hours=2)


def test_a_zone_without_daylight_time() -> None:
    zone = defined(*observance("STANDARD", "16010101T000000", "+0545", "+0545"))
    assert rules_at(zone, MARCH) == ZoneRules.fixed(345)
    before = datetime(1500, 1, 1, tzinfo=UTC)
    assert before.astimezone(zone).utcoffset() == timedelta(hours=5, minutes=45)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        observance("STANDARD", "x", "+0100", "+0200"),
        observance("STANDARD", "19700101T000000", "+0100", "soon"),
        observance("STANDARD", "19700101T000000", "+0100", "+9900"),
        ("BEGIN:STANDARD", "TZOFFSETTO:+0100", "END:STANDARD"),
    ],
)
def test_what_defines_nothing(lines: tuple[str, ...]) -> None:
    assert Definition.of(component("BEGIN:VTIMEZONE", "TZID:x", *lines, "END:VTIMEZONE")) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=99;BYDAY=77XX",
        "FREQ=YEARLY;INTERVAL=0",
        "FREQ=YEARLY;INTERVAL=99999999999999999999",
        "FREQ=YEARLY;COUNT=99999999999999999999",
        "FREQ=YEARLY;COUNT=1;UNTIL=x",
        "FREQ=YEARLY;BYDAY=" + ",".join(["1SU"] * 5000),
        "",
        "=",
    ],
)
def test_strange_rules_end_soon_and_give_an_offset(rule: str) -> None:
    zone = defined(*observance("STANDARD", "19700101T000000", "+0200", "+0100", f"RRULE:{rule}"))
    assert rules_at(zone, MARCH) == ZoneRules.fixed(60) or rule == "FREQ=YEARLY;INTERVAL=0"


@settings(max_examples=60, deadline=None)
@given(all_rules, st.integers(0, 365 * 24))
def test_what_is_written_is_read(rules: ZoneRules, hours: int) -> None:
    """To the second, of which iCalendar knows no parts."""
    text = component(*write_definition("Custom 1", rules))
    zone = Definition.of(text)
    assert zone
    assert zone.tzid == "Custom 1"
    instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    changes = [at for year in (2025, 2026, 2027) for at, _ in rules.changes(year)]
    if all(abs(at - instant.replace(tzinfo=None)) > timedelta(seconds=1) for at in changes):
        assert instant.astimezone(zone).utcoffset() == instant.astimezone(RuleZone(rules)).utcoffset()


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
)
def test_others_read_what_we_write(name: str) -> None:
    lines = write_definition("Ours", rules_at(ZoneInfo(name), MARCH))
    theirs = icalendar.Timezone.from_ical("\r\n".join(lines))
    assert isinstance(theirs, icalendar.Timezone)
    zone = theirs.to_tz(lookup_tzid=False)
    for month in range(1, 13):
        local = datetime(2026, month, 10, 12, tzinfo=zone)
        assert local.utcoffset() == local.replace(tzinfo=ZoneInfo(name)).utcoffset()
