"""Values as every class writes them (MS-ASDTYPE 2)."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["compact_date_time", "date_time"]


def date_time(moment: datetime) -> str:
    """A dateTime, `2026-03-01T09:15:00.000Z` (MS-ASDTYPE 2.3). `moment` needs a time zone."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def compact_date_time(moment: datetime) -> str:
    """A Compact DateTime, `20260301T091500Z` (MS-ASDTYPE 2.7.2). `moment` needs a time zone."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
