"""Values of iCalendar properties."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.values import Moment, parse_duration, parse_moment, parse_offset, parse_rule


def clock(*parts: int) -> datetime:
    year, month, day, *time = parts
    hour, minute, second = (*time, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a clock time


@pytest.mark.parametrize(
    ("text", "params", "moment"),
    [
        ("20260302T090000Z", {}, Moment(clock(2026, 3, 2, 9), utc=True)),
        ("20260302T090000z", {"TZID": "x"}, Moment(clock(2026, 3, 2, 9), utc=True)),
        ("20260302T090000", {"TZID": "x"}, Moment(clock(2026, 3, 2, 9), tzid="x")),
        ("20260302T090000", {}, Moment(clock(2026, 3, 2, 9))),
        ("20260302T0900", {}, Moment(clock(2026, 3, 2, 9))),
        ("2026-03-02T09:00:00.123Z", {}, Moment(clock(2026, 3, 2, 9), utc=True)),
        (" 20260302 ", {}, Moment(clock(2026, 3, 2), dated=True)),
        ("20260302", {"TZID": "x"}, Moment(clock(2026, 3, 2), dated=True)),
        ("20260302T090000Z", {"VALUE": "DATE"}, Moment(clock(2026, 3, 2), dated=True)),
        ("20261231T235960Z", {}, Moment(clock(2026, 12, 31, 23, 59, 59), utc=True)),
        ("20260230", {}, None),
        ("20260302T250000", {}, None),
        ("00000101", {}, None),
        ("20260302T090000+0100", {}, None),
        ("٢٠٢٦٠٣٠٢", {}, None),
        ("", {}, None),
    ],
)
def test_moments(text: str, params: dict[str, str], moment: Moment | None) -> None:
    assert parse_moment(text, params) == moment


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT15M", timedelta(minutes=15)),
        ("-PT15M", timedelta(minutes=-15)),
        ("+P1W", timedelta(weeks=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("pt0s", timedelta()),
        ("P", None),
        ("PT", None),
        ("15M", None),
        ("P99999999W", None),
    ],
)
def test_durations(text: str, duration: timedelta | None) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("+0100", timedelta(hours=1)),
        ("-0330", timedelta(hours=-3, minutes=-30)),
        ("+01:00", timedelta(hours=1)),
        ("-000015", timedelta(seconds=-15)),
        ("0100", None),
        ("+2400", None),
        ("+0060", None),
    ],
)
def test_offsets(text: str, offset: timedelta | None) -> None:
    assert parse_offset(text) == offset


def test_rules() -> None:
    assert parse_rule("freq=Weekly; BYDAY = mo,tu;;x") == {"FREQ": "WEEKLY", "BYDAY": "MO,TU"}


@given(st.text("0123456789TZPWDHMS+-:. ", max_size=30))
def test_any_text_is_a_value_or_none(text: str) -> None:
    for reader in (parse_moment, parse_duration, parse_offset, parse_rule):
        reader(text)
