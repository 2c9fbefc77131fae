"""The text of an event in the store, read and changed.

Reading is tolerant. A change touches the properties of what it changes alone: all else survives as it is
written, whoever wrote it. Naming a value that is there already changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Self

from gateway.errors import NotFound
from gateway.items import StoredItem
from gateway.pim.events.expansion import bounds_of
from gateway.pim.events.model import BadEvent, Event, EventPatch, OccurrencePatch, Unset
from gateway.pim.events.patching import apply
from gateway.pim.events.reading import read_component
from gateway.pim.limits import LONGEST_UID
from gateway.pim.lines import read
from gateway.pim.tree import Node, check_size, escaped, make_line, parse_calendar
from gateway.pim.values import FIRST_YEAR, utc_text

__all__ = [
    "Bounds",
    "Document",
    "new_calendar",
    "new_event",
    "read_event",
]

Bounds = tuple[datetime | None, datetime | None]

_PRODUCT = "-//ActiveSync Gateway//Calendar//EN"


class Document:
    """The text of an event, taken apart once, however many look at it. A change makes another one."""

    __slots__ = ("_bounds", "_events", "_tree", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree: Node | None = None
        self._events: dict[tuple[str, tzinfo], Event] = {}
        self._bounds: Bounds | None = None

    @classmethod
    def of(cls, calendar: Node) -> Self:
        """That of a calendar which nobody changes from now on."""
        made = cls(calendar.text)
        made._tree = calendar
        return made

    @classmethod
    def stored_as(cls, item: StoredItem) -> Self:
        """That of an item of the store, which knows what would have to be found out."""
        made = cls(item.text)
        made._bounds = item.starts, item.ends
        return made

    @property
    def calendar(self) -> Node:
        """A copy of it, to be changed. Raises `BadText`."""
        if self._tree is None:
            self._tree = parse_calendar(self.text)
        return self._tree.copy()

    def event(self, owner: str, default: tzinfo = UTC) -> Event:
        """The event as the user with the address `owner` sees it.

        `default` is the zone of times and dates that are in none. Raises `BadEvent` when there is no event.
        """
        key = owner, default
        if key not in self._events:
            calendar = self._tree.component if self._tree else next(iter(read(self.text)), None)
            if calendar is None:
                raise BadEvent("no calendar")
            self._events[key] = read_component(calendar, owner, default)
        return self._events[key]

    @property
    def bounds(self) -> Bounds:
        """Start of the first and end of the last occurrence, as `StoredItem` has them. Raises `BadEvent`.

        Dates without a zone are taken for days of UTC.
        """
        if self._bounds is None:
            self._bounds = bounds_of(self._public)
        return self._bounds

    @property
    def stored(self) -> StoredItem:
        """What is to be stored: the text with all that the store knows of it.

        Raises `BadEvent`, and `BadText` for one that could never be changed, so long is it.
        """
        check_size(self.text)
        event = self._public
        others = (one.event for one in event.occurrences if one.event)
        files = frozenset(file.number for one in (event, *others) for file in one.files)
        return StoredItem(event.uid, self.text, *self.bounds, files)

    def patched(self, patch: EventPatch, owner: str, now: datetime) -> Document:
        """It after a change of the whole.

        Exceptions that had a value from the series get the new one too. An occurrence that is to be deleted
        and is not there is so already; one that is to be changed is a `BadEvent`. Raises that.
        """
        calendar = self.calendar
        _apply_whole(calendar, patch, owner, now)
        return Document.of(calendar)

    def with_occurrence(
        self, original: datetime, patch: OccurrencePatch | None, owner: str, now: datetime
    ) -> Document:
        """It after a change of the occurrence with this original start; None deletes that.

        One that was deleted is there again. Of an event of whole days the date of `original` counts. Raises
        `BadEvent`, and `NotFound` when the series has no such occurrence.
        """
        calendar = self.calendar
        apply(calendar, EventPatch(occurrences=((original, patch),)), owner, now)
        return Document.of(calendar)

    @property
    def _public(self) -> Event:
        """The event as somebody sees it, whoever: nothing is asked of it that differs."""
        found = (event for (_, zone), event in self._events.items() if zone is UTC)
        return next(found, None) or self.event("")


def read_event(text: str, owner: str, default: tzinfo = UTC) -> Event:
    """What `Document.event` says, for who looks once."""
    return Document(text).event(owner, default)


def new_event(patch: EventPatch, uid: str, owner: str, now: datetime) -> Document:
    """A new event. `start` and `end` must be given. Raises `BadEvent`."""
    if isinstance(patch.start, Unset) or isinstance(patch.end, Unset) or not 0 < len(uid) <= LONGEST_UID:
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
    _apply_whole(calendar, patch, owner, now)
    return Document.of(calendar)


def new_calendar() -> Node:
    """A calendar with nothing in it."""
    return Node.new("VCALENDAR", [make_line("VERSION", "2.0"), make_line("PRODID", _PRODUCT)])


def _apply_whole(calendar: Node, patch: EventPatch, owner: str, now: datetime) -> None:
    """Change a whole event: phones go on naming exceptions that a series has left behind."""
    try:
        apply(calendar, patch, owner, now, whole=True)
    except NotFound as error:
        raise BadEvent(error.detail) from error
