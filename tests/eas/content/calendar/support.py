"""Calendar items as devices send and see them, without a server: one event, and a device."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.items import ItemContent, Scene, digest
from gateway.eas.content.preferences import BodyOptions, BodyPreference
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import FileNumber, Item, ItemFolder, ItemKind, StoredItem
from gateway.sync.itemoperations import Given, NewFile
from gateway.types import CollectionId, Password, Principal, UserId
from wbxml import Element, Tag, element
from wbxml.decoder import decode
from wbxml.encoder import encode
from wbxml.pages import AirSync, AirSyncBase, Calendar

ANN = "ann@example.test"
ALIAS = "a.nn@example.test"
BOB = "bob@example.test"
NOW = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
FOLDER = ItemFolder(CollectionId("i1"), UserId(ANN), ItemKind.CALENDAR, "Calendar", default=True)
CONTENT: ItemContent = CalendarContent()
NUMBER = 7
OLD = (Version.V2_5, Version.V12_0, Version.V12_1, Version.V14_0, Version.V14_1)
NEW = (Version.V16_0, Version.V16_1)


def scene(version: Version, now: datetime = NOW, zone: tzinfo = UTC) -> Scene:
    principal = Principal(UserId(ANN), ANN, Password(ANN, "secret"), "Ann")
    return Scene(version, principal, FOLDER, ANN, now, {ANN, ALIAS}.__contains__, zone)


def item(stored: StoredItem) -> Item:
    return Item(NUMBER, FOLDER.id, 1, stored, NOW, NOW)


def data(*children: Element) -> Element:
    """An ApplicationData as it arrives: once over the wire."""
    arrived = decode(encode(element(AirSync.ApplicationData, *children)))
    assert isinstance(arrived, Element)
    return arrived


@dataclass(slots=True)
class Shelf:
    """One event in a calendar, and a device of one version that changes it and looks at it."""

    version: Version
    stored: StoredItem | None = None
    supported: frozenset[str] | None = None
    files: dict[FileNumber, NewFile] = field(default_factory=dict)
    incomplete: bool = False
    answered: bool = False
    zone: tzinfo = UTC

    @classmethod
    def of(cls, text: str, version: Version) -> Shelf:
        """With an event from elsewhere."""
        return cls(version, StoredItem("uid", text))

    @property
    def text(self) -> str:
        assert self.stored is not None
        return self.stored.text

    def speaking(self, version: Version, supported: Collection[str] | None = None) -> Shelf:
        """The same event, seen by another device."""
        return replace(self, version=version, supported=None if supported is None else frozenset(supported))

    def add(self, *children: Element, now: datetime = NOW) -> Shelf:
        arrived = data(*children)
        operation = CONTENT.add("c1", digest(arrived), arrived, self._scene(now))
        if self.stored is not None:
            self.stored = operation.merge(item(self.stored), self._given(operation.files)).stored
        else:
            made = operation.make(self._given(operation.files))
            self.stored, self.incomplete = made.stored, made.incomplete
        return self

    def change(self, *children: Element, instance: str = "", now: datetime = NOW) -> Shelf:
        arrived = data(*children)
        assert self.stored is not None
        operation = CONTENT.change(NUMBER, instance, digest(arrived), arrived, self._scene(now))
        self.stored = operation.change(item(self.stored), self._given(operation.files)).stored
        return self

    def delete(self, instance: str = "") -> Shelf:
        assert self.stored is not None
        operation = CONTENT.delete(NUMBER, instance, self._scene())
        assert operation.change is not None
        self.stored = operation.change(item(self.stored), self._given(())).stored
        return self

    def _scene(self, now: datetime = NOW) -> Scene:
        return scene(self.version, now, self.zone)

    def _given(self, files: Collection[NewFile]) -> Given:
        first = len(self.files) + 1
        numbers = {one.client_id: number for number, one in enumerate(files, first)}
        self.files |= {numbers[one.client_id]: one for one in files}
        return Given(NUMBER, self.supported, numbers, self.answered)

    def shown(self, *preferences: BodyPreference) -> Element:
        """What the device is told, checked: it can be written, and there is nothing its version lacks."""
        assert self.stored is not None
        options = ItemOptions(body=BodyOptions(preferences))
        made = element(
            AirSync.ApplicationData,
            *CONTENT.render(item(self.stored), options, self._scene()),
        )
        arrived = decode(encode(made))
        assert arrived == made
        for one in made.iter():
            assert one.tag.min_version is None or float(one.tag.min_version) <= self.version / 10, one
        return arrived


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


def body(written: str, kind: int = 1, *more: Element) -> Element:
    return element(
        AirSyncBase.Body, element(AirSyncBase.Type, kind), element(AirSyncBase.Data, written), *more
    )


def calendar(*lines: str) -> str:
    """An iCalendar text with these lines in it."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""))


TIMES = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z")
"""An hour."""
DAILY = properties(Recurrence=properties(Type=0, Interval=1))
"""That hour each day."""
