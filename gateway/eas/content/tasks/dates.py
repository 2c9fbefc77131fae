"""Dates of tasks (MS-ASTASK 2.2.2.12, 28, 31, 32): each by the clock of whoever set it, and in UTC.

The two together tell the zone. A device that names one of them means the zone of the task, or the users'.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from gateway.eas.content.readers import moment
from gateway.eas.content.values import date_time
from wbxml import Element, Tag, element

__all__ = ["by_the_clock", "read_date", "shown_clock", "shown_date"]

_A_DAY = timedelta(days=1)


def read_date(data: Element, local: Tag, utc: Tag, zones: tuple[tzinfo, ...]) -> datetime | None:
    """The date in its zone; None when it is not there, or empty.

    It is one of `zones` if that fits, else one of a fixed distance from UTC; the first of them is meant where
    only one of both is given. A distance that no clock has is a mistake of the device: the clock counts then.
    Raises `BadItem`.
    """
    clock, instant = moment(data, local), moment(data, utc)
    if clock is None:
        return instant.astimezone(zones[0]) if instant else None
    if instant is None:
        return by_the_clock(clock, zones[0])
    offset = clock - instant
    for zone in zones:
        if instant.astimezone(zone).utcoffset() == offset:
            return instant.astimezone(zone)
    if abs(offset) >= _A_DAY:
        return by_the_clock(clock, zones[0])
    return instant.astimezone(timezone(offset))


def by_the_clock(clock: datetime, zone: tzinfo) -> datetime:
    """What a device means by a time of its clock, which it writes as if it were in UTC."""
    return clock.replace(tzinfo=zone)


def shown_clock(moment: datetime) -> str:
    """A time by the clock of its zone, as if it were in UTC."""
    return date_time(moment.replace(tzinfo=UTC))


def shown_date(moment: datetime | None, local: Tag, utc: Tag) -> Iterator[Element]:
    """Both elements of a date."""
    if moment:
        yield element(utc, date_time(moment))
        yield element(local, shown_clock(moment))
