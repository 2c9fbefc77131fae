"""Calendar items as devices send and see them, without a server: one event, and a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.items import ItemContent, Scene
from gateway.eas.versions import Version
from gateway.items import StoredItem
from tests.eas.content import shelf
from tests.eas.content.shelf import ALIAS, ANN, FOLDER, NOW, NUMBER, body, item
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Calendar

__all__ = [
    "ALIAS",
    "ANN",
    "BOB",
    "CONTENT",
    "DAILY",
    "FOLDER",
    "NEW",
    "NOW",
    "NUMBER",
    "OLD",
    "TIMES",
    "Shelf",
    "attendee",
    "body",
    "calendar",
    "item",
    "properties",
    "scene",
    "told",
    "tree",
]

BOB = "bob@example.test"
CONTENT: ItemContent = CalendarContent()
OLD = (Version.V2_5, Version.V12_0, Version.V12_1, Version.V14_0, Version.V14_1)
NEW = (Version.V16_0, Version.V16_1)


@dataclass(slots=True)
class Shelf(shelf.Shelf):
    """One event in a calendar, and a device."""

    content: ItemContent = field(default=CONTENT, kw_only=True)

    @classmethod
    def of(cls, text: str, version: Version) -> Shelf:
        """With an event from elsewhere."""
        return cls(version, StoredItem("uid", text))


def scene(version: Version, now: datetime = NOW, zone: tzinfo = UTC) -> Scene:
    return shelf.scene(CONTENT, version, now, zone)


def told(shown: Element, tag: Tag) -> str | None:
    """The text of an element of an event."""
    return shown.child_text(tag)


def tree(shown: Element | None) -> object:
    """An element as plain values, its children in whatever order."""
    if shown is None:
        return None
    if not shown.children:
        return shown.text()
    found: dict[str, object] = {}
    for child in shown:
        if child.tag in {Calendar.Attendee, Calendar.Category, Calendar.Exception, AirSyncBase.Attachment}:
            listed = found.setdefault(child.tag.name, [])
            assert isinstance(listed, list)
            listed.append(tree(child))
        else:
            assert child.tag.name not in found, child
            found[child.tag.name] = tree(child)
    return found


def properties(**named: object) -> list[Element]:
    """Elements of the Calendar page by name: a text or number, None for an empty one, or children."""
    made: list[Element] = []
    for name, value in named.items():
        tag = getattr(Calendar, name)
        if isinstance(value, Element):
            made.append(element(tag, value))
        elif isinstance(value, (list, tuple)):
            made.append(element(tag, *value))
        else:
            assert value is None or isinstance(value, (str, int))
            made.append(element(tag, value))
    return made


def attendee(address: str, name: str = "", status: int | None = None, kind: int | None = None) -> Element:
    made = properties(Email=address, Name=name or address)
    if status is not None:
        made += properties(AttendeeStatus=status)
    if kind is not None:
        made += properties(AttendeeType=kind)
    return element(Calendar.Attendee, *made)


def calendar(*lines: str) -> str:
    """An iCalendar text with these lines in it."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""))


TIMES = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z")
"""An hour."""
DAILY = properties(Recurrence=properties(Type=0, Interval=1))
"""That hour each day."""
