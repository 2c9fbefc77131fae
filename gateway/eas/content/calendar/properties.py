"""The properties that series, single events and occurrences have alike, read (MS-ASCAL 2.2.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict, TypeVar

from gateway.eas.content.calendar.absent import Absent
from gateway.eas.content.calendar.notes import read_body
from gateway.eas.content.calendar.people import read_attendees, read_cancelled
from gateway.eas.content.calendar.places import location_tag, read_location
from gateway.eas.content.limits import LONGEST_CATEGORY, LONGEST_SUBJECT, MOST_CATEGORIES
from gateway.eas.content.readers import boolean, integer, names, text
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.events.model import (
    UNSET,
    Attendee,
    Body,
    Busy,
    Event,
    Location,
    Sensitivity,
    Unset,
)
from wbxml import Element, Tag
from wbxml.pages import Calendar

__all__ = ["Properties", "read_properties"]

_Value = TypeVar("_Value")

_UNKNOWN_BUSY = -1
_LARGEST_NUMBER = 0xFFFFFFFF
_LONGEST_REMINDER = 60 * 24 * 365 * 10
"""Minutes; some devices write the largest number there is for none at all."""


class Properties(TypedDict):
    """Of an `OccurrencePatch`: those that do not say when it is."""

    subject: str | Unset | None
    location: Location | Unset | None
    body: Body | Unset | None
    categories: tuple[str, ...] | Unset | None
    sensitivity: Sensitivity | Unset | None
    busy: Busy | Unset | None
    reminder: timedelta | Unset | None
    attendees: tuple[Attendee, ...] | Unset | None
    cancelled: bool | Unset
    response_requested: bool | Unset | None
    may_counter: bool | Unset | None


def read_properties(data: Element, version: Version, event: Event | None, absent: Absent) -> Properties:
    """What a device says of them; `event` is what it changes, None for a new one.

    An element that is there and empty removes its property. Raises `BadItem`.
    """
    cancelled = read_cancelled(data)
    disallowed = boolean(data, Calendar.DisallowNewTimeProposal) if version >= Version.V14_0 else None
    wanted = boolean(data, Calendar.ResponseRequested) if version >= Version.V14_0 else None
    place, guests = location_tag(version), Calendar.Attendees

    def told(tag: Tag, value: _Value | Unset | None) -> _Value | Unset | None:
        return value if value is not None or data.find(tag) is not None else absent(tag)

    return Properties(
        subject=told(Calendar.Subject, text(data, Calendar.Subject, LONGEST_SUBJECT) or None),
        location=told(place, read_location(data, version)),
        body=read_body(data, version, event),
        categories=told(Calendar.Categories, _categories(data)),
        sensitivity=told(Calendar.Sensitivity, _sensitivity(data)),
        busy=told(Calendar.BusyStatus, _busy(data, version)),
        reminder=told(Calendar.Reminder, _reminder(data)),
        attendees=told(guests, read_attendees(data, version, event)),
        cancelled=UNSET if cancelled is None else cancelled,
        response_requested=told(Calendar.ResponseRequested, wanted),
        may_counter=told(Calendar.DisallowNewTimeProposal, None if disallowed is None else not disallowed),
    )


def _categories(data: Element) -> tuple[str, ...] | None:
    listed = names(data, Calendar.Categories, Calendar.Category, MOST_CATEGORIES, LONGEST_CATEGORY)
    return listed or None


def _sensitivity(data: Element) -> Sensitivity | None:
    value = integer(data, Calendar.Sensitivity, min(Sensitivity), max(Sensitivity))
    return None if value is None else Sensitivity(value)


def _busy(data: Element, version: Version) -> Busy | Unset | None:
    value = integer(data, Calendar.BusyStatus, _UNKNOWN_BUSY, max(Busy))
    if version < Version.V16_0 and value in {_UNKNOWN_BUSY, Busy.ELSEWHERE}:
        raise BadItem(f"a BusyStatus of {value}")
    if value == _UNKNOWN_BUSY:
        return UNSET
    return None if value is None else Busy(value)


def _reminder(data: Element) -> timedelta | None:
    minutes = integer(data, Calendar.Reminder, 0, _LARGEST_NUMBER)
    return None if minutes is None or minutes > _LONGEST_REMINDER else timedelta(minutes=minutes)
