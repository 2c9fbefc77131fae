"""Items of one class as devices send and see them, without a server: one item, and a device."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Self

from hypothesis import HealthCheck, settings

from gateway.eas.content.items import ItemContent, Scene, digest
from gateway.eas.content.preferences import BodyOptions, BodyPreference
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import FileNumber, Item, ItemFolder, StoredItem
from gateway.sync.itemoperations import Given, NewFile
from gateway.types import CollectionId, Password, Principal, UserId
from wbxml import Element, element
from wbxml.decoder import decode
from wbxml.encoder import encode
from wbxml.pages import AirSync, AirSyncBase

__all__ = [
    "ALIAS",
    "ANN",
    "FOLDER",
    "NOW",
    "NUMBER",
    "Shelf",
    "arrived",
    "body",
    "examples",
    "ical",
    "item",
    "scene",
    "tree",
]

ANN = "ann@example.test"
ALIAS = "a.nn@example.test"
NOW = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
_LISTED = frozenset({"Category"})
NUMBER = 7
FOLDER = CollectionId("i1")


def examples(count: int) -> settings:
    """So many examples of a property, however slow the machine is."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def arrived(*children: Element) -> Element:
    """An ApplicationData as it arrives: once over the wire."""
    made = decode(encode(element(AirSync.ApplicationData, *children)))
    assert isinstance(made, Element)
    return made


@dataclass(slots=True)
class Shelf:
    """One item in a folder, and a device of one version that changes it and looks at it."""

    version: Version
    stored: StoredItem | None = None
    supported: frozenset[str] | None = None
    zone: tzinfo = UTC
    files: dict[FileNumber, NewFile] = field(default_factory=dict)
    beside: StoredItem | None = None
    incomplete: bool = False
    answered: bool = False
    content: ItemContent = field(kw_only=True)

    def holding(self, text: str) -> Self:
        """With an item from elsewhere."""
        return replace(self, stored=StoredItem("uid", text))

    @property
    def text(self) -> str:
        assert self.stored is not None
        return self.stored.text

    @property
    def item(self) -> Item:
        assert self.stored is not None
        return item(self.stored)

    def speaking(self, version: Version, supported: Collection[str] | None = None) -> Self:
        """The same item, seen by another device."""
        return replace(self, version=version, supported=None if supported is None else frozenset(supported))

    def add(self, *children: Element, now: datetime = NOW) -> Self:
        """An Add; of an item that is there already, one that the device adds again."""
        data = arrived(*children)
        operation = self.content.add("c1", digest(data), data, self.scene(now))
        given = self._given(operation.files)
        if self.stored is None:
            made = operation.make(given)
            self.incomplete = made.incomplete
        else:
            made = operation.merge(self.item, given)
        self.stored = made.stored
        return self

    def change(self, *children: Element, instance: str = "", now: datetime = NOW) -> Self:
        data = arrived(*children)
        operation = self.content.change(NUMBER, instance, digest(data), data, self.scene(now))
        made = operation.change(self.item, self._given(operation.files))
        assert operation.splits or made.beside is None
        self.stored, self.beside = made.stored, made.beside
        return self

    def delete(self, instance: str = "") -> Self:
        operation = self.content.delete(NUMBER, instance, self.scene())
        assert operation.change is not None
        self.stored = operation.change(self.item, self._given(())).stored
        return self

    def scene(self, now: datetime = NOW) -> Scene:
        return scene(self.content, self.version, now, self.zone)

    def _given(self, files: Collection[NewFile]) -> Given:
        first = len(self.files) + 1
        numbers = {one.client_id: number for number, one in enumerate(files, first)}
        self.files |= {numbers[one.client_id]: one for one in files}
        return Given(NUMBER, self.supported, numbers, self.answered)

    def shown(self, *preferences: BodyPreference, truncation: int | None = None) -> Element:
        """What the device is told, checked: it can be written, and there is nothing its version lacks."""
        options = ItemOptions(body=BodyOptions(preferences, truncation=truncation))
        made = element(AirSync.ApplicationData, *self.content.render(self.item, options, self.scene()))
        read = decode(encode(made))
        assert isinstance(read, Element)
        assert read == made
        for one in made.iter():
            assert one.tag.min_version is None or float(one.tag.min_version) <= self.version / 10, one
        return read


def scene(content: ItemContent, version: Version, now: datetime = NOW, zone: tzinfo = UTC) -> Scene:
    """Where a device of Ann's is, in her own folder."""
    principal = Principal(UserId(ANN), ANN, Password(ANN, "secret"), "Ann")
    folder = ItemFolder(FOLDER, UserId(ANN), content.kind, "Folder", default=True)
    return Scene(version, principal, folder, ANN, now, {ANN, ALIAS}.__contains__, zone)


def item(stored: StoredItem) -> Item:
    return Item(NUMBER, FOLDER, 1, stored, NOW, NOW)


def tree(shown: Element) -> dict[str, object]:
    """An element as plain values, its children in whatever order."""
    found: dict[str, object] = {}
    for child in shown:
        value: object = tree(child) if child.children else child.text()
        if child.tag.name in _LISTED:
            listed = found.setdefault(child.tag.name, [])
            assert isinstance(listed, list)
            listed.append(value)
        else:
            assert child.tag.name not in found, child
            found[child.tag.name] = value
    return found


def body(written: str, kind: int = 1, *more: Element) -> Element:
    return element(
        AirSyncBase.Body, element(AirSyncBase.Type, kind), *more, element(AirSyncBase.Data, written)
    )


def ical(*lines: str) -> str:
    """An iCalendar text with these lines in it."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""))
