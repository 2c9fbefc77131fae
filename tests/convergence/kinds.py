"""The kinds of items that the gateway keeps itself, and how a phone writes one whose title is all it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wbxml import Element, Tag, element
from wbxml.pages import Calendar, Contacts, Notes, Tasks

__all__ = ["CALENDAR", "CONTACTS", "KINDS", "NOTES", "TASKS", "Kind"]


def _nothing(token: str) -> list[Element]:
    return []


def _times(token: str) -> list[Element]:
    return [element(Calendar.StartTime, "20300101T100000Z"), element(Calendar.EndTime, "20300101T110000Z")]


def _uid(token: str) -> list[Element]:
    return [element(Calendar.UID, f"uid-{token}")]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its Class, the types of its default folder and of others, and where an item has its title.

    `more` is what an item has besides, of `new` ones phones before 16.0 say something more yet; both are made
    from the token. `filters` are the FilterTypes a user may choose.
    """

    name: str
    default: str
    others: str
    title: Tag
    more: Callable[[str], list[Element]] = _nothing
    new: Callable[[str], list[Element]] = _nothing
    filters: Sequence[int] = (0,)

    @property
    def folders(self) -> frozenset[str]:
        """The types of its folders."""
        return frozenset({self.default, self.others})


CALENDAR = Kind("Calendar", "8", "13", Calendar.Subject, _times, _uid, (0, 4, 6))
CONTACTS = Kind("Contacts", "9", "14", Contacts.LastName)
TASKS = Kind("Tasks", "7", "15", Tasks.Subject)
NOTES = Kind("Notes", "10", "17", Notes.Subject)

KINDS = (CALENDAR, CONTACTS, TASKS, NOTES)
