"""The text of an event in the store, read and changed.

Reading is tolerant. A change touches the properties of what it changes alone: all else survives as it is
written, whoever wrote it. Naming a value that is there already changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from gateway.errors import NotFound
from gateway.items import StoredItem
from gateway.pim.events.expansion import bounds_of
from gateway.pim.events.model import BadEvent, Event, EventPatch, OccurrencePatch, Unset
from gateway.pim.events.patching import apply
from gateway.pim.events.reading import read_component
from gateway.pim.lines import read
from gateway.pim.tree import Node, escaped, make_line, parse_calendar
from gateway.pim.values import FIRST_YEAR, utc_text

__all__ = [
    "bounds",
    "delete_occurrence",
    "new_calendar",
    "new_event",
    "patch_event",
    "patch_occurrence",
    "read_event",
    "stored_event",
]

_PRODUCT = "-//ActiveSync Gateway//Calendar//EN"
_LONGEST_UID = 1024


def read_event(text: str, owner: str, default: tzinfo = UTC) -> Event:
    """The event in a text as the user with the address `owner` sees it.

    `default` is the zone of times and dates that are in none. Raises `BadEvent` when there is no event.
    """
    calendar = next(iter(read(text)), None)
    if calendar is None:
        raise BadEvent("no calendar")
    return read_component(calendar, owner, default)


def new_event(patch: EventPatch, uid: str, owner: str, now: datetime) -> str:
    """The text of a new event. `start` and `end` must be given. Raises `BadEvent`."""
    if isinstance(patch.start, Unset) or isinstance(patch.end, Unset) or not 0 < len(uid) <= _LONGEST_UID:
        raise BadEvent("an event needs a start, an end and a UID of some length")
    event = Node.new(
        "VEVENT",
        [
            make_line("UID", escaped(uid)),
            make_line("DTSTAMP", utc_text(now)),
            make_line("CREATED", utc_text(now)),
            # Not yet the one it is to have, so that it is written with all that belongs to it.
            make_line("DTSTART", f"{FIRST_YEAR}0101T000000Z"),
        ],
    )
    calendar = new_calendar()
    calendar.parts.append(event)
    return _whole(calendar, patch, owner, now)


def new_calendar() -> Node:
    """A calendar with nothing in it."""
    return Node.new("VCALENDAR", [make_line("VERSION", "2.0"), make_line("PRODID", _PRODUCT)])


def patch_event(text: str, patch: EventPatch, owner: str, now: datetime) -> str:
    """The text after a change.

    Exceptions that had a value from the series get the new one too. An occurrence that is to be deleted and
    is not there is so already; one that is to be changed is a `BadEvent`. Raises that.
    """
    return _whole(parse_calendar(text), patch, owner, now)


def patch_occurrence(text: str, original: datetime, patch: OccurrencePatch, owner: str, now: datetime) -> str:
    """The text after a change of the occurrence with this original start.

    One that was deleted is there again. Of an event of whole days the date of `original` counts. Raises
    `BadEvent`, and `NotFound` when the series has no such occurrence.
    """
    calendar = parse_calendar(text)
    apply(calendar, EventPatch(occurrences=((original, patch),)), owner, now)
    return calendar.text


def delete_occurrence(text: str, original: datetime, owner: str, now: datetime) -> str:
    """The text without that occurrence; the same text when it is deleted already. Raises `NotFound`."""
    calendar = parse_calendar(text)
    apply(calendar, EventPatch(occurrences=((original, None),)), owner, now)
    return calendar.text


def bounds(text: str) -> tuple[datetime | None, datetime | None]:
    """Start of the first and end of the last occurrence, as `StoredItem` has them. Raises `BadEvent`.

    Dates without a zone are taken for days of UTC.
    """
    return bounds_of(read_event(text, ""))


def stored_event(text: str) -> StoredItem:
    """What is to be stored of an event: its text with all that the store knows of it. Raises `BadEvent`."""
    event = read_event(text, "")
    others = (one.event for one in event.occurrences if one.event)
    files = frozenset(file.number for one in (event, *others) for file in one.files)
    starts, ends = bounds_of(event)
    return StoredItem(event.uid, text, starts, ends, files)


def _whole(calendar: Node, patch: EventPatch, owner: str, now: datetime) -> str:
    """A patch of a whole event: phones go on naming exceptions that a series has left behind."""
    try:
        apply(calendar, patch, owner, now, whole=True)
    except NotFound as error:
        raise BadEvent(error.detail) from error
    return calendar.text
