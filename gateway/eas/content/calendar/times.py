"""When an event is: StartTime, EndTime, AllDayEvent and Timezone (MS-ASCAL 2.2.2.1, 20, 42, 44), both ways.

            up to 14.1                            16.x
times       in UTC, with Timezone                 the same
whole days  midnights of Timezone, told in UTC    midnights in UTC that mean dates, without Timezone
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from gateway.eas.content.readers import boolean, moment, once
from gateway.eas.content.values import BadItem, compact_date_time
from gateway.eas.versions import Version
from gateway.pim.events.model import UNSET, Event, Unset
from gateway.pim.length import Length, length_between
from gateway.pim.timezones import BadBlob, pack, rules_at, unpack, zone_for
from wbxml import Element, element
from wbxml.pages import Calendar

__all__ = ["When", "local", "read_when", "shown", "shown_zone", "span"]

_HALF_HOUR = timedelta(minutes=30)
_HALF_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)
_MIDNIGHT = time()
_LONGEST_BLOB = 512


@dataclass(frozen=True, slots=True)
class When:
    """When an event is to be: times in `zone`; `blob` is the time zone as the device sent it, if it did."""

    start: datetime
    end: datetime
    all_day: bool
    blob: str | Unset = UNSET

    @property
    def zone(self) -> tzinfo:
        """The zone of the times."""
        return self.start.tzinfo or UTC

    @property
    def length(self) -> Length:
        """How long it lasts: days are counted by the clock."""
        days = (self.end.date() - self.start.date()).days if self.all_day else 0
        return length_between(self.start, self.end, days=days)


def read_when(
    data: Element, version: Version, event: Event | None, now: datetime, *, kept: bool
) -> When | None:
    """When the event is to be that a device describes; `event` is what it changes, None for a new one.

    None: it says nothing of it. What it leaves out is as it was; without `kept` the mark of whole days is an
    exception to that: it is gone then. For a new event the table of MS-ASCAL 3.2.4.4 has the rest. Raises
    `BadItem` when it would end before it starts.
    """
    start, end = moment(data, Calendar.StartTime), moment(data, Calendar.EndTime)
    told = boolean(data, Calendar.AllDayEvent)
    blob = once(data, Calendar.Timezone)
    if event is None:
        start, end = _completed(start, end, now)
    elif start is None and end is None and blob is None and told in {None, event.all_day}:
        return None
    if start and end and end < start:
        raise BadItem("it ends before it starts")
    all_day = told if told is not None else bool(event and event.all_day and kept)
    written = blob.text().strip() if blob else ""
    at = start or (event.start if event else now)
    zone = _zone(written, at, event)
    known = (event.start, event.end) if event else (now, now)
    if event and event.all_day:  # dates stay what they are in another zone
        known = known[0].replace(tzinfo=zone), known[1].replace(tzinfo=zone)
    begin, finish = (
        local(told_time, zone, version, all_day=all_day)
        if told_time
        else _known(known_time, zone, all_day=all_day)
        for told_time, known_time in zip((start, end), known, strict=True)
    )
    begin, finish = span(begin, finish, all_day=all_day)
    return When(begin, finish, all_day, written if written and len(written) <= _LONGEST_BLOB else UNSET)


def span(start: datetime, end: datetime, *, all_day: bool) -> tuple[datetime, datetime]:
    """The two as an event may have them: one of whole days has one at least. Raises `BadItem`."""
    if all_day and end <= start:
        if start - end >= _DAY:
            raise BadItem("it ends before it starts")
        return start, (start.replace(tzinfo=None) + _DAY).replace(tzinfo=start.tzinfo)
    if end.astimezone(UTC) < start.astimezone(UTC):
        raise BadItem("it ends before it starts")
    return start, end


def local(instant: datetime, zone: tzinfo, version: Version, *, all_day: bool) -> datetime:
    """An instant that a device names (in UTC), in a zone; of whole days the midnight of the date it means.

    That is the date in UTC if it is midnight there and the version has dates, else that of the nearest
    midnight in the zone.
    """
    if not all_day:
        return instant.astimezone(zone)
    if version >= Version.V16_0 and instant.time() == _MIDNIGHT:
        return datetime.combine(instant.date(), _MIDNIGHT, zone)
    clock = instant.astimezone(zone).replace(tzinfo=None)
    return datetime.combine((clock + _HALF_DAY).date(), _MIDNIGHT, zone)


def shown(moment: datetime, version: Version, *, all_day: bool) -> str:
    """A time of an event, in its zone, as a device is told it."""
    if all_day and version >= Version.V16_0:
        moment = moment.replace(tzinfo=UTC)
    return compact_date_time(moment)


def shown_zone(event: Event, version: Version) -> Iterator[Element]:
    """The Timezone: as a device sent it, where one did."""
    if event.all_day and version >= Version.V16_0:
        return
    blob = event.blob if _sound(event.blob) else pack(rules_at(event.zone, event.start.astimezone(UTC)))
    yield element(Calendar.Timezone, blob)


def _completed(
    start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Both times of a new event, where one is left out (MS-ASCAL 3.2.4.4)."""
    if start and end:
        return start, end
    rounded = _to_half_hour(now)
    if start is None and end is None:
        return rounded, rounded + _HALF_HOUR
    if start is None:
        if end is None or end < now or rounded > end:
            raise BadItem("EndTime without StartTime, and too early")
        return rounded, end
    if start > now:
        raise BadItem("StartTime without EndTime, and in the future")
    return start, rounded + _HALF_HOUR


def _to_half_hour(now: datetime) -> datetime:
    """The next half hour, or this moment when it is one."""
    whole = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    steps = -((whole - now.astimezone(UTC)) // _HALF_HOUR)
    return whole + steps * _HALF_HOUR


def _zone(written: str, at: datetime, event: Event | None) -> tzinfo:
    """The zone that is meant; one that cannot be read is that of the event so far, or UTC."""
    known = event.zone if event else UTC
    if not written:
        return known
    try:
        return zone_for(unpack(written), at, [event.zone] if event else ())
    except BadBlob:
        return known


def _known(moment: datetime, zone: tzinfo, *, all_day: bool) -> datetime:
    """A time of the event so far, in the zone it is to have; of whole days the midnight before."""
    moved = moment.astimezone(zone)
    return datetime.combine(moved.date(), _MIDNIGHT, zone) if all_day else moved


def _sound(blob: str) -> bool:
    try:
        unpack(blob)
    except BadBlob:
        return False
    return True
