"""Dates both ways."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.imap.dates import format_date, format_date_time, parse_date_time


def test_reading() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert parse_date_time("01-Mar-2024 23:59:07 +0530") == datetime(2024, 3, 1, 23, 59, 7, tzinfo=zone)
    assert parse_date_time("01-Mar-2024 23:59:07 +0530").utcoffset() == timedelta(hours=5, minutes=30)
    assert parse_date_time(" 1-MAR-2024 23:59:60 -0000") == datetime(2024, 3, 1, 23, 59, 59, tzinfo=UTC)
    assert parse_date_time("1-Mar-2024 00:00:00") == datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-03-01 00:00:00 +0000",
        "30-Feb-2024 00:00:00 +0000",
        "01-Foo-2024 00:00:00 +0000",
        "01-Mar-2024 24:00:00 +0000",
        "01-Mar-2024 00:00:00 +2400",
        "01-Mar-2024 00:00:00 +9999",
        "01-Mar-0001 00:00:00 +1400",
        "31-Dec-9999 23:59:59 -1400",
        "01-Mar-2024 00:00:00 +0000x",
        "٠١-Mar-2024 00:00:00 +0000",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_date_time(text)


_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=_zones))  # noqa: DTZ001 (zones are drawn)
def test_round_trip(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    found = parse_date_time(format_date_time(moment))
    assert (found, found.utcoffset()) == (whole, whole.utcoffset())
    assert found.astimezone(UTC) == whole


def test_writing() -> None:
    assert format_date(date(2024, 5, 1)) == "01-May-2024"
    assert format_date_time(datetime(2024, 12, 9, 1, 2, 3, tzinfo=UTC)) == "09-Dec-2024 01:02:03 +0000"
    west = timezone(-timedelta(hours=3, minutes=30))
    assert format_date_time(datetime(2024, 1, 1, tzinfo=west)) == "01-Jan-2024 00:00:00 -0330"
    with pytest.raises(ValueError, match="time zone"):
        format_date_time(datetime(2024, 1, 1))  # noqa: DTZ001 (what is refused)
