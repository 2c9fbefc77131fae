"""The text of an event in the store, read and changed.

Reading is tolerant. A change touches the properties of what it changes alone: all else survives as it is
written, whoever wrote it. Naming a value that is there already changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from gateway.items import StoredItem
from gateway.pim.events.model import Event, EventPatch, OccurrencePatch

__all__ = [
    "bounds",
    "delete_occurrence",
    "new_event",
    "patch_event",
    "patch_occurrence",
    "read_event",
    "stored_event",
]


def read_event(text: str, owner: str, default: tzinfo = UTC) -> Event:
    """The event in a text as the user with the address `owner` sees it.

    `default` is the zone of times and dates that are in none. Raises `BadEvent` when there is no event.
    """
    raise NotImplementedError


def new_event(patch: EventPatch, uid: str, owner: str, now: datetime) -> str:
    """The text of a new event. `start` and `end` must be given. Raises `BadEvent`."""
    raise NotImplementedError


def patch_event(text: str, patch: EventPatch, owner: str, now: datetime) -> str:
    """The text after a change.

    Exceptions that had a value from the series get the new one too. Raises `BadEvent`; nothing is half done.
    """
    raise NotImplementedError


def patch_occurrence(
    text: str, original: datetime, patch: OccurrencePatch, owner: str, now: datetime
) -> str:
    """The text after a change of the occurrence with this original start.

    Raises `BadEvent`, and `NotFound` when the series has no such occurrence.
    """
    raise NotImplementedError


def delete_occurrence(text: str, original: datetime, owner: str, now: datetime) -> str:
    """The text without that occurrence; the same text when it is deleted already. Raises `NotFound`."""
    raise NotImplementedError


def bounds(text: str) -> tuple[datetime | None, datetime | None]:
    """Start of the first and end of the last occurrence, as `StoredItem` has them. Raises `BadEvent`."""
    raise NotImplementedError


def stored_event(text: str) -> StoredItem:
    """What is to be stored of an event: its text with all that the store knows of it. Raises `BadEvent`."""
    raise NotImplementedError
