"""Contacts as devices send and see them, without a server: one contact, and a device."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gateway.eas.content.contacts import ContactsContent
from gateway.eas.content.contacts.elements import ELEMENTS, PARTS
from gateway.eas.content.items import ItemContent
from gateway.eas.versions import Version
from gateway.items import StoredItem
from gateway.pim.contacts.model import Field
from tests.eas.content import shelf
from tests.eas.content.shelf import body
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Contacts, Contacts2

__all__ = ["CONTENT", "JPEG", "Shelf", "body", "card", "properties", "values"]

CONTENT: ItemContent = ContactsContent()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"photo" * 100).decode()


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


def values(shown: Element) -> Mapping[str, str | tuple[str, ...]]:
    """What a device knows then, by the names of elements."""
    found: dict[str, str | tuple[str, ...]] = {}
    for one, (tag, _) in ELEMENTS.items():
        child = shown.find(tag)
        if child is None or one is Field.NOTE:
            continue
        parts = tuple(part.text() for part in child.children)
        found[one.value] = parts or child.text()
    container = shown.find(AirSyncBase.Body)
    written = (
        container.child_text(AirSyncBase.Data) if container is not None else shown.child_text(Contacts.Body)
    )
    if written:
        found["Body"] = written.replace("\r\n", "\n")
    return found


@dataclass(slots=True)
class Shelf(shelf.Shelf):
    """One contact, and a device."""

    content: ItemContent = field(default=CONTENT, kw_only=True)

    @classmethod
    def of(cls, text: str, version: Version = Version.V16_1) -> Shelf:
        """With a contact from elsewhere."""
        return cls(version, StoredItem("u", text))

    def lines(self, *names: str) -> list[str]:
        """The lines of the vCard that begin so."""
        whole = self.text.replace("\r\n ", "").split("\r\n")
        return [line for line in whole if line.startswith(names)]

    @property
    def seen(self) -> Mapping[str, str | tuple[str, ...]]:
        return values(self.shown())
