"""What of a file goes into a folder of which kind: events, tasks or notes, and what must be known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.items import ItemKind
from gateway.pim.events import reading
from gateway.pim.events.expansion import bounds_of, has_occurrences
from gateway.pim.notes.document import read_component as read_note
from gateway.pim.tasks.document import bounds_of_task
from gateway.pim.tasks.reading import read_component as read_task
from gateway.pim.tree import Node, parse_calendar

__all__ = ["EVENTS", "NOTES", "SORTS", "TASKS", "Examined", "Sort", "Version"]

Version = tuple[int, datetime]
"""SEQUENCE, and when it was changed last: of two versions of an item the greater is the newer."""
_OLDEST = datetime.min.replace(tzinfo=UTC)
_Bounds = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Examined:
    """An item that was read. It is `empty` when it repeats by a rule that comes to no occurrence."""

    uid: str
    version: Version
    bounds: _Bounds
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """What items of a kind are in iCalendar: which components, and what one is called in reports.

    `starts` says that one without DTSTART makes no sense. `examine` reads a calendar with one of them; raises
    `BadText`.
    """

    component: str
    noun: str
    starts: bool
    examine: Callable[[Node], Examined]

    def version_of(self, text: str) -> Version:
        """Which version of an item a stored text is. Raises `BadText`."""
        return self.examine(parse_calendar(text)).version


def _event(calendar: Node) -> Examined:
    event = reading.read_component(calendar.component, "", UTC)
    parts = [event, *(one.event for one in event.occurrences if one.event)]
    changed = [moment for one in parts if (moment := one.modified or one.stamp)]
    version = event.sequence, max(changed, default=_OLDEST)
    return Examined(event.uid, version, bounds_of(event), bool(event.rule) and not has_occurrences(event))


def _task(calendar: Node) -> Examined:
    task = read_task(calendar.component, UTC)
    return Examined(task.uid, (task.sequence, task.modified or task.stamp or _OLDEST), bounds_of_task(task))


def _note(calendar: Node) -> Examined:
    note = read_note(calendar.component)
    return Examined(note.uid, (note.sequence, note.modified or note.stamp or _OLDEST), (None, None))


EVENTS = Sort("VEVENT", "an event", starts=True, examine=_event)
TASKS = Sort("VTODO", "a task", starts=False, examine=_task)
NOTES = Sort("VJOURNAL", "a note", starts=False, examine=_note)
SORTS: Mapping[ItemKind, Sort] = MappingProxyType(
    {ItemKind.CALENDAR: EVENTS, ItemKind.TASKS: TASKS, ItemKind.NOTES: NOTES}
)
"""The sorts of iCalendar, by the kind of folder they go into."""
