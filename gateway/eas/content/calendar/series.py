"""Recurrence of events (MS-ASCAL 2.2.2.37): the element to the values of `pim`, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time

from gateway.eas.content.calendar.times import When, shown
from gateway.eas.content.readers import moment, once
from gateway.eas.content.repeating import Repeating, can_be_told
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.events.model import Event, Recurrence
from wbxml import Element, element
from wbxml.pages import Calendar

__all__ = ["as_known", "read_recurrence", "shown_recurrence"]

_MIDNIGHT = time()
_REPEATING = Repeating(Calendar)


def read_recurrence(data: Element, version: Version, event: Event | None, when: When) -> Recurrence | None:
    """What a device says how an event repeats that begins at `when`.

    None: not, because there is no such element, or (since 16.0) an empty one. Raises `BadItem`.
    """
    told = once(data, Calendar.Recurrence)
    if told is None or (not told.children and version >= Version.V16_0):
        return None
    known = event.recurrence if event else None
    # Later versions may leave the Type out when it stays the same.
    pattern = _REPEATING.pattern(told, known if version >= Version.V16_0 else None)
    weekday = (when.start.weekday() + 1) % 7
    found = _REPEATING.read(told, version, pattern, known, weekday=weekday)
    until = moment(told, Calendar.Until) if found.occurrences is None else None
    return replace(found, until=_end(until, when, version)) if until else found


def as_known(event: Event, version: Version) -> Event:
    """The event as devices of a version know it: without a rule that they cannot be told."""
    if event.recurrence is None or can_be_told(event.recurrence, version):
        return event
    return replace(event, recurrence=None)


def shown_recurrence(event: Event, recurrence: Recurrence, version: Version) -> Element:
    """The element of a series."""
    return element(Calendar.Recurrence, *_shown(event, recurrence, version))


def _end(until: datetime, when: When, version: Version) -> datetime:
    """The last start a series may have, in UTC.

    Devices name that, or its date alone, or the end of its day. Raises `BadItem` when it is before the first.
    """
    local = until.astimezone(when.zone)
    usual = when.start.time()
    dates_in_utc = when.all_day and version >= Version.V16_0
    if until.time() == _MIDNIGHT and (dates_in_utc or local.time() != usual):
        last = datetime.combine(until.date(), usual, when.zone)
    elif when.all_day:
        last = datetime.combine(local.date(), usual, when.zone)
    else:
        last = local
    if last.date() < when.start.date():
        raise BadItem("a Recurrence that ends before it begins")
    return max(last.astimezone(UTC), when.start.astimezone(UTC))


def _shown(event: Event, recurrence: Recurrence, version: Version) -> Iterator[Element]:
    yield from _REPEATING.shown_type(recurrence)
    if recurrence.occurrences is not None:
        yield element(Calendar.Occurrences, recurrence.occurrences)
    elif recurrence.until is not None:
        until = recurrence.until.astimezone(event.zone)
        yield element(Calendar.Until, shown(until, version, all_day=event.all_day))
    yield from _REPEATING.shown_pattern(recurrence, version)
