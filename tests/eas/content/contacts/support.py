"""Contacts as devices send and see them, without a server: one contact, and a device."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from gateway.eas.content.contacts import ContactsContent
from gateway.eas.content.contacts.elements import ELEMENTS, PARTS
from gateway.eas.content.items import ItemContent, Scene, digest
from gateway.eas.content.preferences import BodyOptions, BodyPreference
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import Item, ItemFolder, ItemKind, StoredItem
from gateway.pim.contacts.model import Field
from gateway.sync.itemoperations import Given
from gateway.types import CollectionId, Password, Principal, UserId
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, Contacts, Contacts2

ANN = "ann@example.test"
NOW = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
FOLDER = ItemFolder(CollectionId("i1"), UserId(ANN), ItemKind.CONTACTS, "Contacts", default=True)
CONTENT: ItemContent = ContactsContent()
NUMBER = 7
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"photo" * 100).decode()


def scene(version: Version, zone: tzinfo = UTC) -> Scene:
    principal = Principal(UserId(ANN), ANN, Password(ANN, "secret"), "Ann")
    return Scene(version, principal, FOLDER, ANN, NOW, {ANN}.__contains__, zone)


def card(*lines: str, version: str = "3.0") -> str:
    """A vCard with these lines in it."""
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", "UID:u", *lines, "END:VCARD", ""))


def properties(**named: str | Collection[str] | None) -> list[Element]:
    """Elements by name: a text, or the texts of a container."""
    made: list[Element] = []
    for name, value in named.items():
        if name == "Body":
            assert value is None or isinstance(value, str)
            made.append(body(value or ""))
            continue
        tag = getattr(Contacts, name, None) or getattr(Contacts2, name)
        if value is None or isinstance(value, str):
            made.append(element(tag, value))
        else:
            part = PARTS[Field(name)]
            made.append(element(tag, *(element(part, one) for one in value)))
    return made


def body(written: str, kind: int = 1) -> Element:
    return element(AirSyncBase.Body, element(AirSyncBase.Type, kind), element(AirSyncBase.Data, written))


def values(shown: Element) -> Mapping[str, str | tuple[str, ...]]:
    """What a device knows then, by the names of elements."""
    found: dict[str, str | tuple[str, ...]] = {}
    for field, (tag, _) in ELEMENTS.items():
        child = shown.find(tag)
        if child is None or field is Field.NOTE:
            continue
        parts = tuple(one.text() for one in child.children)
        found[field.value] = parts or child.text()
    container = shown.find(AirSyncBase.Body)
    written = (
        container.child_text(AirSyncBase.Data) if container is not None else shown.child_text(Contacts.Body)
    )
    if written:
        found["Body"] = written.replace("\r\n", "\n")
    return found


@dataclass(slots=True)
class Shelf:
    """One contact, and a device of one version that changes it and looks at it."""

    version: Version
    stored: StoredItem | None = None
    supported: frozenset[str] | None = None
    zone: tzinfo = UTC

    @classmethod
    def of(cls, text: str, version: Version = Version.V16_1) -> Shelf:
        """With a contact from elsewhere."""
        return cls(version, StoredItem("u", text))

    @property
    def text(self) -> str:
        assert self.stored is not None
        return self.stored.text

    def lines(self, *names: str) -> list[str]:
        """The lines of the vCard that begin so."""
        whole = self.text.replace("\r\n ", "").split("\r\n")
        return [line for line in whole if line.startswith(names)]

    def speaking(self, version: Version, supported: Collection[str] | None = None) -> Shelf:
        """The same contact, seen by another device."""
        return replace(self, version=version, supported=None if supported is None else frozenset(supported))

    def add(self, *children: Element) -> Shelf:
        arrived = data(*children)
        operation = CONTENT.add("c1", digest(arrived), arrived, scene(self.version, self.zone))
        if self.stored is not None:
            self.stored = operation.merge(self.item, self._given).stored
        else:
            self.stored = operation.make(self._given).stored
        return self

    def change(self, *children: Element) -> Shelf:
        arrived = data(*children)
        operation = CONTENT.change(NUMBER, "", digest(arrived), arrived, scene(self.version, self.zone))
        self.stored = operation.change(self.item, self._given).stored
        return self

    def shown(self, *preferences: BodyPreference) -> Element:
        """What the device is told, checked: it can be written, and there is nothing its version lacks."""
        options = ItemOptions(body=BodyOptions(preferences))
        told = CONTENT.render(self.item, options, scene(self.version, self.zone))
        made = element(AirSync.ApplicationData, *told)
        arrived = decode(encode(made))
        assert isinstance(arrived, Element)
        assert arrived == made
        for one in made.iter():
            assert one.tag.min_version is None or float(one.tag.min_version) <= self.version / 10, one
        return arrived

    @property
    def seen(self) -> Mapping[str, str | tuple[str, ...]]:
        return values(self.shown())

    @property
    def item(self) -> Item:
        assert self.stored is not None
        return Item(NUMBER, FOLDER.id, 1, self.stored, NOW, NOW)

    @property
    def _given(self) -> Given:
        return Given(NUMBER, self.supported)


def data(*children: Element) -> Element:
    """An ApplicationData as it arrives: once over the wire."""
    arrived = decode(encode(element(AirSync.ApplicationData, *children)))
    assert isinstance(arrived, Element)
    return arrived
