"""Values as every class writes them (MS-ASDTYPE 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from gateway.errors import Kind, Refused

__all__ = ["BadItem", "compact_date_time", "date_time", "parse_date_time", "refusing"]

_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6})[0-9]{0,3})?Z?"
)


class BadItem(ValueError):
    """The data of an item sent by a device cannot be used (item Status 6)."""


@contextmanager
def refusing() -> Iterator[None]:
    """Have what cannot be read refuse the operation: `BadItem` as `Refused`."""
    try:
        yield
    except BadItem as error:
        raise Refused(Kind.INVALID_XML, str(error)) from error


def date_time(moment: datetime) -> str:
    """A dateTime, `2026-03-01T09:15:00.000Z` (MS-ASDTYPE 2.3). `moment` needs a time zone."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def compact_date_time(moment: datetime) -> str:
    """A Compact DateTime, `20260301T091500Z` (MS-ASDTYPE 2.7.2). `moment` needs a time zone."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04}{utc:%m%dT%H%M%SZ}"  # %Y leaves the zeros of old years out


def parse_date_time(text: str) -> datetime:
    """The moment a dateTime with separators names. Raises `Refused(INVALID_DATE_TIME)`."""
    match = _DATE_TIME.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        *parts, fraction = match.groups(default="0")
        year, month, day, hour, minute, second = map(int, parts)
        return datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), tzinfo=UTC)
    except ValueError:
        raise Refused(Kind.INVALID_DATE_TIME, "not a date and time") from None
