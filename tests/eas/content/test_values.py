"""Times on the wire, both forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.eas.content.values import compact_date_time, date_time, parse_date_time

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "written", "compact"),
    [
        (datetime(2026, 3, 1, 9, 15, tzinfo=UTC), "2026-03-01T09:15:00.000Z", "20260301T091500Z"),
        (datetime(2026, 3, 1, 1, 15, 7, 999_999, EAST), "2026-02-28T23:15:07.999Z", "20260228T231507Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z", "00010101T000000Z"),
        (datetime(9999, 12, 31, tzinfo=UTC), "9999-12-31T00:00:00.000Z", "99991231T000000Z"),
    ],
)
def test_moments(moment: datetime, written: str, compact: str) -> None:
    assert (date_time(moment), compact_date_time(moment)) == (written, compact)
    assert parse_date_time(written) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
