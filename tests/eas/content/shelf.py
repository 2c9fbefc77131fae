"""Items of one class as devices send and see them, without a server: one item, and a device."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from hypothesis import HealthCheck, settings

from gateway.eas.content.items import ItemContent, Scene, digest
from gateway.eas.content.preferences import BodyOptions, BodyPreference
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import Item, ItemFolder, StoredItem
from gateway.sync.itemoperations import Given
from gateway.types import CollectionId, Password, Principal, UserId
from wbxml import Element, element
from wbxml.decoder import decode
from wbxml.encoder import encode
from wbxml.pages import AirSync, AirSyncBase

__all__ = ["NOW", "Shelf", "arrived", "body", "examples", "ical", "tree"]

ANN = "ann@example.test"
NOW = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
_LISTED = frozenset({"Category"})
_NUMBER = 7


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

    content: ItemContent
    version: Version
    stored: StoredItem | None = None
    beside: StoredItem | None = None
    supported: frozenset[str] | None = None
    zone: tzinfo = UTC

    @property
    def text(self) -> str:
        assert self.stored is not None
        return self.stored.text

    def of(self, text: str) -> Shelf:
        """With an item from elsewhere."""
        return replace(self, stored=StoredItem("uid", text))

    def speaking(self, version: Version, supported: Collection[str] | None = None) -> Shelf:
        """The same item, seen by another device."""
        return replace(self, version=version, supported=None if supported is None else frozenset(supported))

    def add(self, *children: Element, now: datetime = NOW) -> Shelf:
        data = arrived(*children)
        self.stored = self.content.add("c1", digest(data), data, self.scene(now)).make(Given(_NUMBER)).stored
        return self

    def change(self, *children: Element, now: datetime = NOW) -> Shelf:
        data = arrived(*children)
        operation = self.content.change(_NUMBER, "", digest(data), data, self.scene(now))
        made = operation.change(self._item(), Given(_NUMBER, self.supported))
        assert operation.splits or made.beside is None
        self.stored, self.beside = made.stored, made.beside
        return self

    def scene(self, now: datetime = NOW) -> Scene:
        principal = Principal(UserId(ANN), ANN, Password(ANN, "secret"), "Ann")
        folder = ItemFolder(CollectionId("i1"), UserId(ANN), self.content.kind, "Folder", default=True)
        return Scene(self.version, principal, folder, ANN, now, ANN.__eq__, self.zone)

    def shown(self, *preferences: BodyPreference, truncation: int | None = None) -> Element:
        """What the device is told, checked: it can be written, and there is nothing its version lacks."""
        options = ItemOptions(body=BodyOptions(preferences, truncation=truncation))
        made = element(AirSync.ApplicationData, *self.content.render(self._item(), options, self.scene()))
        assert decode(encode(made)) == made
        for one in made.iter():
            assert one.tag.min_version is None or float(one.tag.min_version) <= self.version / 10, one
        return made

    def _item(self) -> Item:
        assert self.stored is not None
        return Item(_NUMBER, CollectionId("i1"), 1, self.stored, NOW, NOW)


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
        AirSyncBase.Body, element(AirSyncBase.Type, kind), element(AirSyncBase.Data, written), *more
    )


def ical(*lines: str) -> str:
    """An iCalendar text with these lines in it."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""))
