"""Birthday and Anniversary (MS-ASCNTC 2.2.2.3): days, which devices send as moments of many kinds.

Seen are midnight, 08:00, 11:00, 11:59 and 12:00 in UTC, and the midnight the day begins with where the device
is. What is told is midnight in UTC: devices take the date of it; Android, which looks at its own clock, takes
the evening before for the day after.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

__all__ = ["day_of", "moment_of"]

_NOON = time(12)
_DAY = timedelta(days=1)


def day_of(moment: datetime, zone: tzinfo, known: str = "") -> str:
    """The day (`YYYY-MM-DD`) a device means by a moment in UTC; `zone` is that of the users.

    What is midnight there is that day. Otherwise the afternoon and evening are midnight east of Greenwich, of
    the day that begins then; the morning is midnight in the west, or the day itself. Where midnight is at
    11:00 or 12:00, as in New Zealand, both may be meant: then it is the day that is `known`, if it is one of
    them, so that no day moves by being sent back.
    """
    local = moment.astimezone(zone)
    day = ((moment + _DAY) if moment.time() > _NOON else moment).date().isoformat()
    if local.time() == time() and day != known:
        return local.date().isoformat()
    return day


def moment_of(day: str) -> str:
    """What a device is told of a day."""
    return f"{day}T00:00:00.000Z"
