"""Occurrences of a series that are different or gone: Exceptions and InstanceId (MS-ASCAL 2.2.2.21), read."""

from __future__ import annotations

from datetime import datetime

from gateway.eas.content.calendar.absent import in_exception, kept
from gateway.eas.content.calendar.properties import read_properties
from gateway.eas.content.calendar.times import When, local, read_when, span
from gateway.eas.content.readers import boolean, moment, once, parse_moment
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.pim.events import expansion
from gateway.pim.events.model import INHERIT, Event, OccurrencePatch, Unset
from gateway.pim.length import later
from gateway.pim.limits import MOST_EXCEPTIONS
from wbxml import Element
from wbxml.pages import AirSyncBase, Calendar

__all__ = ["check_exceptions", "instance_of", "is_alone", "original_in", "read_exceptions", "read_instance"]


def check_exceptions(data: Element) -> None:
    """Refuse more exceptions than there may be, before one is looked at."""
    listed = once(data, Calendar.Exceptions)
    if listed is not None and len(listed) > MOST_EXCEPTIONS:
        raise BadItem(f"more than {MOST_EXCEPTIONS} exceptions")


def read_exceptions(
    data: Element, version: Version, event: Event | None, when: When
) -> tuple[tuple[datetime, OccurrencePatch | None], ...]:
    """What Exceptions say of a series that happens at `when`, by the original start; None is gone.

    `event` is the series so far, if there was one. Raises `BadItem`.
    """
    listed = once(data, Calendar.Exceptions)
    found: dict[datetime, OccurrencePatch | None] = {}
    for one in listed.findall(Calendar.Exception) if listed else ():
        key = moment(one, AirSyncBase.InstanceId if version >= Version.V16_0 else Calendar.ExceptionStartTime)
        if key is None:
            raise BadItem("an Exception of no occurrence")
        original = original_of(key, version, when)
        gone = boolean(one, Calendar.Deleted)
        found[original] = None if gone else _exception(one, version, event, original, when)
    return tuple(found.items())


def original_of(key: datetime, version: Version, when: When) -> datetime:
    """The original start of the occurrence that a device names, in the zone of the series."""
    return local(key, when.zone, version, all_day=when.all_day)


def original_in(series: Event, instance: str, version: Version) -> datetime:
    """The original start of the occurrence of a series that an InstanceId names.

    Raises `BadItem`, `Refused` (NO_RECURRENCE) when it is no series, `NotFound` when it has no such one.
    """
    if not series.recurring:
        raise Refused(Kind.NO_RECURRENCE, "an InstanceId for what happens once")
    named = original_of(parse_moment(instance), version, When(series.start, series.end, series.all_day))
    original = expansion.original_of(series, named)
    if original is None:
        raise NotFound("an InstanceId of no occurrence")
    return original


def instance_of(series: Event, instance: str, version: Version) -> Event:
    """The occurrence of a series that an InstanceId names, as it is.

    Raises as `original_in`, and `NotFound` when the occurrence is gone.
    """
    original = original_in(series, instance, version)
    known = series.occurrence(original)
    if known is None:
        return series.instance(original)
    if known.event is None:
        raise NotFound("the occurrence is deleted")
    return known.event


def is_alone(event: Event, instance: str, version: Version) -> bool:
    """Whether all that is known of a series is the occurrence that an InstanceId names. Raises `BadItem`."""
    if event.original is None or event.recurring:
        return False
    when = When(event.start, event.end, event.all_day)
    return original_of(parse_moment(instance), version, when) == event.original


def read_instance(data: Element, version: Version, occurrence: Event, now: datetime) -> OccurrencePatch:
    """What a Change with InstanceId makes of an occurrence. Raises `BadItem`."""
    if boolean(data, Calendar.AllDayEvent) not in {None, occurrence.all_day}:
        raise BadItem("an occurrence has whole days exactly if its series has")
    told = read_properties(data, version, occurrence, kept)
    when = read_when(data, version, occurrence, now, kept=True)
    if when is None:
        return OccurrencePatch(**told)
    return OccurrencePatch(start=when.start, end=when.end, **told)


def _exception(
    data: Element, version: Version, event: Event | None, original: datetime, when: When
) -> OccurrencePatch:
    known = event.occurrence(original) if event else None
    told_day = boolean(data, Calendar.AllDayEvent)
    all_day = when.all_day if told_day is None else told_day
    if version >= Version.V16_0 and all_day != when.all_day:
        raise BadItem("an occurrence has whole days exactly if its series has")
    start, end = _times(data, version, original, when, all_day=all_day)
    return OccurrencePatch(
        start=start,
        end=end,
        all_day=INHERIT if told_day is None else told_day,
        **read_properties(
            data, version, known.event if known and known.event else event, in_exception(version)
        ),
    )


def _times(
    data: Element, version: Version, original: datetime, when: When, *, all_day: bool
) -> tuple[datetime | Unset, datetime | Unset]:
    """The start and end of an exception; one that is moved lasts as long as the others if it does not say."""
    start, end = (moment(data, tag) for tag in (Calendar.StartTime, Calendar.EndTime))
    if start is None and end is None:
        return INHERIT, INHERIT
    if start and end and end < start:
        raise BadItem("an occurrence ends before it starts")
    begin = local(start, when.zone, version, all_day=all_day) if start else original
    finish = local(end, when.zone, version, all_day=all_day) if end else later(begin, when.length)
    begin, finish = span(begin, finish, all_day=all_day)
    return begin if start else INHERIT, finish
