"""Lengths over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.length import Length, later, length_between
from gateway.pim.values import parse_length

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns")]
HOUR = timedelta(hours=1)


@given(
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10)),  # noqa: DTZ001 - clock times
    st.timedeltas(timedelta(), timedelta(days=40)),
    st.integers(0, 10),
    st.sampled_from(ZONES),
)
def test_an_end_gives_the_length_that_gives_the_end(
    clock: datetime, lasts: timedelta, days: int, zone: ZoneInfo
) -> None:
    start = clock.replace(tzinfo=zone)
    end = (start.astimezone(UTC) + lasts).astimezone(zone)
    found = length_between(start, end, days=days)
    assert found.days == days
    assert later(start, found).astimezone(UTC) == end.astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P1D", Length(1)),
        ("P2W", Length(14)),
        ("PT24H", Length(0, 24 * HOUR)),
        ("P1DT2H30M", Length(1, 2.5 * HOUR)),
        ("-P1DT1S", Length(-1, timedelta(seconds=-1))),
        ("P", None),
    ],
)
def test_durations(text: str, length: Length | None) -> None:
    assert parse_length(text) == length


def test_without_a_zone_nothing_is_changed() -> None:
    start = datetime(2026, 3, 28, 12)  # noqa: DTZ001 - a clock time
    assert later(start, Length(1, HOUR)) == start + timedelta(days=1) + HOUR
