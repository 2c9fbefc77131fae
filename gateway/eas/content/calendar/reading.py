"""ApplicationData of an event or a series to what is to change of it (MS-ASCAL 2.2.2, 3.1.5.3, 3.2.5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from gateway.eas.content.calendar.absent import Absent
from gateway.eas.content.calendar.exceptions import check_exceptions, read_exceptions
from gateway.eas.content.calendar.people import read_organizer
from gateway.eas.content.calendar.properties import read_properties
from gateway.eas.content.calendar.series import read_recurrence
from gateway.eas.content.calendar.times import When, read_when
from gateway.eas.content.readers import moment
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.events.model import UNSET, Event, EventPatch, OccurrencePatch, Person, Recurrence, Unset
from wbxml import Element
from wbxml.pages import Calendar

__all__ = ["news", "read_patch"]

_Patch = TypeVar("_Patch", bound=OccurrencePatch)

_TIMES = ("start", "end", "all_day", "blob")
"""What says when it is: it changes together, for one means something else without the others."""
_OF_SERIES = ("occurrences", "resets_exceptions")


def read_patch(
    data: Element, version: Version, event: Event | None, absent: Absent, now: datetime
) -> EventPatch:
    """What a device makes of an event, None for a new one; its files are not looked at.

    Raises `BadItem` for what an event cannot be, or a device may not say.
    """
    check_exceptions(data)
    listed = data.find(Calendar.Exceptions)
    if event is not None and version >= Version.V16_0 and listed is not None and listed.children:
        raise BadItem("Exceptions in a Change")
    told = read_properties(data, version, event, absent)
    when = read_when(data, version, event, now, kept=absent(Calendar.AllDayEvent) is not None)
    happens = when or (When(event.start, event.end, event.all_day) if event else None)
    assert happens is not None  # a new event always has a time
    recurrence = _recurrence(data, version, event, happens, absent)
    patch = EventPatch(
        organizer=_organizer(data, version, event, absent),
        stamp=_stamp(data, version),
        recurrence=recurrence,
        resets_exceptions=version >= Version.V16_0,
        **told,
    )
    if when is not None:
        patch = replace(patch, start=when.start, end=when.end, all_day=when.all_day, blob=when.blob)
    if recurrence is not None and (recurrence is not UNSET or (event and event.recurring)):
        patch = replace(patch, occurrences=read_exceptions(data, version, event, happens))
    return patch


def news(told: _Patch, shown: _Patch) -> _Patch:
    """What of a patch is not as the device was shown it: what comes back as it went changes nothing.

    So what the device could not be told exactly stays exact.
    """
    same: dict[str, Any] = {
        one.name: UNSET
        for one in fields(told)
        if one.name not in (*_TIMES, *_OF_SERIES) and getattr(told, one.name) == getattr(shown, one.name)
    }
    if all(getattr(told, name, UNSET) in {UNSET, getattr(shown, name, UNSET)} for name in _TIMES):
        same |= {name: UNSET for name in _TIMES if hasattr(told, name)}
    if isinstance(told, EventPatch) and isinstance(shown, EventPatch):
        same["occurrences"] = tuple(_new_occurrences(told, dict(shown.occurrences)))
    return replace(told, **same)


def _new_occurrences(
    told: EventPatch, shown: Mapping[datetime, OccurrencePatch | None]
) -> Iterator[tuple[datetime, OccurrencePatch | None]]:
    for original, patch in told.occurrences:
        known = shown.get(original)
        if original not in shown or patch is None or known is None:
            if original not in shown or patch is not known:
                yield original, patch
        elif patch != known:
            yield original, news(patch, known)


def _recurrence(
    data: Element, version: Version, event: Event | None, when: When, absent: Absent
) -> Recurrence | Unset | None:
    if data.find(Calendar.Recurrence) is None:
        return UNSET if event is None else absent(Calendar.Recurrence)
    return read_recurrence(data, version, event, when)


def _organizer(data: Element, version: Version, event: Event | None, absent: Absent) -> Person | Unset | None:
    """Since 16.0 it is the user. The meeting of somebody else does not become the user's by silence."""
    if version >= Version.V16_0:
        return UNSET
    named = read_organizer(data)
    if named is None and event and event.received:
        return UNSET
    return named or (UNSET if event is None else absent(Calendar.OrganizerEmail))


def _stamp(data: Element, version: Version) -> datetime | Unset:
    return (moment(data, Calendar.DtStamp) if version < Version.V16_0 else None) or UNSET
