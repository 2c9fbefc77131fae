"""IMAP dates both ways: `17-Jul-1996 02:44:25 -0700` (RFC 3501 date-time) and `17-Jul-1996` (date)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

__all__ = ["format_date", "format_date_time", "parse_date_time"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}
_DATE_TIME = re.compile(
    r" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?: ([+-])([0-9]{2})([0-9]{2}))?"
)


@lru_cache(maxsize=256)
def _zone(sign: str, hours: str, minutes: str) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def parse_date_time(text: str) -> datetime:
    """An INTERNALDATE with its time zone; UTC when the server left it out. Raises ValueError.

    The first and the last year of the calendar are refused, so that any change of time zone stays possible.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    if not 1 < int(year) < 9999:
        raise ValueError("not a usable year")
    return datetime(
        int(year),
        _NUMBERS.get(month.lower(), 0),
        int(day),
        int(hour),
        int(minute),
        min(int(second), 59),  # a leap second
        tzinfo=_zone(sign, hours, minutes) if sign else UTC,
    )


def format_date(day: date) -> str:
    """A date as SEARCH takes it, the same in every locale."""
    return f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year:04}"


def format_date_time(moment: datetime) -> str:
    """A date-time as APPEND takes it. Raises ValueError for a time without zone."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a date without time zone")
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    return f"{format_date(moment)} {moment:%H:%M:%S} {sign}{hours:02}{minutes:02}"
